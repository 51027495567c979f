// SPDX-License-Identifier: Apache-2.0
// Settlements whose outcome did not come back.

import assert from 'node:assert/strict';
import { contentOf } from './backend.mjs';
import { network } from './chain.mjs';
import { offerOf, receiptOf, signedFor } from './client.mjs';
import { startStack } from './stack.mjs';
import { after, afterEach, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        extra: '    x402_facilitator_timeout connect=5s verify=20s settle=8s;',
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /other { x402_price $0.01; proxy_pass ${backend}; }
    }`,
    });
});

afterEach(() => stack?.facilitator.reset());

after(() => stack?.stop());

const presented = (path, header) => fetch(stack.at(path), { headers: { 'payment-signature': header } });

async function isUnknown(response) {
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), { error: 'settlement_unknown', charged: 'unknown' });
    // Clients read either of these as an invitation to pay again.
    assert.equal(offerOf(response), undefined);
    assert.equal(receiptOf(response), undefined);
    assert.match(response.headers.get('cache-control'), /no-store/);
}

async function isDelivery(response, payer) {
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf('/weather'));
    const receipt = receiptOf(response);
    assert.equal(receipt.success, true);
    assert.equal(receipt.network, network);
    assert.equal(receipt.payer.toLowerCase(), payer.address.toLowerCase());
    return receipt;
}

for (const [how, fault] of [['is lost', { lost: true }], ['comes too late', { late: 13_000 }]]) {
    test(`the money moved, the answer ${how}: unknown, then the same payment is served`, async () => {
        const payer = await stack.payer();
        const header = await signedFor(payer, stack.at('/weather'));
        stack.facilitator.next('/settle', fault);

        await isUnknown(await presented('/weather', header));
        assert.equal((await stack.spent(payer)).length, 1, 'the money did move');

        const others = stack.backend.count('/other');
        const elsewhere = await presented('/other', header);
        assert.equal(elsewhere.status, 503, 'not for another resource');
        await elsewhere.arrayBuffer();
        assert.equal(stack.backend.count('/other'), others);

        await isDelivery(await presented('/weather', header), payer);
        assert.equal((await stack.spent(payer)).length, 1, 'and did not move again');

        const third = await presented('/weather', header);
        assert.equal(third.status, 402);
        assert.equal(offerOf(third).error, 'payment_already_used');
        await third.arrayBuffer();
    });
}

test('the money did not move and nobody said so: presented again, it is settled then', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/weather'));
    stack.facilitator.next('/settle', { status: 500, body: 'out of order' });

    await isUnknown(await presented('/weather', header));
    assert.deepEqual(await stack.spent(payer), []);

    const receipt = await isDelivery(await presented('/weather', header), payer);
    assert.equal((await stack.chain.receipt(receipt.transaction)).status, 'success');
    assert.equal((await stack.spent(payer)).length, 1);
});

test('still no answer: still unknown, and never a demand for money', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/weather'));
    for (let i = 0; i < 3; i += 1) stack.facilitator.next('/settle', { lost: true });
    for (let i = 0; i < 3; i += 1) await isUnknown(await presented('/weather', header));
    await isDelivery(await presented('/weather', header), payer);
    assert.equal((await stack.spent(payer)).length, 1);
});
