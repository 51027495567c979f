// SPDX-License-Identifier: Apache-2.0
// What there is of Solana here: a stub of a node's JSON-RPC that knows one token and takes any transaction whose
// signatures are good, and on top of it the official client and the official facilitator scheme.

import './webcrypto.mjs';
import { randomBytes } from 'node:crypto';
import {
    decompileTransactionMessage, generateKeyPairSigner, getAddressEncoder, getBase58Decoder,
    getCompiledTransactionMessageDecoder, getTransactionDecoder, verifySignature,
} from '@solana/kit';
import { x402Facilitator } from '@x402/core/facilitator';
import { toFacilitatorSvmSigner } from '@x402/svm';
import { ExactSvmScheme as ClientScheme } from '@x402/svm/exact/client';
import { ExactSvmScheme as FacilitatorScheme } from '@x402/svm/exact/facilitator';
import { payingFetchBy } from './client.mjs';
import { serveFacilitator } from './facilitator.mjs';
import { bodyOf, serve } from './http.mjs';

export const solanaDevnet = {
    network: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1', asset: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
};
const tokenProgram = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
const transferChecked = 12;

// A mint account of six decimals, as it lies on the chain.
function mint() {
    const data = Buffer.alloc(82);
    data.writeUInt8(6, 44);
    data.writeUInt8(1, 45);
    return data;
}

// transfers: what the accepted transactions moved, in order.
export async function startSolana() {
    const transfers = [];
    const settled = new Map();
    const context = { slot: 1 };

    const answers = {
        getAccountInfo: ([address]) => ({
            context,
            value: address === solanaDevnet.asset ? {
                data: [mint().toString('base64'), 'base64'], owner: tokenProgram, executable: false,
                lamports: 1_461_600, rentEpoch: 0, space: 82,
            } : null,
        }),
        getLatestBlockhash: () => ({
            context,
            value: { blockhash: getBase58Decoder().decode(randomBytes(32)), lastValidBlockHeight: 1_000 },
        }),
        simulateTransaction: () => ({ context, value: { err: null, logs: [], unitsConsumed: 1 } }),
        // As on Solana: a transaction sent again is neither an error nor another transaction.
        sendTransaction: async ([encoded]) => {
            const { signature, transfer } = await opened(encoded);
            if (!settled.has(signature)) transfers.push(transfer);
            settled.set(signature, transfer);
            return signature;
        },
        getSignatureStatuses: ([signatures]) => ({
            context,
            value: signatures.map((signature) => (settled.has(signature)
                ? { slot: 1, confirmations: 1, err: null, confirmationStatus: 'confirmed' } : null)),
        }),
    };

    const server = await serve(async (request, response) => {
        const { id, method, params = [] } = JSON.parse(await bodyOf(request));
        let said;
        try {
            if (!answers[method]) throw new Error(`${method} is not known here`);
            said = { result: await answers[method](params) };
        } catch (error) {
            said = { error: { code: -32_003, message: error.message } };
        }
        response.writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
    });

    return {
        ...solanaDevnet,
        url: server.url,
        transfers,
        newAccount: () => generateKeyPairSigner(),
        payingFetch: (account) =>
            payingFetchBy(solanaDevnet.network, new ClientScheme(account, { rpcUrl: server.url })),
        stop: server.stop,
    };
}

// The official facilitator for that node; `address` pays the fees.
export async function startSolanaFacilitator(solana) {
    const account = await generateKeyPairSigner();
    const hands = toFacilitatorSvmSigner(account, { defaultRpcUrl: solana.url });
    const facilitator = new x402Facilitator().register(solana.network, new FacilitatorScheme(hands));
    return { ...await serveFacilitator(facilitator), address: account.address };
}

// Looks into a transaction as sent. It throws unless every signer's signature is good.
async function opened(encoded) {
    const { messageBytes, signatures } = getTransactionDecoder().decode(Buffer.from(encoded, 'base64'));
    for (const [address, signature] of Object.entries(signatures)) {
        const raw = getAddressEncoder().encode(address);
        const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
        if (!signature || !await verifySignature(key, signature, messageBytes)) {
            throw new Error(`bad signature of ${address}`);
        }
    }
    const { feePayer, instructions } =
        decompileTransactionMessage(getCompiledTransactionMessageDecoder().decode(messageBytes));
    const { accounts, data } = instructions.find(({ programAddress }) => programAddress === tokenProgram);
    if (data[0] !== transferChecked) throw new Error('no transfer');
    const signature = getBase58Decoder().decode(Object.values(signatures)[0]);
    return {
        signature,
        transfer: {
            from: accounts[3].address,
            asset: accounts[1].address,
            value: Buffer.from(data).readBigUInt64LE(1),
            feePayer: feePayer.address,
            transaction: signature,
        },
    };
}
