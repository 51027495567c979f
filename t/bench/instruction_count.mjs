// SPDX-License-Identifier: Apache-2.0
// Instructions per request, counted by callgrind: the same number on a busy
// machine as on an idle one. One nginx process, warmed up; the counters are set
// to zero, a fixed number of requests is sent one after the other, and the
// counters are dumped.
import fs from 'node:fs';
import path from 'node:path';
import * as tools from './process_tools.mjs';
import { load } from './load_stage.mjs';
import { start_nginx } from './contestants.mjs';

// nginx under callgrind; `options` as for start_nginx().
export async function start_counted(options) {
    const out = path.join(tools.scratch(), `callgrind-${Math.random().toString(36).slice(2)}`);
    const server = await start_nginx({ ...options, main: 'daemon off; master_process off;', core: undefined,
        under: ['valgrind', '-q', '--tool=callgrind', `--callgrind-out-file=${out}`] });
    return { ...server, out, dumps: 0, used: 0 };
}

// Of `nginx -t` with the configuration of a server that ran with `options`.
export async function count_reading(options) {
    const server = await start_nginx({ ...options, main: 'daemon off; master_process off;' });
    const status = fs.readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
    const words = ['-t', '-q', '-e', `${server.dir}/error.log`, '-p', server.dir, '-c', `${server.dir}/nginx.conf`];
    await server.stop();
    const out = `${server.dir}/callgrind.out`;
    tools.run(['valgrind', '-q', '--tool=callgrind', `--callgrind-out-file=${out}`, tools.nginx_path, ...words], { stdio: 'ignore' });
    const instructions = Number(fs.readFileSync(out, 'utf8').match(/^(?:summary|totals): (\d+)/m)[1]);
    return { instructions, words, kb: Number(status.match(/RssAnon:\s+(\d+)/)[1]) };
}

// So many locations; `words_of(i)` are those of each.
export const many_locations = (number, words_of) =>
    Array.from({ length: number }, (_, i) => `location /item${i}/ { ${words_of(i)} }`).join('\n');

const control = (server, what) => tools.run(['callgrind_control', what, String(server.child.pid)], { stdio: 'pipe' });

// Of one path; `file` as for load(), each payment used once per server.
export async function count(server, ask, { file, requests = 500, warmup = 200, connections = 1, words = [] } = {}) {
    const send = async (number) => {
        const result = await load(server, ask, { file,
            words: [...words, `connections=${connections}`, `requests=${number}`, 'warmup=0', 'seconds=120', `skip=${server.used}`] });
        server.used += number + connections;
        if (result.right !== 1) throw new Error(`wrong answers: ${JSON.stringify(result)}`);
        return result.answers;
    };
    await send(warmup);
    await tools.pause(100);
    control(server, '-z');
    const answers = await send(requests);
    await tools.pause(100);
    control(server, '-d');
    const dump = `${server.out}.${++server.dumps}`;
    for (let i = 0; i < 100 && !fs.existsSync(dump); i++) await tools.pause(20);
    const total = Number(fs.readFileSync(dump, 'utf8').match(/^summary: (\d+)/m)[1]);
    return { instructions: total / answers, dump, answers };
}

// nginx with a library in front of the heap that counts what is asked of it.
export async function start_heap_counted(options) {
    const counts = path.join(tools.scratch(), `heap-${Math.random().toString(36).slice(2)}`);
    fs.writeFileSync(counts, Buffer.alloc(16));
    const server = await start_nginx({ ...options,
        under: ['env', `LD_PRELOAD=${tools.program('heap_counter.so')}`, `HEAP_COUNTS=${counts}`] });
    return { ...server, counts };
}

// Of one payment after the other, once `warm` are through: calls and bytes of
// a payment.
export async function count_heap(server, file, { warm, requests }) {
    const read = () => {
        const bytes = fs.readFileSync(server.counts);
        return [Number(bytes.readBigUInt64LE(0)), Number(bytes.readBigUInt64LE(8))];
    };
    const send = (number, skip, connections) => load(server, 'paid', { file,
        words: [`connections=${connections}`, `requests=${number}`, 'warmup=0', 'seconds=120', `skip=${skip}`] });
    // The last ones of many at once are left in the middle, and are over before
    // those that count.
    await send(warm - 400, 0, 32);
    await tools.pause(1000);
    await send(300, warm - 350, 1);
    await tools.pause(200);
    const before = read();
    const result = await send(requests, warm, 1);
    await tools.pause(100);
    const after = read();
    if (result.right !== 1) throw new Error(`wrong answers: ${JSON.stringify(result)}`);
    return { calls: (after[0] - before[0]) / result.answers, bytes: (after[1] - before[1]) / result.answers };
}

// The dump of callgrind: cost lines below fn= are the function's own, the one
// below calls= is what the call cost. Names are written once and then numbered.
function costs(dump) {
    const names = { ob: new Map(), fn: new Map() };
    const name_of = (kind, text) => {
        const [, id, name] = /^\((\d+)\)(?: (.*))?$/.exec(text);
        if (name) names[kind].set(id, name);
        return names[kind].get(id);
    };
    const own = new Map();
    const whole = new Map();
    const add = (map, key, cost) => map.set(key, (map.get(key) ?? 0) + cost);
    let object;
    let name;
    let called = false;
    for (const line of fs.readFileSync(dump, 'utf8').split('\n')) {
        const [, key, text] = /^(c?ob|c?fn|calls)=(.*)$/.exec(line) ?? [];
        if (key === 'ob') object = name_of('ob', text);
        else if (key === 'cob') name_of('ob', text);
        else if (key === 'fn') name = name_of('fn', text);
        else if (key === 'cfn') name_of('fn', text);
        else if (key === 'calls') called = true;
        else if (/^[+*\d-]\S* \d+$/.test(line)) {
            const cost = Number(line.slice(line.indexOf(' ')));
            add(whole, name, cost);
            if (!called) add(own, object, cost);
            called = false;
        }
    }
    return { own, whole };
}

const largest = (map, answers) => [...map].map(([name, cost]) => [name, cost / answers]).sort((a, b) => b[1] - a[1]);

// [library, instructions per request of its own code], the largest first.
export function by_library({ dump, answers }) {
    return largest(costs(dump).own, answers)
        .map(([object, cost]) => [path.basename(object ?? 'unknown').replace(/\.so.*/, ''), cost]);
}

// The module's functions with everything they call, the largest first.
export function by_function({ dump, answers }, most = 30) {
    const short = (name) => name.replaceAll('(anonymous namespace)::', '').replace(/\(.*$/, '')
        .replace(/\[abi:\w+\]/, '').replace(/^x402::/, '');
    return largest(costs(dump).whole, answers)
        .filter(([name]) => name.startsWith('x402::') && !/'\d+$/.test(name))
        .map(([name, cost]) => [short(name), cost]).slice(0, most);
}
