// SPDX-License-Identifier: Apache-2.0
// The arrangement itself, without nginx: were any of it pretence, the other tests would prove nothing.

import assert from 'node:assert/strict';
import { parseSignature } from 'viem';
import { asset, dollars, network, startChain } from './chain.mjs';
import { paymentFor } from './client.mjs';
import { startFacilitator } from './facilitator.mjs';
import { after, before, test } from './testing.mjs';

let chain;
let facilitator;
let seller;

before(async () => {
    chain = await startChain();
    facilitator = await startFacilitator(chain);
    seller = await chain.newAccount();
});

after(async () => {
    await facilitator?.stop();
    await chain?.stop();
});

const requirement = () => ({
    scheme: 'exact',
    network,
    amount: '10000',
    asset,
    payTo: seller.address,
    maxTimeoutSeconds: 300,
    extra: { name: 'USDC', version: '2' },
});

async function customer(amount = 1) {
    const account = await chain.newAccount();
    await chain.mint(account.address, dollars(amount));
    return account;
}

// A signed payment in the words of the facilitator's interface.
async function signed(account) {
    const offer = {
        x402Version: 2,
        resource: { url: 'http://127.0.0.1/thing', description: '', mimeType: '' },
        accepts: [requirement()],
    };
    const header = await paymentFor(account, offer);
    return {
        x402Version: 2,
        paymentPayload: JSON.parse(Buffer.from(header, 'base64').toString('utf8')),
        paymentRequirements: requirement(),
    };
}

async function ask(path, question) {
    const response = await fetch(`${facilitator.url}${path}`, { method: 'POST', body: JSON.stringify(question) });
    return { status: response.status, ...await response.json() };
}

test('the facilitator supports the network', async () => {
    const response = await fetch(`${facilitator.url}/supported`);
    const { kinds } = await response.json();
    assert.deepEqual(kinds.map(({ x402Version, scheme, network: on }) => [x402Version, scheme, on]), [
        [2, 'exact', network],
        [2, 'upto', network],
        [1, 'exact', 'base-sepolia'],
    ]);
    const upto = kinds.find(({ scheme }) => scheme === 'upto');
    assert.match(upto.extra.facilitatorAddress, /^0x[0-9a-fA-F]{40}$/);
});

test('a payment verifies, settles once, and moves exactly its amount', async () => {
    const payer = await customer();
    const earlier = await chain.balanceOf(seller.address);
    const payment = await signed(payer);

    assert.equal((await ask('/verify', payment)).isValid, true);
    assert.equal(await chain.balanceOf(seller.address), earlier, 'verifying moves nothing');

    const settled = await ask('/settle', payment);
    assert.equal(settled.success, true);
    assert.equal((await chain.receipt(settled.transaction)).status, 'success');
    assert.equal(await chain.balanceOf(seller.address), earlier + 10_000n);
    assert.equal(await chain.balanceOf(payer.address), dollars(1) - 10_000n);

    const again = await ask('/settle', payment);
    assert.equal(again.success, false);
    assert.equal(again.errorReason, 'invalid_exact_evm_nonce_already_used');
    assert.equal((await chain.transfers({ from: payer.address })).length, 1);
});

test('a payment changed after it was signed does not verify', async () => {
    const payment = await signed(await customer());
    payment.paymentPayload.payload.authorization.value = '9999';
    payment.paymentRequirements.amount = '9999';
    payment.paymentPayload.accepted.amount = '9999';
    assert.equal((await ask('/verify', payment)).isValid, false);
});

test('a payment without money behind it does not verify', async () => {
    const payment = await signed(await chain.newAccount());
    assert.equal((await ask('/verify', payment)).isValid, false);
});

