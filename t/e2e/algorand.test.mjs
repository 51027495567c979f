// SPDX-License-Identifier: Apache-2.0
// Algorand by the clients of both packages, each at the facilitator of each.

import assert from 'node:assert/strict';
import { newAddress, packages, startAlgorand, startAlgorandFacilitator } from './algorand.mjs';
import { contentOf } from './backend.mjs';
import { network } from './chain.mjs';
import { offerOf, payingFetch, receiptOf, sealedPayment } from './client.mjs';
import { until } from './process.mjs';
import { startSolana, startSolanaFacilitator } from './solana.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

const shops = { '@x402/avm': '/official', '@x402-avm/avm': '/goplausible' };

let stack;
let algorand;
let cashiers;
let solana;
const seller = newAddress();

// What a seller may want to add.
const told = { name: 'USDC', decimals: 6, tag: 'challenge' };

// The account that pays the fees, as the seller writes it.
const sponsored = (name) => `'extra={"feePayer":"${cashiers[name].address}"}'`;

before(async () => {
    stack = await startStack({
        workers: 2,
        prepare: async ({ chain, keep }) => {
            algorand = keep(await startAlgorand());
            cashiers = {};
            for (const name of Object.keys(packages)) {
                cashiers[name] = keep(await startAlgorandFacilitator(algorand, name));
            }
            solana = keep(await startSolana());
            return {
                solanaSeller: (await solana.newAccount()).address,
                solanaCashier: keep(await startSolanaFacilitator(solana)),
                evmSeller: await chain.newAccount(),
            };
        },
        extra: '    large_client_header_buffers 4 32k;',
        servers: ({ listen, backend, facilitator, evmSeller, solanaSeller, solanaCashier }) => `
    server {
        listen ${listen};
        x402_network algorand-testnet;
        x402_pay_to ${seller};
        x402_facilitator ${cashiers['@x402/avm'].url};
        location /official { x402_accept price=0.01 ${sponsored('@x402/avm')}; proxy_pass ${backend}; }
        location /goplausible {
            x402_facilitator ${cashiers['@x402-avm/avm'].url};
            x402_accept price=0.01 ${sponsored('@x402-avm/avm')};
            proxy_pass ${backend};
        }
        location /dear { x402_accept price=0.02 ${sponsored('@x402/avm')}; proxy_pass ${backend}; }
        location /told { x402_price $0.01; proxy_pass ${backend}; }
        location /amount {
            x402_accept network=${algorand.network} amount=50000 asset=${algorand.asset}
                        'extra=${JSON.stringify({ ...told, feePayer: cashiers['@x402/avm'].address })}';
            proxy_pass ${backend};
        }
        location /all {
            x402_accept price=0.01 ${sponsored('@x402/avm')};
            x402_accept network=base-sepolia pay_to=${evmSeller.address} price=0.02 facilitator=${facilitator.url};
            x402_accept network=solana-devnet pay_to=${solanaSeller} price=0.03 facilitator=${solanaCashier.url}
                        'extra={"feePayer":"${solanaCashier.address}"}';
            proxy_pass ${backend};
        }
    }`,
    });
});

after(() => stack?.stop());

const paidBy = (address) => algorand.transfers.filter(({ from }) => from === address);
const presented = (path, header) => fetch(stack.at(path), { headers: { 'payment-signature': header } });

async function isPaid(response, path, payer, value) {
    assert.equal(response.status, 200);
    assert.equal(await response.text(), contentOf(path));
    const receipt = receiptOf(response);
    assert.equal(receipt.success, true);
    assert.equal(receipt.network, algorand.network);
    assert.equal(receipt.payer, payer.address);
    assert.deepEqual(paidBy(payer.address), [{
        from: payer.address, to: seller, asset: algorand.asset, value, transaction: receipt.transaction,
    }]);
}

for (const [name, path] of Object.entries(shops)) {
    test(`the offer is that of the seller, with the fee payer of ${name}`, async () => {
        const response = await fetch(stack.at(path));
        assert.equal(response.status, 402);
        const offer = offerOf(response);
        assert.equal(offer.x402Version, 2);
        assert.deepEqual(offer.accepts, [{
            scheme: 'exact',
            network: 'algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=',
            amount: '10000',
            asset: '10458941',
            payTo: seller,
            maxTimeoutSeconds: 300,
            extra: { feePayer: cashiers[name].address },
        }]);
        await response.arrayBuffer();
    });

    for (const client of Object.keys(packages)) {
        test(`the client of ${client} pays at the facilitator of ${name}`, async () => {
            const payer = algorand.newPayer(client);
            const settled = cashiers[name].count('/settle');
            await isPaid(await payer.pay(stack.at(path)), path, payer, 10_000n);
            assert.equal(cashiers[name].count('/settle'), settled + 1);
        });
    }
}

test('the fee payer that the facilitator names is in the offer, and both clients pay', async () => {
    const { address } = cashiers['@x402/avm'];
    // It is asked for in the background; before it is heard, clients would pay their fees themselves.
    await until('the facilitator was heard', async () => {
        const response = await fetch(stack.at('/told'));
        await response.arrayBuffer();
        return offerOf(response)?.accepts[0].extra.feePayer === address;
    }, 3_000);
    for (const client of Object.keys(packages)) {
        const payer = algorand.newPayer(client);
        await isPaid(await payer.pay(stack.at('/told')), '/told', payer, 10_000n);
    }
});

