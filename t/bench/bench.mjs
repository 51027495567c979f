// SPDX-License-Identifier: Apache-2.0
// Every server on every path, side by side in one run. Prints the tables and
// leaves them in build/bench as result.json and result.md.
//
//     BENCH_TIME=3 seconds a cell     BENCH_ONLY=free,unpaid     some paths only
import fs from 'node:fs';
import { verifyTypedData } from 'viem';
import * as tools from './process_tools.mjs';
import * as stage from './load_stage.mjs';
import { contestants, decoded, get } from './contestants.mjs';
import { asset, extra } from './terms.mjs';
import { environment, fixed, percent, table } from './report_text.mjs';

const seconds = Number(process.env.BENCH_TIME ?? 3);
const only = process.env.BENCH_ONLY?.split(',');

// `plain`: whose CPU per request is the measure of nginx itself. `rounds`:
// several turns in alternation, of which the median counts, where a difference
// of some percent is looked for. `idle`: what the calls alone take, in ms.
const paths = [
    { name: 'free', title: 'Free location', ask: 'free', connections: 32, plain: 'nginx',
        who: ['nginx', 'module', 'express', 'hono'], rounds: 3 },
    { name: 'unpaid', title: 'Unpaid: 402', ask: 'unpaid', connections: 32, plain: 'stock402',
        who: ['stock402', 'module', 'njs', 'express', 'hono'], rounds: 3 },
    { name: 'paid0', title: 'Paid, facilitator answers at once', ask: 'paid', connections: 32, delay: 0,
        who: ['module', 'two', 'njs', 'floor', 'ledger', 'before', 'auth_request', 'express', 'hono'], rounds: 3 },
    { name: 'paid20', title: 'Paid, 20 ms a call, 512 connections', ask: 'paid', connections: 512, delay: 20,
        who: ['module', 'njs', 'auth_request', 'express', 'hono'] },
    { name: 'paid100', title: 'Paid, 100 ms a call, 1024 connections', ask: 'paid', connections: 1024, delay: 100,
        who: ['module', 'two', 'njs', 'floor', 'auth_request', 'express', 'hono'], rounds: 3 },
    { name: 'latency', title: 'Latency added to calls of 20 ms, 8 connections', ask: 'paid', connections: 8, delay: 20,
        who: ['module', 'before', 'njs', 'auth_request', 'express', 'hono'] },
    { name: 'store16', title: 'Paid, with a store of several machines, 16 connections', ask: 'paid', connections: 16, delay: 0,
        who: ['module', 'store'], rounds: 7 },
    { name: 'store32', title: 'Paid, with a store of several machines, 32 connections', ask: 'paid', connections: 32, delay: 0,
        who: ['module', 'store'], rounds: 7 },
    // One at a time, so that nothing waits for company.
    { name: 'store_latency', title: 'Latency that a store adds, one payment at a time', ask: 'paid', connections: 1, delay: 0,
        who: ['module', 'store'], rounds: 7, pings: true },
    { name: 'https', title: 'Paid, https facilitator answers at once', ask: 'paid', connections: 32, delay: 0, tls: true,
        who: ['module', 'before', 'njs', 'express'] },
];

const one_call = new Set(['before', 'auth_request']);
// What the module is compared with, in the same rounds.
const light = new Set(['nginx', 'stock402', 'module', 'store', 'two', 'njs', 'floor']);

// To a store and back, from where nginx is.
function round_trip(port) {
    return Number(tools.run(tools.pinned(tools.server_core, [tools.program('ping_store'), `port=${port}`]))) / 1000;
}

async function cell(place, name, shared) {
    const who = contestants[name];
    const server = await who.start({ facilitator: await stage.facilitator(place.delay ?? 0, place.tls), ...shared });
    try {
        const result = await stage.load(server, place.ask, { who, file: shared.file,
            words: [`connections=${place.connections}`, `seconds=${seconds}`,
                `warmup=${place.connections > 100 ? 1 : 0.5}`] });
        result.load_busy = result.generator_busy + result.stub_busy;
        if (place.pings && server.store_port) result.ping_us = round_trip(server.store_port);
        if (place.name === 'latency') result.added_ms = result.p50_us / 1000 - place.delay * (one_call.has(name) ? 1 : 2);
        return result;
    } finally { await server.stop(); }
}

