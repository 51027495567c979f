// SPDX-License-Identifier: Apache-2.0
// Processes, ports and files of the benches. Everything that is started here is
// stopped by its own id when the bench ends, however it ends.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync, spawn } from 'node:child_process';

export const here = path.dirname(fileURLToPath(import.meta.url));
export const top = path.resolve(here, '../..');
export const output = path.join(top, 'build/bench');
export const program = (name) => path.join(output, name);
export const module_path = process.env.X402_MODULE ?? path.join(top, 'build/ngx_http_x402_module.so');
export const nginx_path = process.env.NGINX ?? '/usr/sbin/nginx';
delete process.env.NGINX; // nginx would take it for a list of sockets it inherited

// The server has the first core, everything else the second, where there are two.
const cores = os.cpus().length;
export const server_core = cores > 1 ? '0' : undefined;
export const load_core = cores > 1 ? '1' : undefined;
export const pinned = (core, command) => (core === undefined ? command : ['taskset', '-c', core, ...command]);

const running = new Set();
let directory;

// Of this run; gone at its end.
export function scratch() {
    directory ??= fs.mkdtempSync(path.join(os.tmpdir(), 'x402-bench-'));
    return directory;
}

process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
    if (directory && !process.env.X402_KEEP) fs.rmSync(directory, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export function start(command, options = {}) {
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    running.add(child);
    child.said = '';
    child.stdout.on('data', (bytes) => { child.said += bytes; });
    child.stderr.on('data', (bytes) => { child.said += bytes; });
    child.gone = new Promise((done) => child.on('exit', (code) => { running.delete(child); done(code); }));
    return child;
}

export async function stop(child, signal = 'SIGTERM') {
    if (!running.has(child)) return;
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await child.gone;
    clearTimeout(late);
}

// The text a program writes; fails as it fails.
export function run(command, options = {}) {
    return execFileSync(command[0], command.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
}

// A port that the kernel had free a moment ago.
export function free_port() {
    return new Promise((done, fail) => {
        const server = net.createServer().on('error', fail).listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => done(port));
        });
    });
}

export async function listening(port, child, seconds = 20) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
        if (child.exitCode !== null) break;
        const open = await new Promise((done) => {
            const socket = net.connect(port, '127.0.0.1');
            socket.on('connect', () => { socket.destroy(); done(true); });
            socket.on('error', () => done(false));
        });
        if (open) return;
        await pause(20);
    }
    throw new Error(`nothing listens:\n${child.said}`);
}

// A process and all that came from it.
export function family(pid) {
    const pids = [pid];
    for (let i = 0; i < pids.length; i++) {
        try {
            const text = fs.readFileSync(`/proc/${pids[i]}/task/${pids[i]}/children`, 'utf8');
            pids.push(...text.trim().split(/\s+/).filter(Boolean).map(Number));
        } catch { /* it has just ended */ }
    }
    return pids;
}

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
}