test('ten payments settled at once all arrive', async () => {
    const payers = await Promise.all(Array.from({ length: 10 }, () => chain.newAccount()));
    for (const payer of payers) await chain.mint(payer.address, dollars(1));
    const earlier = await chain.balanceOf(seller.address);
    const payments = await Promise.all(payers.map(signed));
    const answers = await Promise.all(payments.map((payment) => ask('/settle', payment)));
    assert.deepEqual(answers.map(({ success }) => success), Array(10).fill(true));
    assert.equal(await chain.balanceOf(seller.address), earlier + 100_000n);
});

test('faults happen once and only as ordered', async () => {
    const payer = await customer();
    const payment = await signed(payer);

    facilitator.next('/settle', { status: 503, body: '{}' });
    assert.equal((await ask('/settle', payment)).status, 503);
    facilitator.next('/settle', { refused: 'invalid_exact_evm_signature' });
    assert.equal((await ask('/settle', payment)).errorReason, 'invalid_exact_evm_signature');
    assert.equal((await chain.transfers({ from: payer.address })).length, 0);

    facilitator.next('/settle', { lost: true });
    await assert.rejects(ask('/settle', payment));
    assert.equal((await chain.transfers({ from: payer.address })).length, 1, 'the money moved, the answer did not');
});

// The official packages use one of the two forms of a signature and one of the functions only.
test('the token takes both forms of a signature, and cancellations', async () => {
    const payer = await customer();
    const stranger = await chain.newAccount();
    const domain = { name: 'USDC', version: '2', chainId: 84532, verifyingContract: asset };
    const move = [
        ['from', 'address'], ['to', 'address'], ['value', 'uint256'],
        ['validAfter', 'uint256'], ['validBefore', 'uint256'], ['nonce', 'bytes32'],
    ].map(([name, type]) => ({ name, type }));
    const types = {
        TransferWithAuthorization: move,
        ReceiveWithAuthorization: move,
        CancelAuthorization: [{ name: 'authorizer', type: 'address' }, { name: 'nonce', type: 'bytes32' }],
    };
    const sign = (primaryType, message) => payer.signTypedData({ domain, types, primaryType, message });
    const parts = (signature) => {
        const { v, r, s } = parseSignature(signature);
        return [Number(v), r, s];
    };
    const order = (number) => ({
        from: payer.address,
        to: seller.address,
        value: 7n,
        validAfter: 0n,
        validBefore: 1n << 40n,
        nonce: `0x${String(number).padStart(64, '0')}`,
    });
    const call = (account, functionName, message, ...signature) =>
        chain.write(account, functionName, ...Object.values(message), ...signature);
    const earlier = await chain.balanceOf(seller.address);

    const whole = await sign('TransferWithAuthorization', order(1));
    await call(stranger, 'transferWithAuthorization', order(1), whole);
    await assert.rejects(call(stranger, 'transferWithAuthorization', order(1), whole), /authorization is used/);
    await call(stranger, 'transferWithAuthorization', order(2),
        ...parts(await sign('TransferWithAuthorization', order(2))));

    const received = await sign('ReceiveWithAuthorization', order(3));
    await assert.rejects(call(stranger, 'receiveWithAuthorization', order(3), received), /caller must be the payee/);
    await call(seller, 'receiveWithAuthorization', order(3), received);
    await call(seller, 'receiveWithAuthorization', order(4),
        ...parts(await sign('ReceiveWithAuthorization', order(4))));
    assert.equal(await chain.balanceOf(seller.address), earlier + 28n);

    const { nonce } = order(5);
    const cancelled = await sign('CancelAuthorization', { authorizer: payer.address, nonce });
    await chain.write(stranger, 'cancelAuthorization', payer.address, nonce, cancelled);
    assert.equal(await chain.read('authorizationState', payer.address, nonce), true);
    await assert.rejects(
        call(stranger, 'transferWithAuthorization', order(5), await sign('TransferWithAuthorization', order(5))),
        /authorization is used/,
    );

    await assert.rejects(
        call(stranger, 'transferWithAuthorization', { ...order(6), value: 8n },
            await sign('TransferWithAuthorization', order(6))),
        /invalid signature/,
    );
});
