// SPDX-License-Identifier: Apache-2.0
// MPP on the same 402: mppx pays with its own headers through an official x402 facilitator, its validator has no fault to
// find, and the official x402 client pays as before.

import './webcrypto.mjs';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Credential, Receipt } from 'mppx';
import { Mppx } from 'mppx/client';
import { evm } from 'mppx/evm/client';
import { contentOf } from './backend.mjs';
import { network } from './chain.mjs';
import { openedPayment, offerOf, payingFetch, receiptOf, sealedPayment, signedFor } from './client.mjs';
import { freshDirectory, repository } from './paths.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;

before(async () => {
    const key = join(freshDirectory('keys'), 'mpp.key');
    writeFileSync(key, randomBytes(32).toString('hex'));
    chmodSync(key, 0o600);
    stack = await startStack({
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        x402_protocol v2 mpp;
        x402_mpp key=${key};
        x402_price $0.01;
        location / { proxy_pass ${backend}; }
        location = /openapi.json { x402_manifest openapi; }
        location /weather { proxy_pass ${backend}; }
        location /missing { proxy_pass ${backend}; }
    }`,
    });
});

after(() => stack?.stop());

// mppx takes native challenges first; the header that it sends is kept for tests that present it again.
function payer(account) {
    const sent = [];
    const client = Mppx.create({
        polyfill: false,
        fetch: (input, init) => {
            const header = new Headers(init?.headers).get('authorization');
            if (header) sent.push(header);
            return fetch(input, init);
        },
        methods: [evm.charge ? evm.charge({ account, authorization: { name: 'USDC', version: '2' } })
            : evm({ account, authorization: { name: 'USDC', version: '2' } })],
    });
    return { pay: client.fetch, sent };
}

test('mppx pays with its own headers: one transfer of the price, the content, a receipt that names it', async () => {
    const account = await stack.payer();
    const { pay, sent } = payer(account);
    const response = await pay(stack.at('/weather'));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf('/weather'));
    assert.match(sent[0], /^Payment /);
    const receipt = Receipt.fromResponse(response);
    assert.equal(receipt.method, 'evm');
    assert.deepEqual(await stack.spent(account), [{
        from: account.address, to: stack.seller.address, value: 10000n, transaction: receipt.reference,
    }]);
    assert.equal(offerOf(response), undefined);
    assert.equal(receiptOf(response), undefined);

    // The same credential, and the same authorization in the other dialect: used, and nothing moves.
    const again = await fetch(stack.at('/weather'), { headers: { Authorization: sent[0] } });
    assert.equal(again.status, 402);
    assert.equal(again.headers.get('content-type'), 'application/problem+json');
    assert.match((await again.json()).detail, /payment_already_used/);
    const { payload } = Credential.deserialize(sent[0]);
    const { signature, type, ...authorization } = payload;
    const shell = openedPayment(await signedFor(account, stack.at('/weather')));
    const other = await fetch(stack.at('/weather'), {
        headers: { 'PAYMENT-SIGNATURE': sealedPayment({ ...shell, payload: { signature, authorization } }) },
    });
    assert.equal(other.status, 402);
    assert.equal(offerOf(other).error, 'payment_already_used');
    assert.equal((await stack.spent(account)).length, 1);
});

test('twenty at once by one payer are twenty payments', async () => {
    const account = await stack.payer();
    const { pay } = payer(account);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => pay(stack.at(`/weather?n=${i % 2}`))));
    const references = await Promise.all(answers.map(async (response) => {
        assert.equal(response.status, 200, await response.text());
        return Receipt.fromResponse(response).reference;
    }));
    assert.equal(new Set(references).size, 20);
    assert.equal((await stack.spent(account)).length, 20);
});

test('an empty wallet gets a problem of MPP, and no content', async () => {
    const account = await stack.payer(0);
    const { pay } = payer(account);
    const response = await pay(stack.at('/weather'));
    assert.equal(response.status, 402);
    const problem = await response.json();
    assert.equal(problem.type, 'https://paymentauth.org/problems/verification-failed');
    assert.deepEqual(await stack.spent(account), []);
});

test('the official x402 client pays the same 402 as before', async () => {
    const account = await stack.payer();
    const response = await payingFetch(account)(stack.at('/weather'));
    assert.equal(await response.text(), contentOf('/weather'));
    assert.equal(receiptOf(response).network, network);
    assert.equal(response.headers.get('payment-receipt'), null);
    assert.equal((await stack.spent(account)).length, 1);
});

test('the validator of mppx has no fault to find', async () => {
    const program = join(repository, 't', 'e2e', 'node_modules', '.bin', 'mppx');
    const { stdout } = await promisify(execFile)(program,
        ['validate', stack.nginx.url, '--endpoint', 'GET:/weather', '--output-json'], { timeout: 120_000 }).catch((error) => error);
    const report = JSON.parse(stdout.slice(stdout.indexOf('{')));
    assert.equal(report.summary.failed, 0, stdout);
    assert.match(stdout, /Malformed credential returns 402/);
    assert.match(stdout, /Challenge parseable/);
});
