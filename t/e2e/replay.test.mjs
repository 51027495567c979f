// SPDX-License-Identifier: Apache-2.0
// One payment, presented more than once.

import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { contentOf } from './backend.mjs';
import { offerOf, receiptOf, signedFor } from './client.mjs';
import { until } from './process.mjs';
import { startStack } from './stack.mjs';
import { after, afterEach, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        workers: 2,
        // reuseport: the kernel deals connections out to both workers.
        servers: ({ listen, backend }) => `
    server {
        listen ${listen} reuseport;
        location /worker { return 200 $pid; }
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /other { x402_price $0.01; proxy_pass ${backend}; }
    }`,
    });
});

afterEach(() => stack?.backend.answer('/weather', {}));

after(() => stack?.stop());

const presented = (path, header) => fetch(stack.at(path), { headers: { 'payment-signature': header } });

// A connection of its own, that stays with the worker it came to.
async function connection() {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (path, headers = {}) => new Promise((resolve, reject) => {
        get(stack.at(path), { agent, headers }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('end', () => resolve({
                status: response.statusCode,
                headers: new Headers(response.headers),
                body: Buffer.concat(parts).toString('utf8'),
            }));
            response.on('error', reject);
        }).on('error', reject);
    });
    const { body: worker } = await ask('/worker');
    return { worker, ask, close: () => agent.destroy() };
}

// Five connections to each of the two workers.
async function tenConnections() {
    const chosen = [];
    await until('both workers have five connections', async () => {
        const one = await connection();
        const same = chosen.filter(({ worker }) => worker === one.worker).length;
        if (same < 5) chosen.push(one);
        else one.close();
        return chosen.length === 10;
    });
    return chosen;
}

test('ten copies at once, at both workers: one delivery, one execution, one transfer', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/weather'));
    const settled = stack.facilitator.count('/settle');
    stack.backend.answer('/weather', { delay: 300 });
    const connections = await tenConnections();
    assert.equal(new Set(connections.map(({ worker }) => worker)).size, 2);

    const answers = await Promise.all(connections.map(({ ask }) => ask('/weather', { 'payment-signature': header })));
    connections.forEach((one) => one.close());

    const delivered = answers.filter(({ status }) => status === 200);
    assert.equal(delivered.length, 1, `statuses: ${answers.map(({ status }) => status)}`);
    assert.equal(delivered[0].body, contentOf('/weather'));
    assert.equal(receiptOf(delivered[0]).success, true);
    for (const other of answers.filter(({ status }) => status !== 200)) {
        assert.ok([402, 409].includes(other.status), `status ${other.status}`);
        assert.ok(!other.body.includes('sunny'));
        assert.equal(receiptOf(other), undefined);
        // 409 says that another request uses it. A fresh offer with it would invite to pay twice.
        if (other.status === 409) assert.equal(offerOf(other), undefined);
    }
    assert.equal(stack.backend.count('/weather'), 1);
    assert.equal(stack.facilitator.count('/settle'), settled + 1);
    assert.equal((await stack.spent(payer)).length, 1);
});

test('a used payment buys nothing more, there or elsewhere', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/weather'));
    const first = await presented('/weather', header);
    assert.equal(first.status, 200);
    await first.arrayBuffer();

    const [hits, calls] = [stack.backend.hits.length, stack.facilitator.calls.length];
    for (const path of ['/other', '/weather?second', '/weather', '/./weather', '/%77eather']) {
        const response = await presented(path, header);
        assert.equal(response.status, 402, path);
        assert.equal(offerOf(response).error, 'payment_already_used', path);
        assert.doesNotMatch(await response.text(), /sunny/);
    }
    assert.equal(stack.backend.hits.length, hits, 'the backend was not asked');
    assert.equal(stack.facilitator.calls.length, calls, 'nor the facilitator');
    assert.equal((await stack.spent(payer)).length, 1);
});

test('a payment at work for one resource does not serve another meanwhile', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/weather'));
    stack.backend.answer('/weather', { delay: 500 });
    const others = stack.backend.count('/other');
    const earlier = stack.backend.count('/weather');

    const first = presented('/weather', header);
    await until('the backend is at work', () => stack.backend.count('/weather') > earlier);
    const second = await presented('/other', header);
    assert.ok([402, 409, 503].includes(second.status), `status ${second.status}`);
    await second.arrayBuffer();

    const delivered = await first;
    assert.equal(delivered.status, 200);
    assert.equal(await delivered.text(), contentOf('/weather'));
    assert.equal(stack.backend.count('/other'), others);
    assert.equal((await stack.spent(payer)).length, 1);
});
