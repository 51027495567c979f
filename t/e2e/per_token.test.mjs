// SPDX-License-Identifier: Apache-2.0
// A language model that is paid by the token: the official client signs for a maximum, and what the answer says that it
// has used is what moves on the chain, streamed or not.

import assert from 'node:assert/strict';
import { UptoEvmScheme } from '@x402/evm/upto/client';
import { dollars } from './chain.mjs';
import { offerOf, payingFetchBy, receiptOf } from './client.mjs';
import { bodyOf, serve } from './http.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;

// Speaks the format of an OpenAI-compatible server: a word for each token, and the count at the end if it is asked for.
async function startModel() {
    const asked = [];
    const server = await serve(async (request, response) => {
        const order = JSON.parse(await bodyOf(request));
        asked.push({ headers: request.headers, order });
        const tokens = order.max_tokens;
        const usage = { prompt_tokens: 10, completion_tokens: tokens, total_tokens: tokens + 10 };
        const common = { id: 'chatcmpl-1', created: 1, model: order.model };
        if (!order.stream) {
            const content = 'word '.repeat(tokens);
            const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
            response.writeHead(200, { 'content-type': 'application/json' });
            response.end(JSON.stringify({ ...common, object: 'chat.completion', choices, usage }));
            return;
        }
        const counted = order.stream_options?.include_usage;
        const event = (data) => response.write(`data: ${JSON.stringify({
            ...common, object: 'chat.completion.chunk', ...(counted ? { usage: null } : {}), ...data,
        })}\n\n`);
        response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
        for (let i = 0; i < tokens; i++) {
            event({ choices: [{ index: 0, delta: { content: 'word ' }, finish_reason: null }] });
            // Now and then the rest comes later.
            if (i % 100 === 0) await new Promise((resolve) => { setTimeout(resolve, 5); });
        }
        event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
        if (counted) event({ choices: [], usage });
        response.end('data: [DONE]\n\n');
    });
    return { url: server.url, asked, stop: server.stop };
}

before(async () => {
    stack = await startStack({
        prepare: async ({ chain, keep }) => {
            await chain.addUpto();
            return { model: keep(await startModel()) };
        },
        servers: ({ listen, model }) => `
    server {
        listen ${listen};
        location = /v1/chat/completions {
            x402_accept scheme=upto price=0.05;
            x402_charge $x402_reply_usage_completion_tokens;
            x402_read_body 64k;
            proxy_http_version 1.1;
            proxy_pass ${model.url};
        }
    }`,
    });
});

after(() => stack?.stop());

async function newCustomer() {
    const payer = await stack.payer();
    await stack.chain.approveUpto(payer);
    const signer = {
        address: payer.address,
        signTypedData: (typed) => payer.signTypedData(typed),
        readContract: (args) => stack.chain.reader.readContract(args),
    };
    const pay = payingFetchBy(stack.chain.network, new UptoEvmScheme(signer));
    const ask = (order) => pay(stack.at('/v1/chat/completions'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'small', ...order }),
    });
    return { payer, ask };
}

async function paidExactly(payer, response, amount) {
    const receipt = receiptOf(response);
    assert.equal(receipt.success, true);
    assert.deepEqual(await stack.spent(payer), [
        { from: payer.address, to: stack.seller.address, value: amount, transaction: receipt.transaction },
    ]);
    assert.equal(await stack.chain.balanceOf(payer.address), dollars(10) - amount);
}

test('the offer is a maximum, by the scheme upto', async () => {
    const response = await fetch(stack.at('/v1/chat/completions'), { method: 'POST', body: '{}' });
    assert.equal(response.status, 402);
    const [way] = offerOf(response).accepts;
    assert.deepEqual([way.scheme, way.amount], ['upto', '50000']);
    await response.arrayBuffer();
});

test('a streamed answer of 1,000 tokens is charged for 1,000 tokens', async () => {
    const { payer, ask } = await newCustomer();
    const response = await ask({ max_tokens: 1000, stream: true, stream_options: { include_usage: true } });
    assert.equal(response.status, 200);
    const events = (await response.text()).split('\n\n').filter(Boolean);
    assert.equal(events.length, 1003);
    assert.equal(events.at(-1), 'data: [DONE]');
    await paidExactly(payer, response, 1000n);
    assert.equal(stack.facilitator.last('/verify').question.paymentRequirements.amount, '50000');
    assert.equal(stack.model.asked.at(-1).headers['accept-encoding'], undefined, 'nothing is compressed on the way');
});

test('an answer in one piece is charged for its tokens', async () => {
    const { payer, ask } = await newCustomer();
    const response = await ask({ max_tokens: 250 });
    assert.equal((await response.json()).usage.completion_tokens, 250);
    await paidExactly(payer, response, 250n);
});

test('an answer that used more than was signed for costs the maximum', async () => {
    const { payer, ask } = await newCustomer();
    const response = await ask({ max_tokens: 60_000 });
    assert.equal((await response.json()).usage.completion_tokens, 60_000);
    await paidExactly(payer, response, 50_000n);
});

test('a stream that does not say what it used is free, and the log says so', async () => {
    const { payer, ask } = await newCustomer();
    const response = await ask({ max_tokens: 5, stream: true });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
    assert.equal(await stack.chain.balanceOf(payer.address), dollars(10));
    assert.match(stack.nginx.errorLog(), /does not say what it has cost .*nothing is charged/);
});
