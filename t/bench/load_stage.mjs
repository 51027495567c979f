// SPDX-License-Identifier: Apache-2.0
// The load side of a bench: the stub facilitator, files of signed payments, and
// one measurement after another with the load generator.
import fs from 'node:fs';
import path from 'node:path';
import * as tools from './process_tools.mjs';
import { content, contestants, decoded, get } from './contestants.mjs';

let stub;

function certificate() {
    const dir = tools.scratch();
    tools.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-keyout', `${dir}/stub.key`, '-out', `${dir}/stub.pem`, '-days', '2', '-subj', '/CN=localhost',
        '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'], { stdio: 'ignore' });
    return [`certificate=${dir}/stub.pem`, `key=${dir}/stub.key`];
}

// Starts it with the first question.
export async function facilitator(delay, tls = false) {
    if (!stub) {
        const payer = tools.run([tools.program('sign_payments'), 'address=1']).trim();
        const child = tools.start(tools.pinned(tools.load_core,
            [tools.program('stub_facilitator'), `payer=${payer}`, ...certificate()]));
        while (!child.said.includes('\n')) {
            if (child.exitCode !== null) throw new Error(child.said);
            await tools.pause(10);
        }
        const [, plain, secret] = child.said.match(/plain=(\d+) tls=(\d+)/);
        stub = { child, plain, secret };
    }
    return tls ? `https://127.0.0.1:${stub.secret}/${delay}` : `http://127.0.0.1:${stub.plain}/${delay}`;
}

// The module's own challenge: bytes to copy, offer to pay.
export async function challenge(options = {}) {
    const server = await contestants.module.start({ facilitator: await facilitator(0), ...options });
    const answer = await get(server.port, '/paid');
    await server.stop();
    if (answer.status !== 402) throw new Error(`the module answered ${answer.status}`);
    return answer;
}

// What a server with `x402_settle before` is paid for: its offer says so, and is
// another one.
export const up_front = 'x402_settle before;';
export const offer_up_front = async () => decoded((await challenge({ paid: up_front })).headers['payment-required']);

export function payments(name, offer, count, words = []) {
    const file = path.join(tools.scratch(), name);
    const out = fs.openSync(file, 'w');
    tools.run([tools.program('sign_payments'), `count=${count}`, ...words],
        { input: JSON.stringify(offer), stdio: ['pipe', out, 'inherit'] });
    fs.closeSync(out);
    return file;
}

// The first payment of a file, read back.
export function first_payment(file) {
    const bytes = Buffer.alloc(1 << 17);
    const handle = fs.openSync(file);
    const size = fs.readSync(handle, bytes);
    fs.closeSync(handle);
    const value = bytes.subarray(0, size).toString().split('\n')[0];
    return { value, payment: decoded(value) };
}

// What the generator calls right, and asks for, on each path.
const asks = {
    free: () => ['path=/free', 'status=200', `body=${content}`],
    unpaid: () => ['path=/paid', 'status=402', 'header=payment-required'],
    status: () => ['path=/status', 'status=200'],
    returned: () => ['path=/paid', 'status=200', `body=${content}`],
    paid: (file, who) => ['path=/paid', 'status=200', `body=${content}`, `payments=${file}`,
        ...(who.receipt === false ? [] : ['header=payment-response'])],
};

// One measurement of a running server; `words` go to the generator.
export async function load(server, ask, { who = {}, file, words = [] }) {
    const command = [tools.program('load_generator'), `port=${server.port}`, `server=${server.pids.join(',')}`,
        `stub=${stub ? stub.child.pid : ''}`, ...asks[ask](who.up_front ? `${file}.up_front` : file, who), ...words];
    const child = tools.start(tools.pinned(tools.load_core, command));
    const code = await child.gone;
    if (code !== 0) throw new Error(`${command.join(' ')}\n${child.said}`);
    return JSON.parse(child.said);
}
