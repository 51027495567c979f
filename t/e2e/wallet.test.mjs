// SPDX-License-Identifier: Apache-2.0
// A person in front of x402_paywall wallet: a real browser, a wallet in it that signs, and the money moves on the chain.
// Without Chromium these tests are skipped; `make paywall-shot` installs it.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, startBrowser } from './browser.mjs';
import { contentOf } from './backend.mjs';
import { baseSepolia, seiTestnet } from './chain.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

const skip = !chromium();
// Hebrew, written from right to left, without a place to break a line at.
const long = 'תחזית'.repeat(30);
let stack;
let browser;

before(async () => {
    if (skip) return;
    stack = await startStack({
        places: [baseSepolia, seiTestnet],
        servers: ({ listen, backend, directory }) => `
    server {
        listen ${listen};
        x402_paywall wallet;
        location / { x402_price $0.01; x402_description "Weather for the next ten days"; proxy_pass ${backend}; }
        location /sei { x402_network sei-testnet; x402_price $0.02; proxy_pass ${backend}; }
        location /rtl { x402_price $0.01; x402_description "${long} ${long}"; proxy_pass ${backend}; }
        location /plain { x402_paywall on; x402_price $0.01; proxy_pass ${backend}; }
        location /both {
            x402_accept network=base-sepolia price=0.01;
            x402_accept network=solana-devnet price=0.01 pay_to=2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4
                        'extra={"feePayer":"2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4"}';
            proxy_pass ${backend};
        }
        location /files/ { x402_price $0.01; types { text/html html; image/png png; } root ${directory}; }
    }`,
    });
    browser = await startBrowser();
});

after(async () => {
    await browser?.stop();
    await stack?.stop();
});

// The answers of a wallet that belongs to this account and is on this network.
function walletOf(account, { chainId = baseSepolia.chainId, knows = [baseSepolia, seiTestnet], refuse } = {}) {
    let now = chainId;
    return ({ method, params }) => {
        if (refuse === method) throw { code: 4001, message: 'User rejected the request.' };
        switch (method) {
        case 'eth_requestAccounts':
            return [account.address];
        case 'eth_chainId':
            return `0x${now.toString(16)}`;
        case 'wallet_switchEthereumChain':
            if (!knows.some((place) => place.chainId === Number(params[0].chainId))) {
                throw { code: 4902, message: 'Unrecognized chain.' };
            }
            now = Number(params[0].chainId);
            return null;
        case 'eth_signTypedData_v4': {
            const typed = JSON.parse(params[1]);
            assert.equal(params[0], account.address);
            assert.equal(typed.domain.chainId, now, 'a wallet signs for the network that it is on');
            const { EIP712Domain, ...types } = typed.types;
            assert.ok(EIP712Domain);
            return account.signTypedData({ ...typed, types });
        }
        default:
            throw { code: 4200, message: `${method} is not supported` };
        }
    };
}

const opened = (path, options) => browser.open(stack.at(path), options);

async function pays(page) {
    await buttonsOf(page);
    await page.click();
}

