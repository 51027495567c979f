// SPDX-License-Identifier: Apache-2.0
// x402_verify: real signatures checked by nginx itself, or by settle alone.

import assert from 'node:assert/strict';
import { contentOf } from './backend.mjs';
import { offerOf, payingFetch, receiptOf } from './client.mjs';
import { startStack } from './stack.mjs';
import { after, afterEach, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /local   { x402_price $0.01; x402_verify local;   proxy_pass ${backend}; }
        location /trusted { x402_price $0.01; x402_verify trusted; proxy_pass ${backend}; }
        location /off     { x402_price $0.01; x402_verify off;     proxy_pass ${backend}; }
    }`,
    });
});

afterEach(() => stack?.facilitator.reset());

after(() => stack?.stop());

const counts = () => [stack.facilitator.count('/verify'), stack.facilitator.count('/settle')];

// Pays once; tells how many calls to verify and settle it took.
async function pays(payer, path) {
    const [verified, settled] = counts();
    const response = await payingFetch(payer)(stack.at(path));
    const body = await response.text();
    const [verifiedNow, settledNow] = counts();
    return { response, body, calls: [verifiedNow - verified, settledNow - settled] };
}

for (const path of ['/local', '/off']) {
    test(`${path}: one call, and the money moves before the content leaves`, async () => {
        const payer = await stack.payer();
        const { response, body, calls } = await pays(payer, path);
        assert.equal(response.status, 200);
        assert.equal(body, contentOf(path));
        assert.deepEqual(calls, [0, 1]);
        assert.deepEqual(await stack.spent(payer), [{
            from: payer.address, to: stack.seller.address, value: 10_000n,
            transaction: receiptOf(response).transaction,
        }]);
    });
}

test('trusted: three payments are verified, and from then on its signature is enough', async () => {
    const payer = await stack.payer();
    const calls = [];
    for (let i = 0; i < 4; i++) calls.push((await pays(payer, '/trusted')).calls);
    assert.deepEqual(calls, [[1, 1], [1, 1], [1, 1], [0, 1]]);
    assert.equal((await stack.spent(payer)).length, 4);
});

// After this the address of this test is verified for ten minutes: it stands last.
test('a signature is not money: no content, and from then on this client is verified', async () => {
    const poor = await stack.chain.newAccount();
    const asked = stack.backend.count('/local');
    const first = await pays(poor, '/local');
    assert.equal(first.response.status, 402);
    assert.ok(!first.body.includes(contentOf('/local').slice(0, 20)));
    assert.ok(offerOf(first.response).accepts.length);
    assert.deepEqual(first.calls, [0, 1]);
    assert.equal(stack.backend.count('/local'), asked + 1, 'work for nothing');

    const second = await pays(poor, '/local');
    assert.equal(second.response.status, 402);
    assert.equal(second.calls[1], 0);
    assert.equal(stack.backend.count('/local'), asked + 1, 'once');
    assert.deepEqual(await stack.spent(poor), []);
});
