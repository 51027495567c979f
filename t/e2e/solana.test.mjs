// SPDX-License-Identifier: Apache-2.0
// Solana by the official client, alone and beside an EVM network: two networks in one location, as servers made with
// the official SDKs offer them.

import assert from 'node:assert/strict';
import { contentOf } from './backend.mjs';
import { asset, network } from './chain.mjs';
import { offerOf, payingFetch, receiptOf, sealedPayment } from './client.mjs';
import { until } from './process.mjs';
import { startSolana, startSolanaFacilitator } from './solana.mjs';
import { startStack } from './stack.mjs';
import { after, afterEach, before, test } from './testing.mjs';

let stack;
let solana;
let cashier;
let seller;

// The account that pays the fees, as the seller writes it.
const sponsored = () => `'extra={"feePayer":"${cashier.address}"}'`;

before(async () => {
    stack = await startStack({
        workers: 2,
        prepare: async ({ keep }) => {
            solana = keep(await startSolana());
            cashier = keep(await startSolanaFacilitator(solana));
            ({ address: seller } = await solana.newAccount());
        },
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /health { x402 off; proxy_pass ${backend}; }
        location /weather {
            x402_methods GET;
            x402_accept network=base-sepolia price=0.01;
            x402_accept network=solana-devnet pay_to=${seller} price=0.01 facilitator=${cashier.url} ${sponsored()};
            proxy_pass ${backend};
        }
        location /premium/ {
            x402_accept network=eip155:84532 amount=10000 asset=${asset} 'extra={"name":"USDC","version":"2"}';
            x402_accept network=${solana.network} pay_to=${seller} price=0.03 facilitator=${cashier.url} ${sponsored()};
            proxy_pass ${backend};
        }
        location /told {
            x402_facilitator ${cashier.url};
            x402_network solana-devnet;
            x402_pay_to ${seller};
            x402_price $0.02;
            proxy_pass ${backend};
        }
    }`,
    });
});

afterEach(() => cashier?.reset());

after(() => stack?.stop());

const paidBy = (address) => solana.transfers.filter(({ from }) => from === address);
const solanaOf = (response) => offerOf(response).accepts.find((accept) => accept.network === solana.network);

async function isPaid(response, path, payer, value) {
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf(path));
    const receipt = receiptOf(response);
    assert.equal(receipt.success, true);
    assert.equal(receipt.network, solana.network);
    assert.equal(receipt.payer, payer.address);
    assert.deepEqual(paidBy(payer.address), [{
        from: payer.address, asset: solana.asset, value, feePayer: cashier.address, transaction: receipt.transaction,
    }]);
}

// The payment that the facilitator was asked about last, as the client would present it again.
const lastPayment = () => sealedPayment(cashier.last('/settle').question.paymentPayload);
const presented = (path, header) => fetch(stack.at(path), { headers: { 'payment-signature': header } });

test('two networks in one offer, in the order they are written', async () => {
    const response = await fetch(stack.at('/weather'));
    assert.equal(response.status, 402);
    const { accepts } = offerOf(response);
    assert.deepEqual(accepts.map((accept) => [accept.network, accept.asset, accept.amount]), [
        [network, asset, '10000'], [solana.network, solana.asset, '10000'],
    ]);
    assert.deepEqual(accepts[1], {
        scheme: 'exact',
        network: solana.network,
        amount: '10000',
        asset: solana.asset,
        payTo: seller,
        maxTimeoutSeconds: 300,
        extra: { feePayer: cashier.address },
    });
    await response.arrayBuffer();
});

test('/health is free, and so is a method that is not listed', async () => {
    for (const [path, method] of [['/health', 'GET'], ['/weather', 'POST']]) {
        const response = await fetch(stack.at(path), { method });
        assert.equal(response.status, 200);
        assert.equal(await response.text(), contentOf(path));
    }
});

for (const [path, value] of [['/weather', 10_000n], ['/premium/content', 30_000n]]) {
    test(`the official Solana client pays ${path}`, async () => {
        const payer = await solana.newAccount();
        await isPaid(await solana.payingFetch(payer)(stack.at(path)), path, payer, value);
    });
}

test('the fee payer that the facilitator names is in the offer, and the client pays', async () => {
    const { kinds } = await (await fetch(`${cashier.url}/supported`)).json();
    const [{ extra }] = kinds.filter((kind) => kind.network === solana.network);
    // It is asked for in the background, and there is no offer before it is heard.
    const offer = await until('the facilitator was heard', async () => {
        const response = await fetch(stack.at('/told'));
        await response.arrayBuffer();
        assert.ok([402, 503].includes(response.status), `status ${response.status}`);
        return offerOf(response);
    }, 3_000);
    assert.deepEqual(offer.accepts.map((accept) => accept.extra), [extra]);
    const payer = await solana.newAccount();
    await isPaid(await solana.payingFetch(payer)(stack.at('/told')), '/told', payer, 20_000n);
});

for (const path of ['/weather', '/premium/content']) {
    test(`each client pays its own: that of the EVM network, at ${path}`, async () => {
        const payer = await stack.payer();
        const moved = solana.transfers.length;
        const response = await payingFetch(payer)(stack.at(path));
        assert.equal(response.status, 200);
        assert.equal(await response.text(), contentOf(path));
        const { transaction } = receiptOf(response);
        assert.deepEqual(await stack.spent(payer), [{
            from: payer.address, to: stack.seller.address, value: 10_000n, transaction,
        }]);
        assert.equal(solana.transfers.length, moved);
    });
}

test('a used payment buys nothing more, there or elsewhere', async () => {
    const payer = await solana.newAccount();
    await isPaid(await solana.payingFetch(payer)(stack.at('/weather')), '/weather', payer, 10_000n);
    const header = lastPayment();
    const [hits, calls] = [stack.backend.hits.length, cashier.count('/settle')];
    for (const path of ['/weather', '/weather?again']) {
        const response = await presented(path, header);
        assert.equal(response.status, 402, path);
        assert.equal(offerOf(response).error, 'payment_already_used', path);
        await response.arrayBuffer();
    }
    assert.equal(stack.backend.hits.length, hits);
    assert.equal(cashier.count('/settle'), calls);
    assert.equal(paidBy(payer.address).length, 1);
});

test('a payment for less, whatever it claims to have accepted, is refused', async () => {
    const payer = await solana.newAccount();
    cashier.next('/verify', { refused: 'invalid_exact_svm_payload_amount_mismatch' });
    const first = await solana.payingFetch(payer)(stack.at('/weather'));
    assert.equal(first.status, 402);
    assert.equal(offerOf(first).error, 'invalid_exact_svm_payload_amount_mismatch');
    await first.arrayBuffer();

    const payment = cashier.last('/verify').question.paymentPayload;
    const asked = stack.backend.count('/premium/content');
    const accepted = solanaOf(await fetch(stack.at('/premium/content')));
    const response = await presented('/premium/content', sealedPayment({ ...payment, accepted }));
    assert.equal(response.status, 402);
    assert.match(offerOf(response).error, /amount/);
    await response.arrayBuffer();
    assert.equal(stack.backend.count('/premium/content'), asked);
    assert.deepEqual(paidBy(payer.address), []);
});

test('an answer that is lost: unknown, and never a demand for more money', async () => {
    const payer = await solana.newAccount();
    cashier.next('/settle', { lost: true });
    const unknown = await solana.payingFetch(payer)(stack.at('/weather'));
    assert.equal(unknown.status, 503);
    assert.equal((await unknown.json()).error, 'settlement_unknown');
    assert.equal(paidBy(payer.address).length, 1, 'the money did move');

    const again = await presented('/weather', lastPayment());
    assert.ok([200, 503].includes(again.status), `status ${again.status}`);
    assert.equal(offerOf(again), undefined);
    await again.arrayBuffer();
    assert.equal(paidBy(payer.address).length, 1);
});
