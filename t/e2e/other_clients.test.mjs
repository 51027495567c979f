// SPDX-License-Identifier: Apache-2.0
// Clients of others than the makers of x402: each asks, pays on the chain, and gets the content.

import './webcrypto.mjs';
import assert from 'node:assert/strict';
import { wrap } from '@faremeter/fetch';
import { exact } from '@faremeter/payment-evm';
import { evm, Fetch } from 'mppx/client';
import { assets } from 'mppx/evm';
import { contentOf } from './backend.mjs';
import { dollars, baseSepolia } from './chain.mjs';
import { receiptOf } from './client.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /old { x402_protocol v2 v1; x402_price $0.01; proxy_pass ${backend}; }
        location /broken { x402_price $0.01; proxy_pass ${backend}; }
    }`,
    });
});

after(() => stack?.stop());

const clients = {
    '@faremeter/fetch': (payer) => wrap(fetch, {
        handlers: [exact.createPaymentHandler({
            chain: { id: baseSepolia.chainId, name: 'Base Sepolia' }, address: payer.address, account: payer,
        })],
        retryCount: 0,
    }),
    mppx: (payer) => Fetch.from({
        fetch,
        methods: [evm.charge({ account: payer, assets: [assets.baseSepolia.USDC], maxAmount: '0.01' })],
    }),
};

for (const [name, paying] of Object.entries(clients)) {
    for (const path of ['/weather', '/old']) {
        test(`${name} pays for ${path}: one transfer, the content, a true receipt`, async () => {
            const payer = await stack.payer();
            const asked = stack.backend.count(path);
            const response = await paying(payer)(stack.at(path));
            assert.equal(response.status, 200);
            assert.equal(await response.text(), contentOf(path));
            const { success, transaction } = receiptOf(response);
            assert.equal(success, true);
            assert.deepEqual(await stack.spent(payer), [
                { from: payer.address, to: stack.seller.address, value: 10_000n, transaction },
            ]);
            assert.equal(stack.backend.count(path), asked + 1);
        });
    }

    test(`${name} pays for a POST, whose body arrives once`, async () => {
        const payer = await stack.payer();
        const asked = stack.backend.hits.length;
        const response = await paying(payer)(stack.at('/weather'), { method: 'POST', body: '{"city":"ulm"}' });
        assert.equal(response.status, 200);
        await response.arrayBuffer();
        assert.deepEqual(stack.backend.hits.slice(asked).map(({ body }) => body), ['{"city":"ulm"}']);
        assert.equal(await stack.chain.balanceOf(payer.address), dollars(10) - 10_000n);
    });

    test(`${name} keeps its money when the content fails`, async () => {
        const payer = await stack.payer();
        stack.backend.answer('/broken', { status: 500, body: 'sorry' });
        const response = await paying(payer)(stack.at('/broken'));
        assert.equal(response.status, 500);
        await response.arrayBuffer();
        assert.deepEqual(await stack.spent(payer), []);
    });
}
