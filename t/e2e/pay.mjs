// SPDX-License-Identifier: Apache-2.0
// One payment at a real site: make pay URL=... with a key in the environment (X402_KEY).
//
// Asks, shows the offer, pays it with the official client, shows the answer and the receipt. It pays USDC on EVM networks
// and at most X402_MAX dollars; the payment is presented once.

import { privateKeyToAccount } from 'viem/accounts';
import { offerOf, paymentFor, receiptOf } from './client.mjs';

const { URL: url, X402_KEY: key, X402_MAX: most = '1' } = process.env;
const decimals = 6; // of USDC, everywhere

const say = (...lines) => console.log(lines.join('\n'));

class Trouble extends Error {}

function settings() {
    if (!url) throw new Trouble('say what to pay for: make pay URL=http://127.0.0.1:8402/weather.txt');
    if (!/^0x[0-9a-fA-F]{64}$/.test(key ?? '')) {
        throw new Trouble('the key of the wallet is missing: 0x and 64 hexadecimal digits in X402_KEY. A new one, for test money:\n'
            + '    export X402_KEY=0x$(openssl rand -hex 32)');
    }
    if (!(Number(most) > 0)) throw new Trouble(`X402_MAX=${most} is not an amount of dollars`);
    return privateKeyToAccount(key);
}

const isDollar = ({ extra }) => ['USDC', 'USD Coin'].includes(extra?.name);
const price = (way) => (isDollar(way) ? `${Number(way.amount) / 10 ** decimals} USDC` : `${way.amount} units of ${way.asset}`);
const isPayable = (way) => way.scheme === 'exact' && way.network.startsWith('eip155:') && isDollar(way)
    && Number(way.amount) <= Number(most) * 10 ** decimals;

async function ask(headers) {
    try {
        return await fetch(url, { headers });
    } catch (error) {
        throw new Trouble(`${url} does not answer: ${error.cause?.message ?? error.message}`);
    }
}

async function offered() {
    const response = await ask({});
    const text = await response.text();
    const offer = offerOf(response);
    if (response.status !== 402 || !offer) {
        throw new Trouble(`no offer, the answer is ${response.status} ${response.statusText}\n${text.slice(0, 500)}`);
    }
    say('402 Payment Required', ...offer.accepts.map((way) => `offered: ${price(way)} on ${way.network} to ${way.payTo}`));
    const accepts = offer.accepts.filter(isPayable);
    if (!accepts.length) throw new Trouble(`nothing there that this wallet pays: USDC on EVM networks, at most ${most} dollars (X402_MAX)`);
    return { ...offer, accepts };
}

function why(response) {
    const reason = receiptOf(response)?.errorReason ?? offerOf(response)?.error ?? 'the answer has no receipt';
    return reason.includes('insufficient_funds')
        ? `${reason}\nThe wallet has no money on this network. Test USDC: https://faucet.circle.com` : reason;
}

async function pay(account) {
    say(`wallet ${account.address}`);
    const offer = await offered();
    const response = await ask({ 'payment-signature': await paymentFor(account, offer) });
    const text = await response.text();
    say('', `${response.status} ${response.statusText}`, text.trimEnd());
    const receipt = receiptOf(response);
    if (!receipt?.success) throw new Trouble(`not paid: ${why(response)}`);
    say(`settled: ${price(offer.accepts[0])} on ${receipt.network}, transaction ${receipt.transaction}`);
}

try {
    await pay(settings());
} catch (error) {
    console.error(error instanceof Trouble ? error.message : error.stack);
    process.exitCode = 1;
}
