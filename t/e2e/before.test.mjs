// SPDX-License-Identifier: Apache-2.0
// x402_settle before: the money first, then the work.

import assert from 'node:assert/strict';
import { contentOf } from './backend.mjs';
import { offerOf, payingFetch, receiptOf, signedFor } from './client.mjs';
import { startStack } from './stack.mjs';
import { after, afterEach, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        x402_settle before;
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /broken { x402_price $0.01; proxy_pass ${backend}; }
    }`,
    });
});

afterEach(() => stack?.facilitator.reset());

after(() => stack?.stop());

test('one call settles, and the backend works for money that is already there', async () => {
    const payer = await stack.payer();
    const [verified, settled] = [stack.facilitator.count('/verify'), stack.facilitator.count('/settle')];
    let seen;
    stack.backend.answer('/weather', { before: async () => { seen = (await stack.spent(payer)).length; } });

    const response = await payingFetch(payer)(stack.at('/weather'));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf('/weather'));
    assert.equal(seen, 1, 'paid before the backend was asked');
    const receipt = receiptOf(response);
    assert.equal(receipt.success, true);
    assert.deepEqual(await stack.spent(payer), [{
        from: payer.address, to: stack.seller.address, value: 10_000n, transaction: receipt.transaction,
    }]);
    assert.equal(stack.facilitator.count('/verify'), verified);
    assert.equal(stack.facilitator.count('/settle'), settled + 1);
});

test('a customer without money: the backend is not asked', async () => {
    const payer = await stack.chain.newAccount();
    const asked = stack.backend.count('/weather');
    const response = await payingFetch(payer)(stack.at('/weather'));
    assert.equal(response.status, 402);
    assert.ok(offerOf(response));
    await response.arrayBuffer();
    assert.equal(stack.backend.count('/weather'), asked);
    assert.deepEqual(await stack.spent(payer), []);
});

test('an answer that is lost: unknown, the backend not asked, and never a demand for more money', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/weather'));
    const asked = stack.backend.count('/weather');
    stack.facilitator.next('/settle', { lost: true });

    const unknown = await fetch(stack.at('/weather'), { headers: { 'payment-signature': header } });
    assert.equal(unknown.status, 503);
    assert.equal((await unknown.json()).error, 'settlement_unknown');
    assert.equal(stack.backend.count('/weather'), asked);

    // Whether the second call can prove the first is the facilitator's matter. That the
    // client is not asked to pay again is the module's.
    const again = await fetch(stack.at('/weather'), { headers: { 'payment-signature': header } });
    assert.ok([200, 503].includes(again.status), `status ${again.status}`);
    assert.equal(offerOf(again), undefined);
    await again.arrayBuffer();
    assert.equal((await stack.spent(payer)).length, 1);
});

test('work that failed after it was paid: the receipt says so, and the same payment is served later', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/broken'));
    stack.backend.answer('/broken', { status: 500, body: 'sorry' });

    const failed = await fetch(stack.at('/broken'), { headers: { 'payment-signature': header } });
    assert.equal(failed.status, 500);
    assert.equal(receiptOf(failed).success, true);
    await failed.arrayBuffer();

    stack.backend.answer('/broken', {});
    const served = await fetch(stack.at('/broken'), { headers: { 'payment-signature': header } });
    assert.equal(served.status, 200);
    assert.equal(await served.text(), contentOf('/broken'));
    assert.deepEqual(receiptOf(served), receiptOf(failed));
    assert.equal((await stack.spent(payer)).length, 1);
});
