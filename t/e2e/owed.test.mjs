// SPDX-License-Identifier: Apache-2.0
// Paid and not delivered. The official client never presents a payment again: it signs a new one. It is
// charged once, and gets the content once.

import assert from 'node:assert/strict';
import { contentOf } from './backend.mjs';
import { payingFetch, receiptOf, signedFor } from './client.mjs';
import { until } from './process.mjs';
import { startStack } from './stack.mjs';
import { after, afterEach, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        workers: 2,
        servers: ({ listen, backend }) => `
    server {
        listen ${listen} reuseport;
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /first { x402_price $0.01; x402_settle before; proxy_pass ${backend}; }
    }`,
    });
});

afterEach(() => {
    stack?.facilitator.reset();
    stack?.backend.answer('/first', {});
});

after(() => stack?.stop());

// By the official client: the content, under the receipt of the one transfer there was.
async function comesForIt(payer, path) {
    const earned = await stack.chain.balanceOf(stack.seller.address);
    const owned = await stack.chain.balanceOf(payer.address);
    const settled = await stack.spent(payer);
    assert.equal(settled.length, 1, 'charged before');
    const asked = stack.backend.count(path);

    const response = await payingFetch(payer)(stack.at(path));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf(path));
    assert.equal(stack.backend.count(path), asked + 1);
    assert.equal(await stack.chain.balanceOf(stack.seller.address), earned, 'the seller gets nothing more');
    assert.equal(await stack.chain.balanceOf(payer.address), owned, 'the payer pays nothing more');
    return { receipt: receiptOf(response), transaction: settled[0].transaction };
}

// And only once: the next time is a purchase.
async function paysForTheNext(payer, path) {
    const response = await payingFetch(payer)(stack.at(path));
    assert.equal(response.status, 200);
    await response.arrayBuffer();
    const spent = await stack.spent(payer);
    assert.equal(spent.length, 2);
    assert.equal(receiptOf(response).transaction, spent[1].transaction);
}

test('the client leaves while its payment is settled, and signs a new payment', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/weather'));
    const settled = stack.facilitator.count('/settle');
    const leaving = new AbortController();
    stack.facilitator.next('/settle', { late: 4_000 });
    const lost = fetch(stack.at('/weather'), { headers: { 'payment-signature': header }, signal: leaving.signal });
    lost.catch(() => {});
    await until('it is being settled', () => stack.facilitator.count('/settle') > settled);
    leaving.abort();
    await assert.rejects(lost);
    await until('the money moved', async () => (await stack.spent(payer)).length === 1);
    await until('the answer came', async () => stack.nginx.errorLog().includes('content owed'));

    const { receipt, transaction } = await comesForIt(payer, '/weather');
    assert.equal(receipt.transaction, transaction, 'the old receipt');
    assert.equal(stack.facilitator.count('/settle'), settled + 1, 'the new payment was not settled');
    await paysForTheNext(payer, '/weather');
});

test('content fails after it was paid for, and the client signs a new payment', async () => {
    const payer = await stack.payer();
    stack.backend.answer('/first', { status: 500, body: 'out of order' });
    const failed = await payingFetch(payer)(stack.at('/first'));
    assert.equal(failed.status, 500);
    assert.equal(receiptOf(failed).success, true);
    await failed.arrayBuffer();

    stack.backend.answer('/first', {});
    const { receipt, transaction } = await comesForIt(payer, '/first');
    assert.equal(receipt.transaction, transaction, 'the old receipt');
    await paysForTheNext(payer, '/first');
});

test('the money moved and the answer is lost: the client signs a new payment, and the old payment is found', async () => {
    const payer = await stack.payer();
    stack.facilitator.next('/settle', { lost: true });
    const lost = await payingFetch(payer)(stack.at('/weather'));
    assert.equal(lost.status, 503);
    assert.deepEqual(await lost.json(), { error: 'settlement_unknown', charged: 'unknown' });

    const { receipt } = await comesForIt(payer, '/weather');
    assert.equal(receipt.success, true);
    await paysForTheNext(payer, '/weather');
});
