// SPDX-License-Identifier: Apache-2.0
// sign-in-with-x by the official client: a wallet that has paid comes back without paying, and only that wallet.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discoverOriginSchema } from '@agentcash/discovery';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactEvmScheme } from '@x402/evm';
import {
    createSIWxClientExtension, createSIWxPayload, encodeSIWxHeader, validateSIWxMessage, verifySIWxSignature, wrapFetchWithSIWx,
} from '@x402/extensions/sign-in-with-x';
import { contentOf } from './backend.mjs';
import { offerOf, payingFetch, receiptOf } from './client.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, directory, backend }) => {
            const key = join(directory, 'seal.key');
            writeFileSync(key, 'k'.repeat(64), { mode: 0o600 });
            return `
    x402_seal_key ${key};
    x402_sign_in time=1h "statement=Come back to what you bought" file=${join(directory, 'bought')};
    server {
        listen ${listen};
        server_name 127.0.0.1;
        location / { x402_price $0.01; proxy_pass ${backend}; }
        location /account/ { x402_sign_in only network=base-sepolia; proxy_pass ${backend}; }
        location = /openapi.json { x402_manifest openapi; }
        location /whole/ { x402_price $0.01; x402_sign_in time=1h scope=location; proxy_pass ${backend}; }
    }
    server {
        listen ${listen};
        server_name other.example;
        location / { x402_price $0.01; proxy_pass ${backend}; }
    }`;
        },
    });
});

after(() => stack?.stop());

// fetch() that signs in before it pays.
function returningFetch(account) {
    const client = new x402Client().register('eip155:*', new ExactEvmScheme(account));
    return wrapFetchWithPayment(fetch, client.registerExtension(createSIWxClientExtension({ signers: [account] })));
}

async function challengeOf(url) {
    const response = await fetch(url);
    await response.arrayBuffer();
    assert.equal(response.status, 402);
    return offerOf(response).extensions['sign-in-with-x'];
}

async function signedIn(account, url, change = {}) {
    const challenge = await challengeOf(url);
    const payload = await createSIWxPayload({ ...challenge.info, ...challenge.supportedChains[0], ...change }, account, url);
    return encodeSIWxHeader(payload);
}

const presented = (url, header, more = {}) => fetch(url, { headers: { 'sign-in-with-x': header, ...more } });

test('a wallet pays once and comes back by its signature', async () => {
    const payer = await stack.payer();
    const url = stack.at('/report');
    const first = await payingFetch(payer)(url);
    assert.equal(await first.text(), contentOf('/report'));
    const earned = await stack.chain.balanceOf(stack.seller.address);
    const owned = await stack.chain.balanceOf(payer.address);

    for (let i = 0; i < 2; i++) {
        const again = await wrapFetchWithSIWx(fetch, payer)(url);
        assert.equal(again.status, 200);
        assert.equal(await again.text(), contentOf('/report'));
        assert.equal(receiptOf(again), undefined, 'no receipt');
        assert.equal(again.headers.get('cache-control'), 'private');
    }
    assert.equal(await stack.chain.balanceOf(stack.seller.address), earned, 'the seller gets nothing more');
    assert.equal(await stack.chain.balanceOf(payer.address), owned, 'the payer pays nothing more');
    assert.equal((await stack.spent(payer)).length, 1);
});

test('the client extension signs in first, and pays where that is not enough', async () => {
    const payer = await stack.payer();
    const go = returningFetch(payer);
    assert.equal(await (await go(stack.at('/client'))).text(), contentOf('/client'));
    assert.equal((await stack.spent(payer)).length, 1, 'paid once');
    const second = await go(stack.at('/client'));
    assert.equal(second.status, 200);
    assert.equal(await second.text(), contentOf('/client'));
    assert.equal((await stack.spent(payer)).length, 1, 'and no more');
    assert.equal(await (await go(stack.at('/another'))).text(), contentOf('/another'));
    assert.equal((await stack.spent(payer)).length, 2, 'another resource costs');
});

