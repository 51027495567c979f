// SPDX-License-Identifier: Apache-2.0
// An MCP server behind nginx, as the example has it: a wrapped MCP client connects and lists tools for nothing, and pays
// for two tools at two prices.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { payingFetchOn } from './client.mjs';
import { serve } from './http.mjs';
import { repository } from './paths.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;
const example = readFileSync(join(repository, 'conf-examples', 'mcp.conf'), 'utf8');
const calls = [];

// Streamable HTTP with sessions: answers are events, or JSON where that is asked for.
function startTools() {
    const sessions = new Map();
    return serve(async (request, response) => {
        const id = request.headers['mcp-session-id'];
        let transport = sessions.get(id);
        if (!transport) {
            transport = new StreamableHTTPServerTransport({
                sessionIdGenerator: randomUUID,
                onsessioninitialized: (made) => sessions.set(made, transport),
            });
            const tools = new McpServer({ name: 'tools', version: '1' });
            for (const name of ['search', 'report']) {
                tools.registerTool(name, { description: name }, async () => {
                    calls.push(name);
                    return { content: [{ type: 'text', text: `${name} done` }] };
                });
            }
            await tools.connect(transport);
        }
        await transport.handleRequest(request, response);
    });
}

before(async () => {
    stack = await startStack({
        prepare: async ({ keep }) => ({ tools: keep(await startTools()) }),
        servers: ({ listen, tools }) => example
            .slice(example.indexOf('    map '), example.lastIndexOf('}'))
            .replace(/listen +80;/, `listen ${listen};`)
            .replaceAll('http://127.0.0.1:3000', tools.url),
    });
});

after(() => stack?.stop());

async function connected(fetchWith) {
    const client = new Client({ name: 'agent', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(stack.at('/mcp')), { fetch: fetchWith });
    await client.connect(transport);
    return { client, transport };
}

test('to connect and to list tools is free, for a client without a wallet', async () => {
    const { client, transport } = await connected(fetch);
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map(({ name }) => name), ['search', 'report']);
    assert.ok(transport.sessionId);
    await assert.rejects(client.callTool({ name: 'search' }), /402/);
    await client.close();
    assert.deepEqual(calls, []);
});

test('a wrapped client pays for two tools at two prices', async () => {
    const payer = await stack.payer();
    const { client } = await connected(payingFetchOn(stack.chain, payer));
    await client.listTools();
    assert.deepEqual(await stack.spent(payer), []);

    for (const [name, amounts] of [['search', [10_000n]], ['report', [10_000n, 50_000n]]]) {
        const { content } = await client.callTool({ name });
        assert.deepEqual(content, [{ type: 'text', text: `${name} done` }]);
        assert.deepEqual((await stack.spent(payer)).map(({ value }) => value), amounts);
    }
    assert.deepEqual(calls, ['search', 'report']);
    await client.close();
});

test('a batch is refused, and what is not listed costs most', async () => {
    const ask = (body) => fetch(stack.at('/mcp'), {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    });
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'other' } };
    assert.equal((await ask([call])).status, 400);
    const response = await ask(call);
    assert.equal(response.status, 402);
    const { accepts } = JSON.parse(atob(response.headers.get('payment-required')));
    assert.equal(accepts[0].amount, '250000');
});
