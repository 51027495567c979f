// SPDX-License-Identifier: Apache-2.0
// The application behind nginx: counts who came, and answers as a test told it to.

import { bodyOf, serve } from './http.mjs';
import { sleep } from './process.mjs';

// answers: path -> { status, body, delay, before }. What `before` does happens between a payment's verification and its
// settlement. A path without an answer of its own gets a plain 200.
export async function startBackend() {
    const hits = [];
    const answers = new Map();

    const server = await serve(async (request, response) => {
        const path = request.url.split('?')[0];
        const hit = { method: request.method, url: request.url, headers: request.headers, path };
        hits.push(hit);
        hit.body = await bodyOf(request);
        const { status = 200, body = contentOf(path), delay, before } = answers.get(path) ?? {};
        if (before) await before(request);
        if (delay) await sleep(delay);
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });

    return {
        port: server.port,
        url: server.url,
        hits,
        count: (path) => hits.filter((hit) => hit.path === path).length,
        answer: (path, how) => { answers.set(path, how); },
        stop: server.stop,
    };
}

// What an unprogrammed path says; distinct per path, so that a mix-up shows.
export const contentOf = (path) => JSON.stringify({ path, report: 'sunny, 24 degrees' });