test('an amount in units of the asset, with members of the seller', async () => {
    const response = await fetch(stack.at('/amount'));
    const [{ amount, asset, extra }] = offerOf(response).accepts;
    await response.arrayBuffer();
    assert.deepEqual({ amount, asset, extra }, {
        amount: '50000',
        asset: '10458941',
        extra: { ...told, feePayer: cashiers['@x402/avm'].address },
    });
    const payer = algorand.newPayer('@x402-avm/avm');
    await isPaid(await payer.pay(stack.at('/amount')), '/amount', payer, 50_000n);
    assert.equal(cashiers['@x402/avm'].last('/settle').question.paymentRequirements.extra.tag, 'challenge');
});

test('a used payment buys nothing more, there or elsewhere', async () => {
    const payer = algorand.newPayer('@x402/avm');
    await isPaid(await payer.pay(stack.at('/official')), '/official', payer, 10_000n);
    const header = sealedPayment(cashiers['@x402/avm'].last('/settle').question.paymentPayload);
    const hits = stack.backend.hits.length;
    for (const path of ['/official', '/official?again', '/all']) {
        const response = await presented(path, header);
        assert.equal(response.status, 402, path);
        assert.equal(offerOf(response).error, 'payment_already_used', path);
        await response.arrayBuffer();
    }
    assert.equal(stack.backend.hits.length, hits);
    assert.equal(paidBy(payer.address).length, 1);
});

test('a payment for less, whatever it claims to have accepted, is refused', async () => {
    const payer = algorand.newPayer('@x402/avm');
    const cashier = cashiers['@x402/avm'];
    cashier.next('/verify', { refused: 'invalid_exact_avm_simulation_failed' });
    const first = await payer.pay(stack.at('/official'));
    assert.equal(first.status, 402);
    assert.equal(offerOf(first).error, 'invalid_exact_avm_simulation_failed');
    await first.arrayBuffer();

    const payment = cashier.last('/verify').question.paymentPayload;
    const asked = stack.backend.count('/dear');
    const [accepted] = offerOf(await fetch(stack.at('/dear'))).accepts;
    const response = await presented('/dear', sealedPayment({ ...payment, accepted }));
    assert.equal(response.status, 402);
    assert.match(offerOf(response).error, /amount/);
    await response.arrayBuffer();
    assert.equal(stack.backend.count('/dear'), asked);
    assert.deepEqual(paidBy(payer.address), []);
});

test('an answer that is lost: unknown, and never a demand for more money', async () => {
    const payer = algorand.newPayer('@x402/avm');
    const cashier = cashiers['@x402/avm'];
    cashier.next('/settle', { lost: true });
    const unknown = await payer.pay(stack.at('/official'));
    assert.equal(unknown.status, 503);
    assert.equal((await unknown.json()).error, 'settlement_unknown');
    assert.equal(paidBy(payer.address).length, 1, 'the money did move');

    const again = await presented('/official', sealedPayment(cashier.last('/settle').question.paymentPayload));
    assert.ok([200, 503].includes(again.status), `status ${again.status}`);
    assert.equal(offerOf(again), undefined);
    await again.arrayBuffer();
    assert.equal(paidBy(payer.address).length, 1);
});

for (const [name, path] of Object.entries(shops)) {
    // Each facilitator simulates when it verifies, and once more before it sends.
    test(`a node that fails before ${name} sends anything: refused, and the payment is still good`, async () => {
        const payer = algorand.newPayer(name);
        algorand.breaksAt('simulate', 1);
        const refused = await payer.pay(stack.at(path));
        algorand.mend();
        assert.equal(refused.status, 402);
        assert.ok(offerOf(refused).accepts.length, 'a fresh offer');
        assert.match(receiptOf(refused).errorReason, /^(?:invalid_exact_avm_simulation_failed|Transaction simulation failed: )/);
        assert.ok(!(await refused.text()).includes(contentOf(path)));
        assert.deepEqual(paidBy(payer.address), []);

        const header = sealedPayment(cashiers[name].last('/settle').question.paymentPayload);
        await isPaid(await presented(path, header), path, payer, 10_000n);
    });

    test(`a node that fails while ${name} sends: unknown, and the payment can be finished`, async () => {
        const payer = algorand.newPayer(name);
        algorand.breaksAt('send');
        const unknown = await payer.pay(stack.at(path));
        algorand.mend();
        assert.equal(unknown.status, 503);
        assert.equal((await unknown.json()).error, 'settlement_unknown');
        assert.equal(offerOf(unknown), undefined);

        const header = sealedPayment(cashiers[name].last('/settle').question.paymentPayload);
        await isPaid(await presented(path, header), path, payer, 10_000n);
    });
}

test('three families in one offer: each client pays its own', async () => {
    const offered = await fetch(stack.at('/all'));
    assert.deepEqual(offerOf(offered).accepts.map((accept) => [accept.network, accept.amount]), [
        [algorand.network, '10000'], [network, '20000'], [solana.network, '30000'],
    ]);
    await offered.arrayBuffer();

    for (const client of Object.keys(packages)) {
        const payer = algorand.newPayer(client);
        await isPaid(await payer.pay(stack.at('/all')), '/all', payer, 10_000n);
    }

    const evmPayer = await stack.payer();
    const byEvm = await payingFetch(evmPayer)(stack.at('/all'));
    assert.equal(byEvm.status, 200);
    await byEvm.arrayBuffer();
    const spent = (await stack.spent(evmPayer)).map(({ to, value }) => [to, value]);
    assert.deepEqual(spent, [[stack.evmSeller.address, 20_000n]]);

    const solanaPayer = await solana.newAccount();
    const bySolana = await solana.payingFetch(solanaPayer)(stack.at('/all'));
    assert.equal(bySolana.status, 200);
    await bySolana.arrayBuffer();
    assert.deepEqual(solana.transfers.map(({ from, value }) => [from, value]), [[solanaPayer.address, 30_000n]]);
});
