// SPDX-License-Identifier: Apache-2.0
// The two small things that every server here needs.

import { once } from 'node:events';
import { createServer } from 'node:http';

// Serves on 127.0.0.1 and a port of the kernel's choice.
export async function serve(handler) {
    const server = createServer((request, response) => {
        Promise.resolve(handler(request, response)).catch((error) => {
            if (response.headersSent) response.destroy();
            else response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.stack}\n`);
        });
    });
    // nginx keeps connections open that it may use much later; node's five seconds would race with it.
    server.keepAliveTimeout = 60_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    return {
        port,
        url: `http://127.0.0.1:${port}`,
        async stop() {
            const closed = once(server, 'close');
            server.close();
            server.closeAllConnections();
            await closed;
        },
    };
}

export async function bodyOf(request) {
    const parts = [];
    for await (const part of request) parts.push(part);
    return Buffer.concat(parts).toString('utf8');
}
