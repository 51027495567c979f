// SPDX-License-Identifier: Apache-2.0
// A local EVM chain that passes for Base Sepolia or another network, with our test token where that network's USDC is:
// the official clients pay known assets only. Every figure is read from the chain.

import './webcrypto.mjs';
import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPublicClient, createWalletClient, defineChain, http } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { output } from './paths.mjs';
import { start, stop, until } from './process.mjs';
import { permit2, token } from './token.mjs';

// Networks whose USDC has the name and version of our token. `name` is that of x402 version 1.
export const baseSepolia = {
    chainId: 84532, network: 'eip155:84532', name: 'base-sepolia', asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
};
export const seiTestnet = {
    chainId: 1328, network: 'eip155:1328', name: 'sei-testnet', asset: '0x4fCF1784B31630811181f670Aea7A7bEF803eaED',
};
export const { network, asset } = baseSepolia;
const permit2Address = '0x000000000022D473030F116dDEE9F6B43aC78BA3';

// The program for this platform is a dependency of its own, not the package that picks one: npm leaves that package's
// choices out silently on a node older than they ask for, although the program needs no node at all.
function program() {
    if (process.env.ANVIL) return process.env.ANVIL;
    if (`${process.platform} ${process.arch}` !== 'linux x64') {
        throw new Error(`the chain comes with the tests for linux x64 only, this is ${process.platform} ${process.arch}: `
            + 'install anvil and name it, ANVIL=/path/to/anvil');
    }
    return createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil');
}

// Amounts on the chain are whole numbers of the sixth decimal.
export const dollars = (amount) => BigInt(Math.round(amount * 1_000_000));

export async function startChain(place = baseSepolia) {
    // HOME: whatever it wants to keep belongs under build/ as well.
    const home = join(output, 'chain-home');
    mkdirSync(home, { recursive: true });
    const anvil = start(program(), [
        '--host', '127.0.0.1', '--port', '0', '--chain-id', String(place.chainId), '--accounts', '1',
    ], { env: { ...process.env, HOME: home } });

    try {
        return await connected(anvil, place);
    } catch (error) {
        await stop(anvil);
        throw error;
    }
}

async function connected(anvil, { chainId, network, name, asset }) {
    const url = await until('the chain listens', () => {
        if (anvil.exitCode !== null) throw new Error(`the chain did not start:\n${anvil.said}`);
        const line = /Listening on (127\.0\.0\.1:\d+)/.exec(anvil.said);
        return line && `http://${line[1]}`;
    }, 30_000);

    const described = defineChain({
        id: chainId,
        name: 'local',
        nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
        rpcUrls: { default: { http: [url] } },
    });
    const reader = createPublicClient({ chain: described, transport: http(url), pollingInterval: 30, cacheTime: 0 });
    const rpc = (method, ...params) => reader.request({ method, params });

    const { abi, code } = token();
    await rpc('anvil_setCode', asset, code);

    const read = (functionName, ...args) => reader.readContract({ address: asset, abi, functionName, args });

    // An account with gas money and no dollars.
    async function newAccount(privateKey = generatePrivateKey()) {
        const account = privateKeyToAccount(privateKey);
        await rpc('anvil_setBalance', account.address, '0xde0b6b3a7640000');
        return account;
    }

    const writer = (account) => createWalletClient({ account, chain: described, transport: http(url) });

    async function write(account, functionName, ...args) {
        const hash = await writer(account).writeContract({ address: asset, abi, functionName, args });
        const receipt = await reader.waitForTransactionReceipt({ hash });
        if (receipt.status !== 'success') throw new Error(`${functionName} was reverted`);
        return receipt;
    }

    const bank = await newAccount();

    return {
        url,
        network,
        name,
        asset,
        reader,
        writer,
        newAccount,
        read,
        write,
        // What payments of the scheme upto go through, at the addresses where the official packages look for it.
        async addUpto() {
            const { TestPermit2, TestUptoProxy } = permit2();
            await rpc('anvil_setCode', permit2Address, TestPermit2.code);
            await rpc('anvil_setCode', '0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002', TestUptoProxy.code);
        },
        // An account has to allow that once.
        approveUpto: (account, amount = 2n ** 255n) => write(account, 'approve', permit2Address, amount),
        mint: (address, amount) => write(bank, 'mint', address, amount),
        send: (from, to, amount) => write(from, 'transfer', to, amount),
        balanceOf: (address) => read('balanceOf', address),
        // Transfer events, of all time; from and to narrow them.
        async transfers({ from, to } = {}) {
            const events = await reader.getContractEvents({
                address: asset, abi, eventName: 'Transfer', args: { from, to }, fromBlock: 0n,
            });
            return events.map(({ args, transactionHash }) => ({ ...args, transaction: transactionHash }));
        },
        // Nothing when there is no such transaction.
        async receipt(hash) {
            return reader.getTransactionReceipt({ hash }).catch((error) => {
                if (error.name === 'TransactionReceiptNotFoundError') return undefined;
                throw error;
            });
        },
        async stop() {
            if (!await stop(anvil)) throw new Error('the chain had to be killed');
        },
    };
}