async function buttonsOf(page) {
    const end = Date.now() + 30_000;
    while (!(await page.buttons()).length) {
        assert.ok(Date.now() < end, `no button on: ${await page.text('body')}`);
        await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
}

async function paidOnce(payer, amount, chain = stack.chain) {
    const spent = await stack.spent(payer, chain);
    assert.equal(spent.length, 1);
    assert.deepEqual([spent[0].to, spent[0].value], [stack.seller.address, amount]);
    return spent[0].transaction;
}

test('a click, a signature, and the content is there: money moved', { skip }, async () => {
    const payer = await stack.payer();
    const page = await opened('/weather', { wallet: walletOf(payer) });
    await buttonsOf(page);
    assert.deepEqual(await page.buttons(), ['Pay 0.01 USDC with Test Wallet']);
    await page.shot('wallet-before');
    await page.click();
    await page.says(/^Paid/);
    const transaction = await paidOnce(payer, 10_000n);
    await page.says(new RegExp(transaction));
    assert.equal(await page.text('.content pre'), contentOf('/weather'));
    assert.equal(await page.text('h1'), 'Paid');
    assert.deepEqual(await page.buttons(), []);
    assert.equal(await page.evaluate('document.querySelector(".content a").download'), 'weather');
    assert.deepEqual(page.asked, ['eth_requestAccounts', 'eth_chainId', 'eth_signTypedData_v4']);
    assert.deepEqual(page.problems.filter((text) => !/402/.test(text)), [], 'the policy of the page forbids nothing of it');
    await page.shot('wallet-paid');
    await page.close();
});

test('HTML is shown without its scripts, a picture as one, anything else is saved', { skip }, async () => {
    const directory = join(stack.nginx.directory, 'files');
    mkdirSync(directory);
    writeFileSync(join(directory, 'a.html'), '<h1>Article</h1><script>parent.document.title = "taken"</script>');
    writeFileSync(join(directory, 'a.png'), Buffer.from(
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'));
    writeFileSync(join(directory, 'a.bin'), 'bytes');
    for (const [file, shown] of [
        ['a.html', 'document.querySelector("iframe").srcdoc.includes("Article") && document.title === "Paid"'],
        ['a.png', 'document.querySelector("img").decode().then(() => document.querySelector("img").naturalWidth === 1)'],
        ['a.bin', 'document.querySelector(".content").children.length === 1'],
    ]) {
        const payer = await stack.payer();
        const page = await opened(`/files/${file}`, { wallet: walletOf(payer) });
        await pays(page);
        await page.says(/^Paid/);
        await paidOnce(payer, 10_000n);
        assert.ok(await page.evaluate(shown), file);
        assert.equal(await page.evaluate('document.querySelector(".content a").download'), file);
        if (file === 'a.html') await page.shot('wallet-html');
        await page.close();
    }
});

test('a wallet on another network is asked to change it', { skip }, async () => {
    const chain = stack.chains[1];
    const payer = await stack.payer(10, chain);
    const page = await opened('/sei', { wallet: walletOf(payer), name: '' });
    await buttonsOf(page);
    assert.deepEqual(await page.buttons(), ['Pay 0.02 USDC with your wallet'], 'found in window.ethereum');
    await page.click();
    await page.says(/^Paid/);
    await paidOnce(payer, 20_000n, chain);
    assert.ok(page.asked.includes('wallet_switchEthereumChain'));
    await page.close();
});

test('one that does not know the network is told so, and nothing is signed', { skip }, async () => {
    const payer = await stack.payer();
    const page = await opened('/sei', { wallet: walletOf(payer, { knows: [] }) });
    await pays(page);
    await page.says(/does not know this network/);
    assert.ok(!page.asked.includes('eth_signTypedData_v4'));
    await page.close();
});

for (const refuse of ['eth_requestAccounts', 'eth_signTypedData_v4']) {
    test(`a person who declines ${refuse} pays nothing, and can think again`, { skip }, async () => {
        const payer = await stack.payer();
        let again = false;
        const [no, yes] = [walletOf(payer, { refuse }), walletOf(payer)];
        const page = await opened('/weather', { wallet: (question) => (again ? yes : no)(question) });
        await pays(page);
        await page.says(/You declined in the wallet\. Nothing was charged\./);
        assert.deepEqual(await stack.spent(payer), []);
        again = true;
        await pays(page);
        await page.says(/^Paid/);
        await paidOnce(payer, 10_000n);
        await page.close();
    });
}

test('an empty wallet is told that it is empty', { skip }, async () => {
    const payer = await stack.chain.newAccount();
    const page = await opened('/weather', { wallet: walletOf(payer) });
    await pays(page);
    await page.says(/has too little of the token|most often the wallet has too little/);
    await page.shot('wallet-refused');
    assert.deepEqual(await stack.spent(payer), []);
    await page.close();
});

test('an unknown outcome is not signed again: the same payment brings the content, once charged', { skip }, async () => {
    const payer = await stack.payer();
    stack.facilitator.next('/settle', { lost: true });
    const page = await opened('/weather', { wallet: walletOf(payer) });
    await pays(page);
    await page.says(/may have been made.*not be charged twice/);
    await pays(page);
    await page.says(/^Paid/);
    await paidOnce(payer, 10_000n);
    assert.equal(page.asked.filter((method) => method === 'eth_signTypedData_v4').length, 1);
    await page.close();
});

test('a way that no browser wallet can sign has no button', { skip }, async () => {
    const payer = await stack.payer();
    const page = await opened('/both', { wallet: walletOf(payer) });
    await buttonsOf(page);
    assert.equal((await page.buttons()).length, 1);
    await page.close();
    const without = await opened('/weather');
    await without.says(/install a wallet in this browser/);
    assert.deepEqual(await without.buttons(), []);
    await without.close();
});

test('a long word from right to left is not cut off on a phone', { skip }, async () => {
    const page = await opened('/rtl', { width: 320 });
    assert.ok(await page.evaluate(`new Promise((resolve) => {
        const look = () => document.querySelector('.about')?.textContent && document.readyState === 'complete'
            ? resolve([...document.querySelectorAll('main *')].every((part) => {
                const { left, right } = part.getBoundingClientRect();
                return left >= 0 && right <= innerWidth;
            }) && document.querySelector('.about').scrollWidth <= document.querySelector('.about').clientWidth)
            : setTimeout(look, 50);
        look();
    })`));
    await page.shot('rtl-phone');
    await page.close();
});

test('without script it is the page of today', { skip }, async () => {
    const page = await opened('/weather', { script: false });
    const browserHeaders = { accept: 'text/html', 'user-agent': 'Mozilla/5.0' };
    const [plain, wallet] = await Promise.all(['/plain', '/weather'].map(async (path) =>
        (await fetch(stack.at(path), { headers: browserHeaders })).text()));
    assert.doesNotMatch(plain, /<script/);
    assert.equal(
        wallet.replace(/<script>[^]*<\/script>\n/, '').replace(/<\/style>\n<style>[^]*?<\/style>/, '</style>')
            .replace(/content="default-src[^"]*"/, '').replace(/Weather for the next ten days/, '').replace(/weather/g, 'plain')
            .replace('<p class="about" dir="auto"></p>\n', ''),
        plain.replace(/content="default-src[^"]*"/, ''),
    );
    await page.close();
});
