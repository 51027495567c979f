// SPDX-License-Identifier: Apache-2.0
// Instructions per request of the main paths against t/bench/baseline.json.
// Ends with 1 when one is worse by more than the tolerance. The numbers belong
// to versions of nginx, the compiler and the libraries: with others nothing can
// be compared, and that is an error too (2). UPDATE=1 writes the baseline.
import fs from 'node:fs';
import path from 'node:path';
import * as tools from './process_tools.mjs';
import * as stage from './load_stage.mjs';
import { price } from './terms.mjs';
import { contestants, decoded, get, module_options, with_store } from './contestants.mjs';
import { by_function, by_library, count, count_heap, count_reading, many_locations, start_counted, start_heap_counted } from './instruction_count.mjs';
import { fixed, read_json, same_versions, table, versions } from './report_text.mjs';

const baseline_file = path.join(tools.here, 'baseline.json');
const tolerance = 0.03;
// Of a payment with a store, beyond those of one without. What comes by the
// clock is in it, so that it is not 0.
const most_allocations_more = 0.2;
// With many at once the events come in another order each time.
const tolerance_of = (name) => (name.includes('at once') ? 0.05 : tolerance);

// Offers that are more than one constant way to pay: each a small multiple of
// the plain 402.
function odd_offers() {
    const declaration = path.join(tools.scratch(), 'bazaar.json');
    fs.writeFileSync(declaration, JSON.stringify({
        info: { input: { type: 'http', queryParams: { city: 'Berlin' } }, output: { type: 'json', example: { degrees: 21 } } },
        schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', required: ['input'],
            properties: { input: { type: 'object', properties: { queryParams: { type: 'object',
                properties: { city: { type: 'string' } } } }, required: ['type'] } } },
    }));
    const location = (words) => `location /paid { ${words} }`;
    return [
        ['unpaid, price of a variable', `set $cost 0.01; ${location('x402_price $cost;')}`],
        ['unpaid, page for a browser', location(`x402_price ${price}; x402_paywall on;`),
            ['ask=Accept: text/html|User-Agent: Mozilla/5.0 (X11; Linux x86_64)|']],
        ['unpaid, bazaar', location(`x402_price ${price}; x402_extension bazaar ${declaration};`)],
        ['unpaid, v2 v1', location(`x402_price ${price}; x402_protocol v2 v1;`)],
        // The generator ends a request with an empty line: two bytes more.
        ['unpaid, price of the body', location('x402_price $cost; x402_read_body 4k;'),
            ['ask=Content-Length: 19|Content-Type: application/json||{"model":"large"}'], 'map $x402_body_model $cost { default 0.01; large 0.05; }'],
        ['unpaid, charged by usage', location('x402_accept scheme=upto price=0.01; x402_charge $x402_reply_usage_total_tokens*1;')],
    ];
}

// Growth: a price of its own beside no price.
const readings = [
    ['nginx -t, 5000 locations', () => ''],
    ['nginx -t, 5000 prices', (i) => `x402_price $0.${10000 + i};`],
];

// What a scrape of so many locations costs.
function many_labels(count) {
    const locations = Array.from({ length: count }, (_, i) => `location /label${i} { x402_price ${price}; x402_label "label ${i}"; }`);
    return `${locations.join('\n')} location = /status { x402_status prometheus; }`;
}

function seal_key() {
    const file = path.join(tools.scratch(), 'seal.key');
    fs.writeFileSync(file, 'k'.repeat(64), { mode: 0o600 });
    return file;
}

// A client that comes back with the pass that `payment` has bought.
async function returned(options, payment) {
    process.stderr.write('counting a pass\n');
    const server = await start_counted(options);
    const sold = await get(server.port, '/paid', { 'PAYMENT-SIGNATURE': payment });
    const found = await count(server, 'returned', { requests: 3000, words: [`ask=X402-Pass: ${sold.headers['x402-pass']}|`] });
    await server.stop();
    return found;
}

async function measure() {
    const challenge = await stage.challenge();
    const file = stage.payments('payments', decoded(challenge.headers['payment-required']), 8000);
    const up_front = stage.payments('payments.up_front', await stage.offer_up_front(), 2000);
    const facilitator = await stage.facilitator(0);
    const module = (options = {}) => module_options({ facilitator, zone: 'bench:20m', ...options });
    const found = {};
    const on = async (options, asks) => {
        const server = await start_counted(options);
        for (const [name, ask, more] of asks) {
            process.stderr.write(`counting ${name}\n`);
            // What comes once, or by the clock, is spread over many of the cheap ones.
            found[name] = await count(server, ask, { file, requests: ask === 'paid' ? 500 : 3000, ...more });
        }
        await server.stop();
    };
    await on({ server: contestants.stock402.server(challenge) }, [['nginx free', 'free'], ['nginx return 402', 'unpaid']]);
    await on(module(), [['free', 'free'], ['unpaid', 'unpaid'], ['paid', 'paid'],
        ['paid, 32 at once', 'paid', { connections: 32, requests: 1024 }]]);
    const shared = await with_store(module());
    // Not many at once: what the warm-up leaves owed to its payer, others get first.
    await on(shared.options, [['paid, with a store', 'paid']]);
    await tools.stop(shared.redis);
    await on(module({ paid: stage.up_front }), [['paid before', 'paid', { file: up_front }]]);
    await on(module({ paid: 'x402_verify local;' }), [['paid, verify local', 'paid']]);
    await on(module({ paid: 'x402_verify off;' }), [['paid, verify off', 'paid']]);
    await on(module({ paid: `x402_ledger ${path.join(tools.scratch(), 'books')};` }), [['paid, with a ledger', 'paid']]);
    await on(module({ server: many_labels(1000) }), [['metrics of 1000 labels', 'status', { requests: 40, warmup: 4 }]]);
    for (const [name, words] of [['a pass', 'time=1h'], ['a pass, counted', 'time=1h requests=1000000']]) {
        found[name] = await returned(module({ paid: `x402_pass ${words} key_file=${seal_key()};` }), stage.first_payment(file).value);
    }
    for (const [name, server, words, http = ''] of odd_offers()) {
        await on(module({ server, http: module().http + http }), [[name, 'unpaid', { words }]]);
    }
    for (const [name, words] of readings) {
        process.stderr.write(`counting ${name}\n`);
        found[name] = await count_reading(module({ server: many_locations(5000, words) }));
    }
    return found;
}

