// SPDX-License-Identifier: Apache-2.0
// Signed offers and receipts, believed by the official client side: it finds the key by the DID in the signature.

import './webcrypto.mjs';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import {
    decodeSignedOffers, extractOffersFromPaymentRequired, extractReceiptFromResponse, extractReceiptPayload,
    findAcceptsObjectFromSignedOffer, verifyOfferSignatureJWS, verifyReceiptMatchesOffer, verifyReceiptSignatureJWS,
} from '@x402/extensions/offer-receipt';
import { contentOf } from './backend.mjs';
import { offerOf, payingFetch, receiptOf } from './client.mjs';
import { freshDirectory } from './paths.mjs';
import { freePort } from './process.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;
let did;

function key(name, ...kind) {
    const path = join(freshDirectory('keys'), name);
    execFileSync('openssl', ['genpkey', ...kind, '-out', path], { stdio: 'ignore' });
    chmodSync(path, 0o600);
    return path;
}

before(async () => {
    const port = await freePort();
    did = `did:web:127.0.0.1%3A${port}`;
    const first = key('first.pem', '-algorithm', 'ed25519');
    const second = key('second.pem', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256');
    stack = await startStack({
        port,
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        server_name 127.0.0.1;
        x402_price $0.01;
        location /ed25519 { x402_sign_offers key=${first} kid=${did}#first; proxy_pass ${backend}; }
        location /es256 { x402_sign_offers key=${second} kid=${did}#second; proxy_pass ${backend}; }
        location = /.well-known/did.json { x402_did_document ${did}; }
    }`,
    });
});

after(() => stack?.stop());

for (const [path, fragment] of [['/ed25519', 'first'], ['/es256', 'second']]) {
    test(`${path}: the official client believes the offer, pays it, and believes the receipt`, async () => {
        const payer = await stack.payer();
        const unpaid = await fetch(stack.at(path));
        await unpaid.arrayBuffer();
        const required = offerOf(unpaid);
        const [signed] = extractOffersFromPaymentRequired(required);
        const offer = await verifyOfferSignatureJWS(signed);
        assert.equal(offer.resourceUrl, stack.at(path));
        assert.deepEqual(findAcceptsObjectFromSignedOffer(signed, required.accepts), required.accepts[0]);
        assert.equal(decodeSignedOffers([signed])[0].amount, '10000');

        const response = await payingFetch(payer)(stack.at(path));
        assert.equal(response.status, 200);
        assert.equal(await response.text(), contentOf(path));
        const receipt = extractReceiptFromResponse(response);
        const paid = await verifyReceiptSignatureJWS(receipt);
        assert.equal(paid.transaction, receiptOf(response).transaction);
        assert.ok(verifyReceiptMatchesOffer(receipt, offer, [payer.address]));
        assert.deepEqual(extractReceiptPayload(receipt), paid);
        assert.equal((await stack.spent(payer)).length, 1);

        const [header] = receipt.signature.split('.').map((part) => Buffer.from(part, 'base64url').toString());
        assert.equal(JSON.parse(header).kid, `${did}#${fragment}`);
    });
}

test('a changed offer or receipt, or the key of another, is not believed', async () => {
    const response = await fetch(stack.at('/ed25519'));
    await response.arrayBuffer();
    const [signed] = extractOffersFromPaymentRequired(offerOf(response));
    const [header, payload, signature] = signed.signature.split('.');
    const cheaper = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('10000', '1')).toString('base64url');
    await assert.rejects(verifyOfferSignatureJWS({ ...signed, signature: [header, cheaper, signature].join('.') }));
    const other = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid: `${did}#second` })).toString('base64url');
    await assert.rejects(verifyOfferSignatureJWS({ ...signed, signature: [other, payload, signature].join('.') }));
});
