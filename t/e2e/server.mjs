// SPDX-License-Identifier: Apache-2.0
// An nginx of our own in a directory of its own: nothing of an installed nginx but the program is used.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshDirectory, repository } from './paths.mjs';
import { freePort, listens, start, stop, until } from './process.mjs';

export const modulePath = process.env.X402_MODULE ?? join(repository, 'build', 'ngx_http_x402_module.so');
const program = process.env.NGINX ?? '/usr/sbin/nginx';
delete process.env.NGINX; // nginx would take it for a list of sockets it inherited

// Lines of the error log that no test may leave behind, whatever else it found.
const alarming = [
    '[alert]', '[emerg]', 'AddressSanitizer', 'LeakSanitizer', 'runtime error', 'exited on signal',
];

// http: the text inside http { }, or a function of { listen, port, directory } that gives it.
export async function startServer({ http, workers = 1, port: wanted }) {
    for (const file of [program, modulePath]) {
        if (!existsSync(file)) throw new Error(`${file} is missing (NGINX and X402_MODULE say where to look)`);
    }

    const directory = freshDirectory('nginx');
    const log = join(directory, 'error.log');
    const port = wanted ?? await freePort();
    const listen = `127.0.0.1:${port}`;
    const text = typeof http === 'function' ? http({ listen, port, directory }) : http;
    writeFileSync(join(directory, 'nginx.conf'), configuration({ directory, workers, text }));

    const nginx = start(program, ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', log], {
        env: environment(),
    });
    const logged = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');

    try {
        await until('nginx listens', async () => {
            if (nginx.exitCode !== null || nginx.signalCode !== null) {
                throw new Error(`nginx did not start:\n${nginx.said}${logged()}`);
            }
            return listens(port);
        }, 30_000);
    } catch (error) {
        await stop(nginx);
        throw error;
    }

    return {
        url: `http://127.0.0.1:${port}`,
        port,
        pid: nginx.pid,
        directory,
        errorLog: logged,
        // Ends nginx the way an operator would, and looks at what it had to say. The directory stays when that was bad.
        async stop() {
            const quit = await stop(nginx, 'SIGQUIT');
            const faults = logged().split('\n').filter((line) =>
                alarming.some((word) => line.includes(word)) || /exited with code [^0]/.test(line));
            const { status, signal } = await nginx.gone;
            if (!quit) faults.push('nginx did not quit');
            else if (status !== 0) faults.push(`nginx ended with ${status ?? signal}`);
            if (faults.length) throw new Error(`nginx in ${directory}:\n${faults.join('\n')}\n${nginx.said}`);
            rmSync(directory, { recursive: true, force: true });
        },
    };
}

function environment() {
    // To nginx itself the variable NGINX is a list of sockets inherited from an earlier binary.
    const { NGINX, NGINX_PRELOAD, ...rest } = process.env;
    // A module built with sanitizers needs their libraries loaded before nginx; nothing else here does.
    return NGINX_PRELOAD ? { ...rest, LD_PRELOAD: NGINX_PRELOAD } : rest;
}

function configuration({ directory, workers, text }) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((kind) => `    ${kind}_temp_path "${directory}/${kind}";`);
    return `
load_module "${modulePath}";
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_processes ${workers};
pid "${directory}/nginx.pid";
error_log "${directory}/error.log" info;
env ASAN_OPTIONS;
env UBSAN_OPTIONS;
env LSAN_OPTIONS;
events { worker_connections 512; }
http {
    access_log off;
    default_type application/octet-stream;
${temporary.join('\n')}
${text}
}
`;
}