// What a payment asks of the heap, without and with a store. A worker is warm
// when the writes that are repeated for a minute (kMostPending) use each
// other's memory.
async function measure_heap() {
    const warm = 17000;
    const requests = 2000;
    const file = stage.payments('payments.heap', decoded((await stage.challenge()).headers['payment-required']), warm + 2 * requests);
    const made = module_options({ facilitator: await stage.facilitator(0), zone: 'bench:100m', main: 'daemon off; master_process off;' });
    const shared = await with_store(made);
    const found = {};
    for (const [name, options] of [['paid', made], ['paid, with a store', shared.options]]) {
        process.stderr.write(`counting allocations: ${name}\n`);
        const server = await start_heap_counted(options);
        found[name] = await count_heap(server, file, { warm, requests });
        await server.stop();
    }
    await tools.stop(shared.redis);
    return found;
}

function heap_report(heap) {
    const more = heap['paid, with a store'].calls - heap.paid.calls;
    return { worse: more > most_allocations_more ? 1 : 0, text: `${table(['one after the other', 'allocations', 'bytes'],
        Object.entries(heap).map(([name, { calls, bytes }]) => [name, fixed(calls, 2), fixed(bytes, 0)]))}\n\n`
        + `A store adds ${fixed(more, 2)} allocations to a payment; ${fixed(most_allocations_more, 1)} are allowed.` };
}

function compared(found, baseline) {
    let worse = 0;
    const plain = { free: 'nginx free', unpaid: 'nginx return 402', [readings[1][0]]: readings[0][0] };
    const divisor = (name) => found[plain[name]] ?? (name.startsWith('unpaid, ') ? found.unpaid : undefined);
    const rows = Object.entries(found).map(([name, { instructions }]) => {
        const before = baseline?.instructions[name];
        const change = before ? instructions / before - 1 : NaN;
        const is_worse = change > tolerance_of(name);
        worse += is_worse;
        return [name, fixed(instructions, 0), before ?? '', Number.isNaN(change) ? '' : `${fixed(100 * change, 1)} %${is_worse ? ' WORSE' : ''}`,
            divisor(name) ? fixed(instructions / divisor(name).instructions, 3) : ''];
    });
    return { worse, text: table(['path', 'instructions/request', 'baseline', 'change', '÷ nginx, or ÷ unpaid'], rows) };
}

function whereabouts(found) {
    const parts = [];
    for (const name of ['free', 'unpaid', 'paid', 'paid, with a store']) {
        const share = (part) => `${fixed(100 * part / found[name].instructions, 1)} %`;
        const rows = (list) => list.map(([what, cost]) => [what, fixed(cost, 0), share(cost)]);
        parts.push(`### Where the instructions go: ${name}`,
            table(['library (itself)', 'instructions/request', 'share'], rows(by_library(found[name]).slice(0, 10))),
            table(['function (with all it calls)', 'instructions/request', 'share'],
                rows(by_function(found[name])).map(([what, ...rest]) => [`\`${what}\``, ...rest])));
    }
    return parts.join('\n\n');
}

function store(found, now) {
    const instructions = Object.fromEntries(Object.entries(found).map(([name, one]) => [name, Math.round(one.instructions)]));
    fs.writeFileSync(baseline_file, `${JSON.stringify({ versions: now, instructions }, null, 2)}\n`);
    console.log('t/bench/baseline.json is written');
    return 0;
}

function judge(worse, baseline, now) {
    if (!baseline || !same_versions(baseline.versions, now)) {
        console.log(`The baseline was made with ${JSON.stringify(baseline?.versions)}, this machine has ${JSON.stringify(now)}: `
            + 'nothing can be compared. UPDATE=1 before a change makes a baseline to compare with after it.');
        return 2;
    }
    console.log(worse > 0 ? `${worse} of the paths became worse by more than the tolerance` : 'no path became worse');
    return worse > 0 ? 1 : 0;
}

const found = await measure();
const baseline = read_json(baseline_file);
const now = versions();
const comparable = baseline && same_versions(baseline.versions, now) ? baseline : undefined;
const { worse, text } = compared(found, comparable);
const heap = heap_report(await measure_heap());
const report = `${text}\n\n${heap.text}\n\n${whereabouts(found)}\n`;
fs.writeFileSync(tools.program('check.md'), report);
console.log(`${report}\nalso in build/bench/check.md`);
process.exit(process.env.UPDATE ? store(found, now) : judge(worse + heap.worse, baseline, now));
