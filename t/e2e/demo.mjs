// SPDX-License-Identifier: Apache-2.0
// The whole thing on one screen: a chain, a facilitator, an nginx with a paid location, one payment by the official
// client. Stays up until Ctrl-C; with ONCE=1 it ends after the payment. DEMO_PORT is where nginx listens.

import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { contentOf } from './backend.mjs';
import { asset, network } from './chain.mjs';
import { offerOf, payingFetch, receiptOf } from './client.mjs';
import { repository } from './paths.mjs';
import { checkPort, freePort } from './process.mjs';
import { modulePath } from './server.mjs';
import { startStack } from './stack.mjs';

const once = !['', '0', undefined].includes(process.env.ONCE);
const price = 10_000n;

const say = (...lines) => console.log(lines.join('\n'));
const title = (text) => say('', text, '-'.repeat(text.length));
const indented = (text) => text.replace(/^/gm, '    ');
const shown = (value) => say(indented(JSON.stringify(value, null, 2)));
const money = (amount) => (Number(amount) / 1e6).toFixed(6).padStart(12);

// Ctrl-C may come at any time, also while things are being started.
let interrupted = () => {};
const interruption = new Promise((resolve) => { interrupted = resolve; });
process.on('SIGINT', interrupted);
process.on('SIGTERM', interrupted);

async function choosePort() {
    const wanted = Number(process.env.DEMO_PORT || 8402);
    try {
        await checkPort(wanted);
        return wanted;
    } catch (error) {
        if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
        const port = await freePort();
        say(`Port ${wanted} cannot be had (${error.code}): nginx listens on ${port}. DEMO_PORT=n chooses another.`);
        return port;
    }
}

// Status and headers; the payment headers are long and shown decoded below.
function showHead(request, response) {
    say(indented(request), '', indented(`HTTP ${response.status} ${response.statusText}`.trim()));
    for (const [name, value] of response.headers) {
        const short = value.length > 60 ? `${value.slice(0, 40)}... (${value.length} characters)` : value;
        say(indented(`${name}: ${short}`));
    }
}

async function run(stack) {
    const { chain, seller, backend, facilitator } = stack;
    const url = stack.at('/weather');
    const payer = await stack.payer(10);
    const balances = async () => ({
        payer: await chain.balanceOf(payer.address),
        seller: await chain.balanceOf(seller.address),
    });

    title('What is running, all of it on 127.0.0.1');
    say(
        `    chain        ${chain.url}  passing for Base Sepolia (${network})`,
        `    token        ${asset}  test USDC, EIP-3009`,
        `    facilitator  ${facilitator.url}  the official one, settling on that chain`,
        `    backend      ${backend.url}  the application, knows nothing of money`,
        `    nginx        ${stack.nginx.url}  with ${relative(repository, modulePath)}`,
        `    payer        ${payer.address}`,
        `    seller       ${seller.address}`,
        '',
        indented(`location /weather { x402_price $0.01; proxy_pass ${backend.url}; }`),
    );

    title('1. A request without payment');
    const unpaid = await fetch(url);
    const unpaidBody = await unpaid.text();
    showHead(`GET ${url}`, unpaid);
    say('', indented('PAYMENT-REQUIRED, decoded:'));
    const offer = offerOf(unpaid);
    shown(offer ?? null);
    assert.equal(unpaid.status, 402, 'an unpaid request is answered with 402');
    assert.equal(offer?.accepts[0].amount, String(price), 'the offer names the price');
    assert.ok(!unpaidBody.includes(contentOf('/weather')), 'the content is kept');
    assert.equal(backend.hits.length, 0, 'the backend did not see the request');

    title('2. The same request by the official client (@x402/fetch), which pays');
    const earlier = await balances();
    const paid = await payingFetch(payer)(url);
    const content = await paid.text();
    showHead(`GET ${url}`, paid);
    say('', indented(content));
    assert.equal(paid.status, 200, 'a paid request is served');
    assert.equal(content, contentOf('/weather'), 'with the content of the backend');
    assert.equal(backend.hits.length, 1, 'which was asked once');

    title('3. The receipt (PAYMENT-RESPONSE, decoded)');
    const receipt = receiptOf(paid);
    shown(receipt ?? null);
    assert.equal(receipt?.success, true, 'there is a receipt');
    const mined = await chain.receipt(receipt.transaction);
    assert.equal(mined?.status, 'success', 'and its transaction is on the chain');
    say(indented(`The chain has this transaction in block ${mined.blockNumber}.`));

    title('4. Balances, read from the chain (USDC)');
    const later = await balances();
    say(`    ${''.padEnd(8)}${'before'.padStart(12)}${'after'.padStart(12)}${'change'.padStart(12)}`);
    for (const who of ['payer', 'seller']) {
        say(`    ${who.padEnd(8)}${money(earlier[who])}${money(later[who])}${money(later[who] - earlier[who])}`);
    }
    assert.equal(later.payer, earlier.payer - price, 'the payer paid the price');
    assert.equal(later.seller, earlier.seller + price, 'the seller got it');
}

function showCommands({ at }) {
    title('5. Try it in another terminal');
    say(
        '    # the unpaid answer',
        `    curl -i ${at('/weather')}`,
        '',
        '    # the offer in it, decoded',
        `    curl -sD - -o /dev/null ${at('/weather')} |`,
        "        sed -n 's/^payment-required: //Ip' | tr -d '\\r' | base64 -d; echo",
        '',
        '    # a free location beside it',
        `    curl -i ${at('/free')}`,
        '',
        'Ctrl-C stops everything that was started here.',
    );
}

let stack;
try {
    stack = await startStack({
        port: await choosePort(),
        workers: 2,
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /free { default_type text/plain; return 200 "this one costs nothing\\n"; }
    }`,
    });
    await run(stack);
    if (!once) {
        showCommands(stack);
        await interruption;
        say('', 'Stopping.');
    }
} catch (error) {
    process.exitCode = 1;
    say('', error.code === 'ERR_ASSERTION' ? `NOT AS PROMISED: ${error.message}` : error.stack);
} finally {
    await stack?.stop().catch((error) => {
        process.exitCode = 1;
        say('', error.message);
    });
}
if (once && !process.exitCode) say('', 'All of it as promised.');
// Connections kept open by fetch() would keep the process.
process.exit();
