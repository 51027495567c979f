// SPDX-License-Identifier: Apache-2.0
// One customer, one payment, one delivery.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentOf } from './backend.mjs';
import { asset, network } from './chain.mjs';
import { offerOf, payingFetch, receiptOf, signedFor } from './client.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, backend, directory }) => `
    server {
        listen ${listen};
        location /free { proxy_pass ${backend}; }
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /missing { x402_price $0.01; proxy_pass ${backend}; }
        location /broken { x402_price $0.01; proxy_pass ${backend}; }
        location /files/ { x402_price $0.25; root ${directory}; }
    }`,
    });
});

after(() => stack?.stop());

// Nothing moved but this one payment.
async function paidExactly(payer, amount, transaction) {
    const spent = await stack.spent(payer);
    assert.deepEqual(spent, [{ from: payer.address, to: stack.seller.address, value: amount, transaction }]);
}

test('a free location stays free', async () => {
    const response = await fetch(stack.at('/free'));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf('/free'));
    assert.equal(offerOf(response), undefined);
});

test('an unpaid request gets the offer; neither the backend nor the facilitator hears of it', async () => {
    const calls = stack.facilitator.calls.length;
    for (const init of [{}, { method: 'POST', body: 'order' }, { method: 'HEAD' }]) {
        const response = await fetch(stack.at('/weather?city=ulm'), init);
        assert.equal(response.status, 402);
        assert.match(response.headers.get('cache-control'), /no-store/);
        const offer = offerOf(response);
        assert.equal(offer.x402Version, 2);
        assert.equal(offer.resource.url, stack.at('/weather?city=ulm'));
        assert.deepEqual(offer.accepts, [{
            scheme: 'exact',
            network,
            amount: '10000',
            asset,
            payTo: stack.seller.address,
            maxTimeoutSeconds: 300,
            extra: { name: 'USDC', version: '2' },
        }]);
        assert.doesNotMatch(await response.text(), /sunny/);
    }
    assert.equal(stack.backend.count('/weather'), 0);
    assert.equal(stack.facilitator.calls.length, calls);
});

test('one payment by the official client: one transfer of the price, the content, a true receipt', async () => {
    const payer = await stack.payer();
    const { chain, seller, facilitator, backend } = stack;
    const earned = await chain.balanceOf(seller.address);
    const owned = await chain.balanceOf(payer.address);
    const [verified, settled, asked] = [
        facilitator.count('/verify'), facilitator.count('/settle'), backend.count('/weather'),
    ];

    const response = await payingFetch(payer)(stack.at('/weather'));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf('/weather'));
    assert.match(response.headers.get('cache-control'), /private/);

    const receipt = receiptOf(response);
    assert.equal(receipt.success, true);
    assert.equal(receipt.network, network);
    assert.equal(receipt.payer.toLowerCase(), payer.address.toLowerCase());
    assert.equal((await chain.receipt(receipt.transaction)).status, 'success');

    await paidExactly(payer, 10_000n, receipt.transaction);
    assert.equal(await chain.balanceOf(seller.address), earned + 10_000n);
    assert.equal(await chain.balanceOf(payer.address), owned - 10_000n);

    assert.equal(facilitator.count('/verify'), verified + 1);
    assert.equal(facilitator.count('/settle'), settled + 1);
    assert.equal(backend.count('/weather'), asked + 1);
    const { headers } = backend.hits[backend.hits.length - 1];
    assert.equal(headers['payment-signature'], undefined, 'the payment is not for the backend');
});

test('a payment with a body to deliver: the backend gets it, once', async () => {
    const payer = await stack.payer();
    const asked = stack.backend.count('/weather');
    const response = await payingFetch(payer)(stack.at('/weather'), { method: 'POST', body: 'x'.repeat(100_000) });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf('/weather'));
    await paidExactly(payer, 10_000n, receiptOf(response).transaction);
    const mine = stack.backend.hits.filter((hit) => hit.path === '/weather').slice(asked);
    assert.deepEqual(mine.map(({ method }) => method), ['POST']);
});

for (const [path, status] of [['/missing', 404], ['/broken', 500]]) {
    test(`content that failed with ${status} costs nothing, and the payment can still buy something`, async () => {
        const payer = await stack.payer();
        const settled = stack.facilitator.count('/settle');
        stack.backend.answer(path, { status, body: 'nothing here' });

        const header = await signedFor(payer, stack.at(path));
        const failed = await fetch(stack.at(path), { headers: { 'payment-signature': header } });
        assert.equal(failed.status, status);
        assert.equal(await failed.text(), 'nothing here');
        assert.equal(receiptOf(failed), undefined);
        assert.equal(offerOf(failed), undefined);
        assert.deepEqual(await stack.spent(payer), []);
        assert.equal(stack.facilitator.count('/settle'), settled);

        stack.backend.answer(path, {});
        const served = await fetch(stack.at(path), { headers: { 'payment-signature': header } });
        assert.equal(served.status, 200);
        assert.equal(await served.text(), contentOf(path));
        await paidExactly(payer, 10_000n, receiptOf(served).transaction);
    });

    test(`the official client sees the ${status} and keeps its money`, async () => {
        const payer = await stack.payer();
        stack.backend.answer(path, { status, body: 'nothing here' });
        const response = await payingFetch(payer)(stack.at(path));
        assert.equal(response.status, status);
        assert.equal(receiptOf(response), undefined);
        assert.deepEqual(await stack.spent(payer), []);
    });
}

test('50 MB from the disk arrive whole, for one payment', async () => {
    const payer = await stack.payer();
    const content = randomBytes(50 << 20);
    const directory = join(stack.nginx.directory, 'files');
    mkdirSync(directory);
    writeFileSync(join(directory, 'big.bin'), content);

    const response = await payingFetch(payer)(stack.at('/files/big.bin'));
    assert.equal(response.status, 200);
    assert.equal(Number(response.headers.get('content-length')), content.length);
    const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
    assert.equal(digest(Buffer.from(await response.arrayBuffer())), digest(content));
    await paidExactly(payer, 250_000n, receiptOf(response).transaction);
});
