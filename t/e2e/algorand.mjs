// SPDX-License-Identifier: Apache-2.0
// What there is of Algorand here: a stub of a node that tells what transactions have to look like, and a ledger that
// takes a group of them once. On top of it the clients and the facilitators of both packages, whose own checks (group,
// amount, receiver, asset, network, signatures) are all real.

import './webcrypto.mjs';
import { generateKeyPairSync } from 'node:crypto';
import { wrapFetchWithPayment } from '@x402/fetch';
import { x402Client } from '@x402/core/client';
import { x402Facilitator } from '@x402/core/facilitator';
import * as official from '@x402/avm';
import { ExactAvmScheme as OfficialFacilitator } from '@x402/avm/exact/facilitator';
import * as goplausible from '@x402-avm/avm';
import { ExactAvmScheme as GoplausibleFacilitator } from '@x402-avm/avm/exact/facilitator';
import { x402Client as GoplausibleClient, x402HTTPClient as GoplausibleHttp } from '@x402-avm/core/client';
import { x402Facilitator as GoplausibleCore } from '@x402-avm/core/facilitator';
import { serveFacilitator } from './facilitator.mjs';
import { serve } from './http.mjs';

const genesis = 'SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=';
export const algorandTestnet = { network: `algorand:${genesis}`, asset: '10458941' };

export const packages = {
    '@x402/avm': {
        ...official,
        Facilitator: OfficialFacilitator,
        core: x402Facilitator,
        wrap: (scheme) => wrapFetchWithPayment(fetch, new x402Client().register('algorand:*', scheme)),
    },
    '@x402-avm/avm': {
        ...goplausible,
        Facilitator: GoplausibleFacilitator,
        core: GoplausibleCore,
        wrap: (scheme) => payingFetchOfGoplausible(new GoplausibleClient().register('algorand:*', scheme)),
    },
};

// Their wrapper for fetch() is a package of its own that is not to be had; these are the two requests around their
// client.
const payingFetchOfGoplausible = (client) => async (url) => {
    const http = new GoplausibleHttp(client);
    const first = await fetch(url);
    if (first.status !== 402) return first;
    const body = await first.json().catch(() => undefined);
    const offer = http.getPaymentRequiredResponse((name) => first.headers.get(name), body);
    return fetch(url, { headers: http.encodePaymentSignatureHeader(await client.createPaymentPayload(offer)) });
};

// transfers: what the accepted groups moved, in order.
export async function startAlgorand() {
    const transfers = [];
    const known = new Set();
    let broken;

    const server = await serve((request, response) => {
        if (request.url.split('?')[0] !== '/v2/transactions/params') {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
            'consensus-version': 'future', 'genesis-id': 'testnet-v1.0', 'genesis-hash': genesis,
            fee: 0, 'min-fee': 1_000, 'last-round': 50_000_000,
        }));
    });

    // As on Algorand: a group that is in the ledger is refused.
    function send(group) {
        const opened = group.map((bytes) => official.decodeSignedTransaction(Buffer.from(bytes).toString('base64')));
        const ids = opened.map(({ txn }) => txn.txId());
        if (ids.some((id) => known.has(id))) throw new Error('transaction already in ledger');
        if (opened.some(({ sig }) => !sig)) throw new Error('a signature is missing');
        ids.forEach((id) => known.add(id));
        for (const { txn } of opened.filter(({ txn: { type } }) => type === 'axfer')) {
            const { receiver, assetId, amount } = txn.assetTransfer;
            transfers.push({
                from: txn.sender.toString(), to: receiver.toString(), asset: String(assetId), value: amount,
                transaction: txn.txId(),
            });
        }
        return ids[0];
    }

    return {
        ...algorandTestnet,
        url: server.url,
        transfers,
        send,
        // The node answers `question` so many times more, then it fails, until it is mended.
        breaksAt(question, times = 0) { broken = { question, times }; },
        mend() { broken = undefined; },
        asked(question) {
            if (broken?.question === question && broken.times-- <= 0) throw new Error('the node has no answer');
        },
        // A customer of one of the packages.
        newPayer(name) {
            const { toClientAvmSigner, ExactAvmScheme, wrap } = packages[name];
            const account = toClientAvmSigner(newKey());
            const pay = wrap(new ExactAvmScheme(account, { algodUrl: server.url, algodToken: 'none' }));
            return { address: account.address, pay: (url) => quietly(() => pay(url)) };
        },
        stop: server.stop,
    };
}

// One of the clients tells the console about every payment.
async function quietly(work) {
    const { log } = console;
    console.log = () => {};
    try {
        return await work();
    } finally {
        console.log = log;
    }
}

export const newAddress = () => official.toClientAvmSigner(newKey()).address;

// The facilitator of one of the packages; `address` pays the fees. What it would ask a node for is told by the ledger.
export async function startAlgorandFacilitator(algorand, name) {
    const { toFacilitatorAvmSigner, Facilitator, core: Core } = packages[name];
    const signer = {
        ...toFacilitatorAvmSigner(newKey()),
        simulateTransactions: async () => {
            algorand.asked('simulate');
            return { txnGroups: [{}] };
        },
        sendTransactions: async (group) => {
            algorand.asked('send');
            return algorand.send(group);
        },
        waitForConfirmation: async () => ({}),
    };
    const facilitator = new Core().register(algorand.network, new Facilitator(signer));
    return { ...await serveFacilitator(facilitator), address: signer.getAddresses()[0] };
}

// 32 bytes of secret and 32 of public key, in base64.
function newKey() {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { d, x } = privateKey.export({ format: 'jwk' });
    return Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]).toString('base64');
}