test('the official server finds the same message good', async () => {
    const payer = await stack.payer();
    const url = stack.at('/report');
    const header = await signedIn(payer, url);
    const payload = JSON.parse(Buffer.from(header, 'base64').toString());
    assert.deepEqual(await validateSIWxMessage(payload, new URL(stack.at('/'))), { isValid: true });
    assert.equal((await verifySIWxSignature(payload)).isValid, true);
    assert.equal(payload.statement, 'Come back to what you bought');
});

test('nobody else comes in', async () => {
    const payer = await stack.payer();
    const thief = await stack.payer();
    const url = stack.at('/theft');
    await (await payingFetch(payer)(url)).arrayBuffer();
    const paid = (await stack.spent(payer)).length;

    const refusal = async (response, status, error) => {
        const body = await response.json();
        assert.equal(response.status, status, JSON.stringify(body));
        assert.equal(body.error, error);
    };
    await refusal(await presented(url, await signedIn(thief, url)), 402, 'sign_in_not_paid');

    // The payer's address over the thief's signature.
    const forged = JSON.parse(Buffer.from(await signedIn(thief, url), 'base64').toString());
    forged.address = payer.address;
    await refusal(await presented(url, encodeSIWxHeader(forged)), 401, 'sign_in_signature_invalid');

    // A signature that was used, and one for another place, host, time or nonce.
    const header = await signedIn(payer, url);
    assert.equal((await presented(url, header)).status, 200);
    await refusal(await presented(url, header), 401, 'sign_in_nonce_used');
    await refusal(await presented(stack.at('/elsewhere'), await signedIn(payer, url)), 401, 'sign_in_for_another_resource');
    const challenge = await challengeOf(url);
    for (const [change, error] of [
        [{ nonce: 'ab'.repeat(32) }, 'sign_in_nonce_invalid'],
        [{ issuedAt: '2026-11-28T10:00:00.000Z' }, 'sign_in_malformed'],
        [{ expirationTime: '2099-11-28T10:00:00.000Z' }, 'sign_in_malformed'],
        [{ chainId: 'eip155:1' }, 'sign_in_chain_not_offered'],
        [{ statement: 'anything' }, 'sign_in_malformed'],
    ]) {
        const info = { ...challenge.info, ...challenge.supportedChains[0], ...change };
        await refusal(await presented(url, encodeSIWxHeader(await createSIWxPayload(info, payer, url))), 401, error);
    }
    assert.equal((await stack.spent(payer)).length, paid);
});

test('a route that asks for a signature and no money', async () => {
    const visitor = await stack.payer();
    const url = stack.at('/account/mine');
    const challenge = await fetch(url);
    await challenge.arrayBuffer();
    assert.equal(challenge.status, 402);
    assert.deepEqual(offerOf(challenge).accepts, []);
    for (let i = 0; i < 2; i++) {
        const response = await returningFetch(visitor)(url);
        assert.equal(response.status, 200);
        assert.equal(await response.text(), contentOf('/account/mine'));
    }
    assert.equal((await stack.spent(visitor)).length, 0, 'nothing is paid');

    // A client that only pays finds nothing to pay, and pays nothing.
    await assert.rejects(payingFetch(visitor)(url));
    assert.equal((await stack.spent(visitor)).length, 0);
});

test('the discovery tool knows what asks for a signature alone', async () => {
    const found = await discoverOriginSchema({ target: stack.nginx.url });
    const mode = (path) => found.endpoints.find((each) => each.path === path)?.authMode;
    assert.equal(mode('/account/{path}'), 'siwx');
    assert.equal(mode('/whole/{path}'), 'paid');
});

test('a scope reaches as far as it says', async () => {
    const payer = await stack.payer();
    await (await payingFetch(payer)(stack.at('/whole/a'))).arrayBuffer();
    assert.equal((await presented(stack.at('/whole/b'), await signedIn(payer, stack.at('/whole/b')))).status, 200);
    assert.equal((await presented(stack.at('/wholesale'), await signedIn(payer, stack.at('/wholesale')))).status, 402);
    assert.equal((await stack.spent(payer)).length, 1);
});
