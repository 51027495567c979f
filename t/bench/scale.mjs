// SPDX-License-Identifier: Apache-2.0
// What a request costs when there is more of something: locations, ways to pay,
// payments remembered, bytes in a payment, payments in flight, workers, a disk
// that is waited for. CPU time is measured on a live server, instructions are
// counted by callgrind.
//
//     BENCH_TIME=3 seconds a cell     BENCH_ONLY=zone,workers     some tables only
//     BENCH_CLAIMS=1000000 payments in the largest zone
import fs from 'node:fs';
import path from 'node:path';
import * as tools from './process_tools.mjs';
import * as stage from './load_stage.mjs';
import { contestants, decoded, get, module_options } from './contestants.mjs';
import { count, count_reading, many_locations, start_counted } from './instruction_count.mjs';
import { environment, fixed, percent, table } from './report_text.mjs';
import { price } from './terms.mjs';

const seconds = Number(process.env.BENCH_TIME ?? 3);
const most_claims = Number(process.env.BENCH_CLAIMS ?? 1e6);
const only = process.env.BENCH_ONLY?.split(',');

const say = (text) => process.stderr.write(`${text}\n`);

// Unpaid and paid requests of one configuration, counted and timed.
async function both(options, { words = [], payment_bytes = 1100 } = {}) {
    const facilitator = await stage.facilitator(0);
    const whole = { facilitator, zone: 'bench:400m', ...options };
    let server = await contestants.module.start(whole);
    const answer = await get(server.port, '/paid');
    const offer = decoded(answer.headers['payment-required']);
    const number = Math.min(20000 * (seconds + 1), Math.floor(2e8 / payment_bytes));
    const file = stage.payments('scale', offer, number, words);
    const timed = {};
    for (const ask of ['unpaid', 'paid']) {
        timed[ask] = await stage.load(server, ask, { file, words: [`seconds=${seconds}`] });
    }
    await server.stop();
    server = await start_counted(module_options({ ...whole, zone: 'bench:10m' }));
    const counted = {};
    for (const ask of ['unpaid', 'paid']) counted[ask] = await count(server, ask, { file, requests: 300, warmup: 100 });
    await server.stop();
    return { header: stage.first_payment(file).value.length, offer: answer.headers['payment-required'].length,
        right: Math.min(timed.unpaid.right, timed.paid.right), rss: timed.unpaid.rss_most_kb,
        numbers: [counted.unpaid.instructions, timed.unpaid.cpu_us, counted.paid.instructions, timed.paid.cpu_us] };
}

const both_head = ['unpaid: instructions', 'CPU µs', 'paid: instructions', 'CPU µs', 'right'];
const both_cells = ({ numbers, right }) => [...numbers.map((n, i) => fixed(n, i % 2)), percent(right)];

async function locations() {
    const rows = [];
    for (const number of [1, 100, 1000]) {
        say(`locations ${number}`);
        const others = Array.from({ length: number - 1 }, (_, i) => `location /item${i}/ { x402_price $0.${100 + i}; }`).join('\n');
        const result = await both({ server: `${others}\nlocation /paid { x402_price ${price}; }` });
        rows.push([number, ...both_cells(result), fixed(result.rss / 1024, 1)]);
    }
    return table(['locations, each with a price', ...both_head, 'MB, master and worker'], rows);
}

// What reading a configuration costs: nginx -t, and the memory of the process
// that keeps it.
async function read_configuration(options) {
    const { words, ...counted } = await count_reading(options);
    const times = Array.from({ length: 5 }, () => {
        const began = process.hrtime.bigint();
        tools.run([tools.nginx_path, ...words], { stdio: 'ignore' });
        return Number(process.hrtime.bigint() - began) / 1e6;
    });
    return { ms: tools.median(times), ...counted };
}