async function measure(place, shared) {
    const turns = {};
    for (let round = 0; round < (place.rounds ?? 1); round++) {
        for (const name of place.who) {
            if (round > 0 && !light.has(name)) continue;
            process.stderr.write(`${place.name} ${name}\n`);
            (turns[name] ??= []).push(await cell(place, name, shared));
        }
    }
    const results = {};
    for (const name of place.who) {
        const middle = tools.median(turns[name].map((turn) => turn.cpu_us));
        results[name] = { ...turns[name].find((turn) => turn.cpu_us === middle), turns: turns[name].map((turn) => turn.cpu_us),
            p50s: turns[name].map((turn) => turn.p50_us), pings: turns[name].map((turn) => turn.ping_us) };
    }
    return results;
}

// --- memory ------------------------------------------------------------------

const holds = [
    { title: 'http facilitator', who: ['module', 'module_2k', 'before', 'njs', 'express', 'hono'] },
    { title: 'https facilitator', who: ['module', 'module_2k', 'njs'], tls: true },
];

// All connections ask once and wait for a slow facilitator at the same time.
async function memory_in_flight(shared) {
    const rows = [];
    for (const { title, who, tls } of holds) {
        for (const name of who) {
            process.stderr.write(`memory ${name} ${title}\n`);
            const server = await contestants[name].start({ facilitator: await stage.facilitator(3000, tls), ...shared });
            const result = await stage.load(server, 'paid', { who: contestants[name], file: shared.file,
                words: ['connections=1024', 'requests=1024', 'warmup=0', 'seconds=20'] });
            await server.stop();
            rows.push({ name, title, right: result.right,
                kb: (result.private_most_kb - result.private_begin_kb) / 1024 });
        }
    }
    return rows;
}

// Ten responses of 50 MB, held while the settlement takes a second.
async function memory_held(shared) {
    const file = `${tools.scratch()}/www/big`;
    fs.closeSync(fs.openSync(file, 'w'));
    fs.truncateSync(file, 50 << 20);
    const server = await contestants.module.start({ facilitator: await stage.facilitator(1000),
        paid: 'try_files /big =404;', ...shared });
    const result = await stage.load(server, 'paid', { who: contestants.module, file: shared.file,
        words: ['body=', 'connections=10', 'requests=10', 'warmup=0', 'seconds=30'] });
    await server.stop();
    return { right: result.right, kb: (result.private_most_kb - result.private_begin_kb) / 10 };
}

// --- is what we measure what we say? -------------------------------------------

async function same_bytes(challenge) {
    const server = await contestants.stock402.start({ challenge });
    const answer = await get(server.port, '/paid');
    await server.stop();
    delete answer.headers.date;
    const ours = structuredClone(challenge);
    delete ours.headers.date;
    const sorted = ({ status, headers, body }) => JSON.stringify([status, Object.entries(headers).sort(), body]);
    return sorted(answer) === sorted(ours);
}

async function really_signed({ payment }) {
    const { authorization, signature } = payment.payload;
    const member = (type) => ([name]) => ({ name, type });
    const types = { TransferWithAuthorization: [['from', 'address'], ['to', 'address'], ['value', 'uint256'],
        ['validAfter', 'uint256'], ['validBefore', 'uint256'], ['nonce', 'bytes32']].map(([name, type]) => member(type)([name])) };
    return verifyTypedData({ address: authorization.from, signature, types, primaryType: 'TransferWithAuthorization',
        domain: { ...extra, chainId: 84532, verifyingContract: asset }, message: authorization });
}

// --- the tables ----------------------------------------------------------------

// The module's CPU time in relation to another's of the same round: the median
// of all rounds, and the range.
function pairs_table(place, results) {
    const others = place.who.filter((name) => name !== 'module' && results[name].turns.length > 1);
    const rows = others.map((name) => {
        const of_round = (compare) => results.module.turns.map((cpu, round) => compare(cpu, results[name].turns[round])).sort((a, b) => a - b);
        const spread = (found, digits) => [fixed(tools.median(found), digits), `${fixed(found[0], digits)} to ${fixed(found.at(-1), digits)}`];
        const ratios = of_round((cpu, other) => cpu / other);
        return [contestants[name].title, ...spread(ratios, 2), ...spread(of_round((cpu, other) => other - cpu), 1), ratios.length];
    });
    return table(['CPU of **this module** ÷ that of', 'median', 'range', 'it takes µs more', 'range', 'rounds'], rows);
}

