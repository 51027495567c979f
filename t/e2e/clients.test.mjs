// SPDX-License-Identifier: Apache-2.0
// Other official clients, and offers with more than one way to pay.

import assert from 'node:assert/strict';
import { contentOf } from './backend.mjs';
import { baseSepolia, seiTestnet } from './chain.mjs';
import {
    offerOf, payingAxios, payingFetchOn, payingFetchV1, receiptOf, receiptOfV1, signedFor,
} from './client.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;
let base;
let sei;

before(async () => {
    stack = await startStack({
        places: [baseSepolia, seiTestnet],
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
        location /broken { x402_price $0.01; proxy_pass ${backend}; }
        location /both {
            x402_protocol v2 v1;
            x402_accept network=base-sepolia price=0.01;
            x402_accept network=sei-testnet price=0.03;
            proxy_pass ${backend};
        }
        location /tiers {
            x402_price $tier;
            proxy_pass ${backend};
        }
    }`,
        extra: '    map $arg_tier $tier { premium 0.50; default 0.01; }',
    });
    [base, sei] = stack.chains;
});

after(() => stack?.stop());

// axios gives headers as an object of its own; the rest of our helpers know those of fetch().
const asFetched = ({ status, headers, data }) => ({ status, data, headers: new Headers({ ...headers }) });

async function isPaid(response, read, { chain, payer, amount }) {
    assert.equal(response.status, 200);
    const receipt = read(response);
    assert.equal(receipt.success, true);
    assert.equal(receipt.payer.toLowerCase(), payer.address.toLowerCase());
    assert.equal((await chain.receipt(receipt.transaction)).status, 'success');
    assert.deepEqual(await stack.spent(payer, chain), [{
        from: payer.address, to: stack.seller.address, value: amount, transaction: receipt.transaction,
    }]);
    return receipt;
}

test('the official axios client pays: one transfer, the content, a true receipt', async () => {
    const payer = await stack.payer();
    const response = asFetched(await payingAxios(payer).get(stack.at('/weather')));
    assert.deepEqual(response.data, JSON.parse(contentOf('/weather')));
    await isPaid(response, receiptOf, { chain: base, payer, amount: 10_000n });
});

test('it pays for a POST, whose body the backend gets once', async () => {
    const payer = await stack.payer();
    const asked = stack.backend.count('/weather');
    const response = asFetched(await payingAxios(payer).post(stack.at('/weather'), { city: 'ulm' }));
    await isPaid(response, receiptOf, { chain: base, payer, amount: 10_000n });
    const mine = stack.backend.hits.filter(({ path }) => path === '/weather').slice(asked);
    assert.deepEqual(mine.map(({ method, body }) => [method, body]), [['POST', '{"city":"ulm"}']]);
});

test('it sees content that failed as that failure, and keeps its money', async () => {
    const payer = await stack.payer();
    stack.backend.answer('/broken', { status: 500, body: 'sorry' });
    await assert.rejects(payingAxios(payer).get(stack.at('/broken')), ({ response }) => response?.status === 500);
    assert.deepEqual(await stack.spent(payer), []);
});

test('without money it gets the fresh offer, and the reason', async () => {
    const payer = await base.newAccount();
    await assert.rejects(payingAxios(payer).get(stack.at('/weather')), ({ response }) => {
        assert.equal(response.status, 402);
        assert.ok(offerOf(asFetched(response)).error);
        return true;
    });
});

test('two networks in one offer, in the order they are written', async () => {
    const response = await fetch(stack.at('/both'));
    const told = offerOf(response).accepts.map(({ network, asset, amount }) => [network, asset, amount]);
    assert.deepEqual(told, [[base.network, base.asset, '10000'], [sei.network, sei.asset, '30000']]);
    const { accepts } = await response.json();
    assert.deepEqual(accepts.map(({ network }) => network), ['base-sepolia', 'sei-testnet']);
});

for (const [which, amount] of [['base', 10_000n], ['sei', 30_000n]]) {
    test(`each client pays its own: that of ${which}, in either version`, async () => {
        const [chain, other] = which === 'base' ? [base, sei] : [sei, base];
        const payer = await stack.payer(10, chain);
        const earned = await chain.balanceOf(stack.seller.address);
        const elsewhere = await other.balanceOf(stack.seller.address);

        const response = await payingFetchOn(chain, payer)(stack.at('/both'));
        assert.equal(await response.text(), contentOf('/both'));
        const { network } = await isPaid(response, receiptOf, { chain, payer, amount });
        assert.equal(network, chain.network);

        const older = await stack.payer(10, chain);
        const inV1 = await payingFetchV1(chain, older)(stack.at('/both'));
        assert.equal(await inV1.text(), contentOf('/both'));
        const receipt = await isPaid(inV1, receiptOfV1, { chain, payer: older, amount });
        assert.equal(receipt.network, chain.name);

        assert.equal(await chain.balanceOf(stack.seller.address), earned + 2n * amount);
        assert.equal(await other.balanceOf(stack.seller.address), elsewhere);
    });
}

test('clients of both networks at once: each is served for its own transfer', async () => {
    const customers = [];
    for (const chain of [base, sei, base, sei]) customers.push({ chain, payer: await stack.payer(10, chain) });
    const answers = await Promise.all(
        customers.map(({ chain, payer }) => payingFetchOn(chain, payer)(stack.at('/both'))),
    );
    for (const [i, response] of answers.entries()) {
        const { chain, payer } = customers[i];
        await isPaid(response, receiptOf, { chain, payer, amount: chain === base ? 10_000n : 30_000n });
        await response.arrayBuffer();
    }
});

test('a price by the query: a payment for the cheap tier is refused on the expensive one, and good on its own', async () => {
    const payer = await stack.payer();
    const header = await signedFor(payer, stack.at('/tiers'));
    const presented = (path) => fetch(stack.at(path), { headers: { 'payment-signature': header } });

    const [hits, calls] = [stack.backend.hits.length, stack.facilitator.calls.length];
    const refused = await presented('/tiers?tier=premium');
    assert.equal(refused.status, 402);
    assert.equal(offerOf(refused).error, 'No matching payment requirements');
    assert.equal(offerOf(refused).accepts[0].amount, '500000');
    await refused.arrayBuffer();
    assert.equal(stack.backend.hits.length, hits);
    assert.equal(stack.facilitator.calls.length, calls);

    await isPaid(await presented('/tiers'), receiptOf, { chain: base, payer, amount: 10_000n });
    const premium = await stack.payer();
    const dear = await payingFetchOn(base, premium)(stack.at('/tiers?tier=premium'));
    await isPaid(dear, receiptOf, { chain: base, payer: premium, amount: 500_000n });
});