async function configurations() {
    const kinds = {
        'no price': () => '',
        'the same price': () => `x402_price ${price};`,
        'a price of its own': (i) => `x402_price $0.${10000 + i};`,
    };
    const facilitator = await stage.facilitator(0);
    const rows = [];
    for (const number of [1000, 5000]) {
        let plain;
        for (const [title, words] of Object.entries(kinds)) {
            say(`configuration ${number}, ${title}`);
            const server = many_locations(number, words);
            const found = await read_configuration(module_options({ facilitator, zone: 'bench:1m', server }));
            plain ??= found;
            rows.push([number, title, fixed(found.ms, 0), fixed(found.ms / plain.ms, 2), fixed(found.instructions / 1e6, 0),
                fixed(found.instructions / plain.instructions, 2), fixed((found.kb - plain.kb) / number, 1)]);
        }
    }
    return table(['locations', 'each with', '`nginx -t` ms', '÷ no price', 'million instructions', '÷ no price', 'KB more each'], rows);
}

async function accepts() {
    const rows = [];
    for (const number of [1, 5, 10]) {
        say(`accepts ${number}`);
        const networks = ['base', 'polygon', 'avalanche'];
        const others = Array.from({ length: number - 1 },
            (_, i) => `x402_accept network=${networks[i % 3]} price=0.${i + 2};`).join(' ');
        const result = await both({ server: `location /paid { ${others} x402_accept network=base-sepolia price=0.01; }` },
            { words: [`way=${number - 1}`] });
        rows.push([number, result.offer, ...both_cells(result)]);
    }
    return table(['ways to pay, the last one is used', 'offer bytes', ...both_head], rows);
}

async function payloads() {
    const rows = [];
    for (const filler of [0, 2500, 7000, 22000]) {
        say(`payload ${filler}`);
        const result = await both({ header_buffers: '4 64k' }, { words: [`filler=${filler}`], payment_bytes: 1100 + filler * 1.4 });
        rows.push([result.header, ...both_cells(result).slice(2)]);
    }
    return table(['bytes of the payment header', ...both_head.slice(2)], rows);
}

// Zones just large enough, filled with delivered payments first.
async function zones() {
    const rows = [];
    const facilitator = await stage.facilitator(0);
    const offer = await stage.offer_up_front();
    for (let claims = 1000; claims <= most_claims; claims *= 10) {
        say(`zone ${claims}`);
        const zone = `bench:${Math.max(64, Math.ceil(claims * 745 / 1024))}k`;
        const server = await contestants.before.start({ facilitator, zone });
        let right = 1;
        for (let filled = 0, slice = 0; filled < claims; slice++) {
            const part = Math.min(100000, claims - filled);
            const file = stage.payments('filling', offer, part, [`seed=${slice + 2}`]);
            const result = await stage.load(server, 'paid', { file, words: ['connections=32', 'warmup=0', 'seconds=3600'] });
            right = Math.min(right, result.right);
            filled += part;
        }
        const file = stage.payments('scale', offer, 20000 * (seconds + 1));
        const result = await stage.load(server, 'paid', { file, words: [`seconds=${seconds}`] });
        await server.stop();
        rows.push([claims, zone.split(':')[1], fixed(result.cpu_us, 1), percent(Math.min(right, result.right))]);
    }
    return table(['payments remembered', 'zone', 'paid (`settle before`): CPU µs', 'right'], rows);
}

// Client and facilitator connections come out of one limit of open files, and
// nginx closes clients that have asked nothing yet when a sixteenth is left.
async function in_flight() {
    const limit = Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/Max open files\s+(\d+)/)[1]);
    const rows = [];
    const offer = decoded((await stage.challenge()).headers['payment-required']);
    const file = stage.payments('scale', offer, 12000);
    for (const wanted of [100, 1000, 10000]) {
        const number = Math.min(wanted, Math.floor((limit - 100) * 15 / 16 / 2));
        say(`in flight ${number}`);
        const server = await contestants.module.start({ facilitator: await stage.facilitator(number > 5000 ? 15000 : 5000), zone: 'bench:40m',
            calls: 4 * number + 8, connections: limit - 20 });
        const result = await stage.load(server, 'paid', { file,
            words: [`connections=${number}`, `requests=${number}`, 'warmup=0', 'seconds=120'] });
        await server.stop();
        rows.push([number, fixed((result.private_most_kb - result.private_begin_kb) / number, 1), fixed(result.cpu_us, 1),
            fixed(result.p99_us / 1000, 0), percent(result.right, 2)]);
    }
    return table(['payments in flight (calls of 5 s; the last row 15 s)', 'KB each', 'CPU µs each', 'p99 ms', 'right'], rows);
}

