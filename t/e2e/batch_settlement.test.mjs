// SPDX-License-Identifier: Apache-2.0
// What docs/batch-settlement.md says of the official facilitator, and why the module does not serve the scheme by verify
// and settle alone: a voucher is valid as often as it is shown, and none is settled. After an update of the package that
// says otherwise, the page has to be read again.

import './webcrypto.mjs';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/facilitator';
import { BatchSettlementEvmScheme as ServerScheme } from '@x402/evm/batch-settlement/server';
import { encodeAbiParameters, hashTypedData } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { asset, baseSepolia, network } from './chain.mjs';
import { repository } from './paths.mjs';
import { test } from './testing.mjs';

const contract = '0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003';
const domain = { name: 'x402 Batch Settlement', version: '1', chainId: baseSepolia.chainId, verifyingContract: contract };
const members = (text) => text.split(', ').map((member) => ({ type: member.split(' ')[0], name: member.split(' ')[1] }));
const types = {
    ChannelConfig: members('address payer, address payerAuthorizer, address receiver, address receiverAuthorizer, address token, '
        + 'uint40 withdrawDelay, bytes32 salt'),
    Voucher: members('bytes32 channelId, uint128 maxClaimableAmount'),
};

const payer = privateKeyToAccount(generatePrivateKey());
const [receiver, authorizer] = ['0x2222222222222222222222222222222222222222', '0x3333333333333333333333333333333333333333'];
const config = {
    payer: payer.address, payerAuthorizer: payer.address, receiver, receiverAuthorizer: authorizer, token: asset,
    withdrawDelay: 900, salt: `0x${'01'.repeat(32)}`,
};
const channelId = hashTypedData({ domain, types, primaryType: 'ChannelConfig', message: config });
const requirements = {
    scheme: 'batch-settlement', network, asset, amount: '10000', payTo: receiver, maxTimeoutSeconds: 300,
    extra: { name: 'USDC', version: '2', receiverAuthorizer: authorizer, withdrawDelay: 900 },
};

// A chain on which each channel has a dollar that was not claimed; nothing is sent to it.
const sent = [];
const words = (...numbers) => encodeAbiParameters(numbers.map(() => ({ type: 'uint256' })), numbers);
const facilitator = new BatchSettlementEvmScheme({
    getAddresses: () => [authorizer],
    readContract: async () => [words(1_000_000n, 0n), words(0n, 0n), words(0n)]
        .map((returnData) => ({ success: true, returnData })),
    writeContract: async (call) => { sent.push(call); throw new Error('nothing is to be sent'); },
    sendTransaction: async (call) => { sent.push(call); throw new Error('nothing is to be sent'); },
});

async function voucher(sum) {
    const signature = await payer.signTypedData({
        domain, types, primaryType: 'Voucher', message: { channelId, maxClaimableAmount: BigInt(sum) },
    });
    return {
        x402Version: 2, accepted: requirements,
        payload: { type: 'voucher', channelConfig: config, voucher: { channelId, maxClaimableAmount: String(sum), signature } },
    };
}

test('a voucher that is verified twice is valid twice, and a smaller one after it', async () => {
    for (const sum of [30_000, 30_000, 20_000, 10_000]) {
        const said = await facilitator.verify(await voucher(sum), requirements);
        assert.equal(said.isValid, true, said.invalidReason);
        assert.equal(said.extra.totalClaimed, '0');
    }
    const forged = await voucher(10_000);
    forged.payload.voucher.maxClaimableAmount = '20000';
    assert.equal((await facilitator.verify(forged, requirements)).isValid, false);
});

test('no voucher is settled by the facilitator', async () => {
    const said = await facilitator.settle(await voucher(10_000), requirements);
    assert.equal(said.success, false);
    assert.equal(said.errorReason, 'invalid_batch_settlement_evm_payload_type');
    assert.equal(said.transaction, '');
    assert.deepEqual(sent, []);
});

// Deposits, claims and refunds run in contracts. The code of one begins with these bytes.
test('the packages have the side of the server, and not the contracts', async () => {
    assert.equal(new ServerScheme(receiver).scheme, 'batch-settlement');
    const folder = join(repository, 't', 'e2e', 'node_modules', '@x402', 'evm', 'dist', 'cjs');
    const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js'));
    const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
    assert.ok(texts.some((text) => text.includes(contract)));
    assert.deepEqual(texts.filter((text) => text.includes('60806040')), []);
});
