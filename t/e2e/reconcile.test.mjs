// SPDX-License-Identifier: Apache-2.0
// conf-examples/reconcile-ledger.py: the ledger and the chain tell the same, and what is in one of them alone is named.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { payingFetch, receiptOf } from './client.mjs';
import { repository } from './paths.mjs';
import { until } from './process.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;
const ledger = () => join(stack.nginx.directory, 'books');
const lines = () => readFileSync(ledger(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));

before(async () => {
    stack = await startStack({
        extra: '    x402_ledger books;',
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /cheap { x402_price $0.01; proxy_pass ${backend}; }
        location /dear { x402_price $0.25; proxy_pass ${backend}; }
    }`,
    });
});

after(() => stack?.stop());

function reconcile(...options) {
    const { status, stdout, stderr } = spawnSync('python3', [
        join(repository, 'conf-examples', 'reconcile-ledger.py'), '--rpc', stack.chain.url, ...options,
    ], { encoding: 'utf8' });
    return { status, said: stdout + stderr };
}

test('payments: the ledger and the chain agree to the unit', async () => {
    const payer = await stack.payer();
    for (const path of ['/cheap', '/dear', '/cheap']) {
        const response = await payingFetch(payer)(stack.at(path));
        assert.equal(response.status, 200);
        await response.arrayBuffer();
        assert.ok(receiptOf(response).transaction);
    }
    await until('the ledger has them', () => lines().filter(({ event }) => event === 'settled').length === 3);
    const { status, said } = reconcile(ledger());
    assert.equal(status, 0, said);
    assert.match(said, /ledger 270000 units, chain 270000 units/);
    assert.match(said, /everything agrees/);
    assert.equal(await stack.chain.balanceOf(stack.seller.address), 270_000n);
});

test('a payment of which the ledger never learned the outcome is found on the chain', async () => {
    const changed = lines().map((line) => (line.event === 'settled' && line.amount === '250000'
        ? { ...line, event: 'unknown', transaction: null } : line));
    const copy = `${ledger()}.unknown`;
    writeFileSync(copy, `${changed.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const { status, said } = reconcile(copy);
    assert.equal(status, 1, said);
    assert.match(said, /moved, although the ledger says unknown: payment [0-9a-f]{64}, 250000 units/);
});

test('a receiver that was written in other letters for a while is one receiver', () => {
    const copy = `${ledger()}.spelled`;
    writeFileSync(copy, `${lines().map((line, at) => JSON.stringify(at ? line
        : { ...line, pay_to: line.pay_to.toLowerCase(), asset: line.asset.toLowerCase() })).join('\n')}\n`);
    const { status, said } = reconcile(copy);
    assert.equal(status, 0, said);
    assert.match(said, /ledger 270000 units, chain 270000 units/);
});

test('what is in one of them alone is named', async () => {
    const [first] = lines().filter(({ event }) => event === 'settled');
    const invented = { ...first, payment_id: 'f'.repeat(64), transaction: `0x${'e'.repeat(64)}` };
    const without = lines().filter(({ payment_id: id }) => id !== first.payment_id);
    const copy = `${ledger()}.changed`;
    writeFileSync(copy, `${[...without, invented].map((line) => JSON.stringify(line)).join('\n')}\n`);
    const { status, said } = reconcile('--from-block', '0', copy);
    assert.equal(status, 1, said);
    assert.match(said, new RegExp(`only in the ledger: payment ${invented.payment_id}, 10000 units`));
    assert.match(said, new RegExp(`only on the chain: transaction ${first.transaction}, 10000 units from ${first.payer}`, 'i'));
});

test('trouble has a status of its own', () => {
    assert.equal(reconcile(`${ledger()}.none`).status, 2);
    const { status, stderr } = spawnSync('python3', [
        join(repository, 'conf-examples', 'reconcile-ledger.py'), '--rpc', 'http://127.0.0.1:1', ledger(),
    ], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /eth_chainId/);
});

test('sums of the ledger alone are exact, one for each network and token', () => {
    const copy = `${ledger()}.sums`;
    const line = (words) => JSON.stringify({ event: 'settled', time: '2026-01-01T00:00:00.000Z', payment_id: null,
        network: 'eip155:1', asset: '0xa', symbol: 'USDC', amount: '1', amount_decimal: '0.000001', ...words });
    writeFileSync(copy, [line({ payment_id: 'a', amount: '10000', amount_decimal: '0.01' }),
        line({ payment_id: 'b', event: 'unknown' }), line({ payment_id: 'b', event: 'resolved' }),
        line({ payment_id: 'c', event: 'closed' }), line({ network: 'eip155:2' }), line({ network: 'eip155:2' }),
        line({ asset: '0xb', symbol: null, amount: '10000000000000000000001', amount_decimal: null }),
        '{"event":"would_charge"}', ''].join('\n'));
    const sum = (file) => spawnSync('python3', [join(repository, 'conf-examples', 'reconcile-ledger.py'), '--sum', file],
        { encoding: 'utf8' });
    const { status, stdout } = sum(copy);
    assert.equal(status, 0);
    assert.equal(stdout, 'eip155:1, token 0xa: 10001 units (0.010001 USDC), payments: 2\n'
        + 'eip155:1, token 0xb: 10000000000000000000001 units, payments: 1\n'
        + 'eip155:2, token 0xa: 2 units (0.000002 USDC), payments: 2\n');
    writeFileSync(copy, `${line({ asset: '0xAb', payment_id: 'a' })}\n${line({ asset: '0xaB', payment_id: 'b' })}\n`);
    assert.equal(sum(copy).stdout, 'eip155:1, token 0xAb: 2 units (0.000002 USDC), payments: 2\n', 'one token in two spellings');
    writeFileSync(copy, '');
    assert.deepEqual([sum(copy).status, sum(copy).stdout], [0, 'no revenue in this ledger\n']);
    for (const text of [line({ amount: '9'.repeat(5000) }), '['.repeat(100000), '5', '[]', '{"event":"settled","payment_id":"x"}', '\u00ff{', '{"event":']) {
        writeFileSync(copy, `${text}\n${line({})}\n`);
        const damaged = sum(copy);
        assert.equal(damaged.status, 2, text.slice(0, 80));
        assert.match(damaged.stderr, /:1: not a line of a ledger, passed over/);
        assert.match(damaged.stdout, /0xa: 1 units/);
    }
});
