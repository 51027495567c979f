// SPDX-License-Identifier: Apache-2.0
// The arrangements of other families of networks, without nginx: what is sold here is sold by a few lines of our own.

import assert from 'node:assert/strict';
import { newAddress, packages, startAlgorand, startAlgorandFacilitator } from './algorand.mjs';
import { openedPayment, sealedPayment } from './client.mjs';
import { serve } from './http.mjs';
import { startSolana, startSolanaFacilitator } from './solana.mjs';
import { test } from './testing.mjs';

// Sells to a client that brings a payment for this requirement, and answers with what the facilitator said.
function startShop(facilitator, accepted) {
    const requirement = { scheme: 'exact', amount: '10000', maxTimeoutSeconds: 300, ...accepted };
    const offer = sealedPayment({
        x402Version: 2,
        error: 'Payment required',
        resource: { url: 'http://127.0.0.1/thing', description: '', mimeType: '' },
        accepts: [requirement],
    });
    return serve(async ({ headers }, response) => {
        const header = headers['payment-signature'];
        if (!header) {
            response.writeHead(402, { 'payment-required': offer }).end('{}');
            return;
        }
        const paymentPayload = openedPayment(header);
        const ask = async (path, paymentRequirements = requirement) => {
            const body = JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements });
            return (await fetch(`${facilitator.url}${path}`, { method: 'POST', body })).json();
        };
        response.writeHead(200).end(JSON.stringify({
            dearer: await ask('/verify', { ...requirement, amount: '10001' }),
            verified: await ask('/verify'),
            settled: await ask('/settle'),
            again: await ask('/settle'),
        }));
    });
}

async function sells(arrangement, facilitator, { payTo, pay, payer }) {
    const { network, asset, transfers } = arrangement;
    const { kinds } = await (await fetch(`${facilitator.url}/supported`)).json();
    assert.deepEqual(kinds, [{ x402Version: 2, scheme: 'exact', network, extra: { feePayer: facilitator.address } }]);

    const shop = await startShop(facilitator, { network, asset, payTo, extra: kinds[0].extra });
    try {
        const { dearer, verified, settled, again } = await (await pay(shop.url)).json();
        assert.equal(dearer.isValid, false);
        assert.match(dearer.invalidReason, /amount/);
        assert.deepEqual([verified.isValid, verified.payer], [true, payer]);
        assert.deepEqual([settled.success, settled.network, settled.payer], [true, network, payer]);
        assert.equal(again.success, false);
        assert.deepEqual(transfers.map(({ from, value, transaction }) => [from, value, transaction]), [
            [payer, 10_000n, settled.transaction],
        ]);
    } finally {
        await shop.stop();
    }
}

test('Solana: the official client pays the official facilitator, once', async () => {
    const solana = await startSolana();
    const facilitator = await startSolanaFacilitator(solana);
    const [account, seller] = [await solana.newAccount(), await solana.newAccount()];
    try {
        await sells(solana, facilitator, {
            payTo: seller.address, pay: solana.payingFetch(account), payer: account.address,
        });
    } finally {
        await facilitator.stop();
        await solana.stop();
    }
});

for (const client of Object.keys(packages)) {
    for (const name of Object.keys(packages)) {
        test(`Algorand: the client of ${client} pays the facilitator of ${name}, once`, async () => {
            const algorand = await startAlgorand();
            const facilitator = await startAlgorandFacilitator(algorand, name);
            const { address, pay } = algorand.newPayer(client);
            try {
                await sells(algorand, facilitator, { payTo: newAddress(), pay, payer: address });
            } finally {
                await facilitator.stop();
                await algorand.stop();
            }
        });
    }
}