// What a payment waits longer with a store, and what of it is not the three
// round trips that it waits for, in the same round.
function latency_table({ module, store }) {
    const added = store.p50s.map((p50, round) => p50 - module.p50s[round]);
    const rows = [
        ['p50 without a store', module.p50s], ['p50 with a store', store.p50s], ['it adds', added], ['a PING to the store', store.pings],
        ['it adds, without three PINGs', added.map((more, round) => more - 3 * store.pings[round])],
    ].map(([what, values]) => {
        const sorted = [...values].sort((a, b) => a - b);
        return [what, fixed(tools.median(values), 0), `${fixed(sorted[0], 0)} to ${fixed(sorted.at(-1), 0)}`, values.length];
    });
    return table(['µs', 'median', 'range', 'rounds'], rows);
}

function path_table(place, results, all) {
    const plain = all[place.plain ? place.name : 'free']?.[place.plain ?? 'nginx'];
    const { express } = results;
    const rows = place.who.map((name) => {
        const r = results[name];
        return [contestants[name].title, fixed(r.rate, 0), fixed(r.p50_us / 1000, 2), fixed(r.p99_us / 1000, 2),
            ...(place.name === 'latency' ? [fixed(r.added_ms, 2)] : []),
            fixed(r.cpu_us, 1), fixed(r.cpu_us * r.kernel, 1), express ? fixed(express.cpu_us / r.cpu_us, 1) : '', plain ? fixed(r.cpu_us / plain.cpu_us, 2) : '',
            fixed(r.rss_most_kb / 1024, 0), percent(r.server_busy), percent(r.load_busy), percent(r.right, 2)];
    });
    return table(['', 'req/s', 'p50 ms', 'p99 ms', ...(place.name === 'latency' ? ['added ms'] : []), 'CPU µs/req', 'of it kernel',
        'express ÷', '÷ nginx', 'RSS MB', 'server busy', 'load side busy', 'right'], rows);
}

function written(result) {
    const parts = [result.environment.text];
    for (const place of paths.filter(({ name }) => result.paths[name])) {
        parts.push(`### ${place.title}`, path_table(place, result.paths[place.name], result.paths));
        if (place.rounds) parts.push(pairs_table(place, result.paths[place.name]));
        if (place.pings) parts.push(latency_table(result.paths[place.name]));
    }
    if (result.memory) {
        parts.push('### Memory', table(['1024 payments in flight', 'facilitator', 'KB each', 'right'],
            result.memory.map((row) => [contestants[row.name].title, row.title, fixed(row.kb, 1), percent(row.right, 2)])),
        `Ten held responses of 50 MB: ${fixed(result.held.kb, 0)} KB each (right: ${percent(result.held.right)}).`);
    }
    return `${parts.join('\n\n')}\n`;
}

async function main() {
    const began = Date.now();
    const challenge = await stage.challenge();
    const offer = decoded(challenge.headers['payment-required']);
    const file = stage.payments('payments', offer, Math.ceil(25000 * (seconds + 1)));
    stage.payments('payments.up_front', await stage.offer_up_front(), Math.ceil(25000 * (seconds + 1)));
    const shared = { challenge, file };
    const result = { environment: environment(), seconds, paths: {} };
    result.signed = await really_signed(stage.first_payment(file));
    result.same_bytes = await same_bytes(challenge);
    if (!result.signed) throw new Error('the payments are not signed');
    if (!result.same_bytes) throw new Error('`return 402` does not send the bytes of the module');
    for (const place of paths.filter(({ name }) => !only || only.includes(name))) {
        result.paths[place.name] = await measure(place, shared);
    }
    if (!only || only.includes('memory')) {
        result.memory = await memory_in_flight(shared);
        result.held = await memory_held(shared);
    }
    result.took = (Date.now() - began) / 1000;
    fs.writeFileSync(tools.program('result.json'), `${JSON.stringify(result, null, 2)}\n`);
    fs.writeFileSync(tools.program('result.md'), written(result));
    process.stdout.write(`${written(result)}\n${fixed(result.took, 0)} s; also in build/bench/result.json and result.md\n`);
}

await main();
process.exit(0);
