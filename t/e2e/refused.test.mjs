// SPDX-License-Identifier: Apache-2.0
// Payments that the facilitator or the chain turns down: no content, no transfer.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentOf } from './backend.mjs';
import { offerOf, payingFetch, receiptOf } from './client.mjs';
import { startStack } from './stack.mjs';
import { after, afterEach, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, backend, directory }) => `
    server {
        listen ${listen};
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /big.bin { x402_price $0.01; root ${directory}; }
    }`,
    });
});

afterEach(() => {
    stack?.facilitator.reset();
    stack?.backend.answer('/weather', {});
});

after(() => stack?.stop());

// The payer's purse, emptied by the payer.
async function empties(payer) {
    const elsewhere = await stack.chain.newAccount();
    await stack.chain.send(payer, elsewhere.address, await stack.chain.balanceOf(payer.address));
}

const toSeller = (payer) => stack.chain.transfers({ from: payer.address, to: stack.seller.address });

async function isRefusal(response, content) {
    assert.equal(response.status, 402);
    const body = await response.text();
    assert.ok(!body.includes(content.slice(0, 20)), 'not a byte of the content');
    assert.ok(offerOf(response).accepts.length, 'a fresh offer');
    assert.match(response.headers.get('cache-control'), /no-store/);
}

test('a customer without money: the backend is not asked', async () => {
    const payer = await stack.chain.newAccount();
    const asked = stack.backend.count('/weather');
    const settled = stack.facilitator.count('/settle');
    const response = await payingFetch(payer)(stack.at('/weather'));
    await isRefusal(response, contentOf('/weather'));
    assert.ok(offerOf(response).error);
    assert.equal(stack.backend.count('/weather'), asked);
    assert.equal(stack.facilitator.count('/settle'), settled);
    assert.deepEqual(await stack.spent(payer), []);
});

for (const [how, blindly] of [['before it is sent', false], ['when it is mined', true]]) {
    test(`money that went elsewhere while the content was made: refused ${how}`, async () => {
        const payer = await stack.payer();
        const asked = stack.backend.count('/weather');
        stack.backend.answer('/weather', { before: () => empties(payer) });
        stack.facilitator.sendBlindly(blindly);

        const response = await payingFetch(payer)(stack.at('/weather'));
        await isRefusal(response, contentOf('/weather'));
        const receipt = receiptOf(response);
        assert.equal(receipt.success, false);
        assert.ok(receipt.errorReason);
        assert.equal(stack.backend.count('/weather'), asked + 1, 'the content was made, and kept');
        assert.deepEqual(await toSeller(payer), []);
        assert.equal(await stack.chain.balanceOf(payer.address), 0n);

        // With a transaction on the chain the reader can see that it failed.
        if (blindly) assert.equal((await stack.chain.receipt(receipt.transaction)).status, 'reverted');
    });
}

test('a refused settlement of a large file shows none of it', async () => {
    const payer = await stack.payer();
    const content = 'secret content '.repeat(400_000);
    writeFileSync(join(stack.nginx.directory, 'big.bin'), content);
    stack.facilitator.next('/settle', { before: () => empties(payer) });

    const response = await payingFetch(payer)(stack.at('/big.bin'));
    assert.notEqual(Number(response.headers.get('content-length')), content.length);
    assert.equal(response.headers.get('last-modified'), null, 'none of its headers either');
    await isRefusal(response, content);
    assert.deepEqual(await toSeller(payer), []);
});