// Not pinned: all cores serve, and the load side takes its share of them.
async function workers() {
    const rows = [];
    const offer = decoded((await stage.challenge()).headers['payment-required']);
    const file = stage.payments('scale', offer, Math.ceil(25000 * (seconds + 1)));
    for (const number of [1, 2, 8]) {
        say(`workers ${number}`);
        const server = await contestants.module.start({ facilitator: await stage.facilitator(0), workers: number, core: undefined });
        const cells = [];
        for (const ask of ['unpaid', 'paid']) {
            const result = await stage.load(server, ask, { file, words: [`seconds=${seconds}`, 'connections=64'] });
            cells.push(fixed(result.rate, 0), fixed(result.cpu_us, 1), percent(result.right));
        }
        await server.stop();
        rows.push([number, ...cells]);
    }
    return table(['workers', 'unpaid: req/s', 'CPU µs', 'right', 'paid: req/s', 'CPU µs', 'right'], rows);
}

// A journal that is synced, on disks that take their time; two workers share
// each flush. Not pinned.
async function disks() {
    const rows = [];
    const shim = path.join(tools.top, 'build/chaos/fault_shim.so');
    const offer = decoded((await stage.challenge()).headers['payment-required']);
    const cases = [['no journal', '', 0], ['sync=off', 'sync=off', 0],
        ...[0, 1, 5, 20].map((delay) => [`sync=on, fdatasync + ${delay} ms`, 'sync=on', delay])];
    for (const [name, words, delay] of cases) {
        for (const connections of [8, 256]) {
            say(`disk: ${name}, ${connections} connections`);
            const file = stage.payments('scale', offer, Math.ceil(12000 * (seconds + 1)));
            const control = path.join(tools.scratch(), 'control');
            const journal = path.join(tools.scratch(), `journal-${rows.length}`);
            const shared = Buffer.alloc(64);
            shared.writeBigInt64LE(BigInt(delay * 1000), 32);
            fs.writeFileSync(control, shared);
            const server = await contestants.module.start({ facilitator: await stage.facilitator(0), workers: 2, core: undefined,
                zone: `bench:100m ${words && `journal=${journal} ${words}`}`,
                under: ['env', `LD_PRELOAD=${shim}`, `CHAOS_CONTROL=${control}`] });
            const result = await stage.load(server, 'paid', { file, words: [`seconds=${seconds}`, `connections=${connections}`] });
            const flushes = Number(fs.readFileSync(control).readBigInt64LE(48));
            await server.stop();
            rows.push([name, connections, fixed(result.rate, 0), fixed(result.p50_us / 1000, 1), fixed(result.p99_us / 1000, 1),
                flushes ? fixed(flushes / result.answers, 2) : '', percent(result.right)]);
        }
    }
    return table(['journal', 'connections', 'payments/s', 'p50 ms', 'p99 ms', 'flushes per payment', 'right'], rows);
}

const tables = {
    locations: ['Locations', locations], configuration: ['Reading a configuration', configurations],
    accepts: ['Ways to pay', accepts], payload: ['Size of a payment', payloads],
    zone: ['Payments remembered', zones], flight: ['Payments in flight', in_flight], workers: ['Workers', workers],
    disk: ['A journal that is synced', disks],
};

// Each table in a file of its own: some can be made again, and the others stay.
const kept = tools.program('scale');
fs.mkdirSync(kept, { recursive: true });
for (const [name, [title, make]] of Object.entries(tables)) {
    if (only && !only.includes(name)) continue;
    const where = environment().text;
    fs.writeFileSync(`${kept}/${name}.md`, `### ${title}\n\n${await make()}\n\n${where}\n`);
}
const all = Object.keys(tables).map((name) => `${kept}/${name}.md`).filter(fs.existsSync)
    .map((file) => fs.readFileSync(file, 'utf8')).join('\n');
fs.writeFileSync(tools.program('scale.md'), all);
console.log(`${all}\nalso in build/bench/scale.md`);
process.exit(0);
