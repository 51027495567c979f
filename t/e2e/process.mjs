// SPDX-License-Identifier: Apache-2.0
// Programs that we start and that must not outlive us, and the ports they listen on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';

// The net below every other way of stopping: whatever ends this process, its children are told to go, by pid.
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGTERM')));
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
    process.on(signal, () => {
        // Another listener (the demonstration) ends in better order than this one.
        if (process.listenerCount(signal) === 1) process.exit(status);
    });
}

// Starts a program; its output is kept in `child.said` for error messages.
export function start(file, args, options = {}) {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    child.said = '';
    child.stdout.on('data', (bytes) => { child.said += bytes; });
    child.stderr.on('data', (bytes) => { child.said += bytes; });
    child.on('error', (error) => { child.said += `${error}\n`; });
    child.gone = new Promise((resolve) => {
        child.on('exit', (status, signal) => resolve({ status, signal }));
        child.on('error', (error) => resolve({ status: -1, signal: null, error }));
    });
    running.add(child);
    child.gone.then(() => running.delete(child));
    return child;
}

// Asks a child to go; after `patience` ms it is killed, and the answer is false.
export async function stop(child, signal = 'SIGTERM', patience = 40_000) {
    if (!running.has(child)) return true;
    child.kill(signal);
    if (await within(patience, child.gone)) return true;
    child.kill('SIGTERM');
    if (!await within(1_000, child.gone)) child.kill('SIGKILL');
    await child.gone;
    return false;
}

export async function within(milliseconds, promise) {
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, milliseconds, false); });
    const first = await Promise.race([promise.then(() => true), late]);
    clearTimeout(timer);
    return first;
}

export const sleep = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

// Waits until `condition` gives something true, and gives that back.
export async function until(what, condition, patience = 40_000) {
    const end = Date.now() + patience;
    for (;;) {
        const value = await condition();
        if (value) return value;
        if (Date.now() > end) throw new Error(`${what}: not within ${patience} ms`);
        await sleep(20);
    }
}

// What keeps a port away from all but a server that sets SO_REUSEADDR, as nginx and redis-server do: it is bound, and
// does not listen. Node cannot do that.
const holder = `my $parent = getppid; socket(my $port, PF_INET, SOCK_STREAM, 0) or die $!;
    setsockopt($port, SOL_SOCKET, SO_REUSEADDR, 1) and bind($port, sockaddr_in(0, INADDR_LOOPBACK)) or die $!;
    $| = 1; print +(sockaddr_in(getsockname $port))[0], "\\n"; sleep 1 while getppid == $parent;`;

// For programs that cannot be given port 0: one that stays ours until this process ends.
export async function freePort() {
    const child = start('perl', ['-MSocket', '-e', holder]);
    for (const part of [child, child.stdout, child.stderr]) part.unref();
    return Number(await until('a port', () => {
        if (child.exitCode !== null) throw new Error(`no port: ${child.said}`);
        return /^(\d+)\n/.exec(child.said)?.[1];
    }));
}

// Fails if another program has this port at this moment.
export async function checkPort(wanted) {
    const probe = createServer();
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
}

export function listens(port) {
    return new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('connect', () => { socket.destroy(); resolve(true); });
        socket.on('error', () => resolve(false));
    });
}
