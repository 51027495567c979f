// SPDX-License-Identifier: Apache-2.0
// An agent that knows nothing of a shop but its manifest and its 402: it finds and pays all that an example sells.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discoverOriginSchema } from '@agentcash/discovery';
import { validate } from 'mppx/discovery';
import { startBackend } from './backend.mjs';
import { dollars, startChain } from './chain.mjs';
import { offerOf, paymentFor, receiptOf } from './client.mjs';
import { startFacilitator } from './facilitator.mjs';
import { repository } from './paths.mjs';
import { freePort, listens, start, stop, until } from './process.mjs';
import { startServer } from './server.mjs';
import { after, before, test } from './testing.mjs';

// What each example sells, as its manifest says it: method, path, price in dollars or its bounds.
const examples = {
    'agents-of-two-protocols': ['GET /weather/{path} 0.01'],
    'ai-crawlers': ['GET / 0.01'],
    algorand: ['GET /any 0.01', 'GET /api/weather 0.01', 'GET /premium 0.05', 'GET /short 0.01'],
    'behind-a-proxy': ['GET / 0.01'],
    'circle-batched': ['GET /tick 0.001'],
    'coming-back': ['GET /members/{path} 0.1', 'GET /reports/{path} 1'],
    'error-pages': ['GET /articles/{path} 0.02'],
    extensions: ['GET /report 0.05', 'GET /weather/{city} 0.01'],
    'facilitator-failover': ['GET /weather 0.01'],
    'fast-x402-server': ['GET /premium 0.001', 'GET /reports/{path} 1'],
    'flask-routes': ['GET /premium/report 0.01', 'GET /weather 0.01-0.1'],
    'for-agents': ['GET /map 0.05-0.25', 'GET /weather/{city} 0.01', 'POST /orders 1'],
    'for-browsers': ['GET /articles/{path} 0.02', 'GET /downloads/{path} 0.1', 'GET /v1/{path} 0.001'],
    'free-for-members': ['GET /articles/{path} 0.02'],
    'free-quota': ['GET /search 0.01'],
    'large-files': ['GET /downloads/{path} 0.5', 'GET /exports/{path} 2'],
    mcp: ['POST /mcp 0.01-0.25'],
    minimal: ['GET /weather 0.01'],
    'pay-per-token': ['POST /fast/v1/chat/completions 0-0.05', 'POST /v1/chat/completions 0-0.05'],
    'payai-manual': ['GET /weather 0.01'],
    'proxied-api': ['GET / 0.01', 'GET /v1/weather 0.001', 'POST /v1/reports 0.25'],
    'self-hosted-facilitator': ['GET /weather 0.01'],
    'settle-before': ['GET /generate 0.25', 'GET /render/{path} 1', 'GET /search 0.05'],
    'several-machines': ['GET / 0.01'],
    'several-networks': ['GET /report 0.05'],
    'several-ways-to-pay': ['GET /report 0.05'],
    'static-files': ['GET /downloads/datasets/{path} 0.5', 'GET /downloads/{path} 0.1'],
    tenants: ['GET /data 0.05-0.2'],
    'verified-agents': ['GET /data 0.01-0.1'],
    wordpress: ['GET / 0.02'],
};

// What is found, and cannot be bought on this chain by this client.
const notBoughtHere = {
    'algorand: GET /api/weather': 'on Algorand: algorand.test.mjs',
    'algorand: GET /premium': 'on Algorand: algorand.test.mjs',
    'algorand: GET /short': 'on Algorand: algorand.test.mjs',
    'circle-batched: GET /tick': 'signed for the contract of Circle\'s gateway, which is not on this chain',
    'fast-x402-server: GET /premium': 'the protocol of the Fast network, whose client is another: t/http/fast_protocol.t',
    'fast-x402-server: GET /reports/{path}': 'the protocol of the Fast network, whose client is another: t/http/fast_protocol.t',
    'pay-per-token: POST /fast/v1/chat/completions': 'scheme upto: per_token.test.mjs',
    'pay-per-token: POST /v1/chat/completions': 'scheme upto: per_token.test.mjs',
};

// Examples that sell nothing that a manifest could name.
const nothingToFind = {
    nevermined: 'credits of a plan, which have no price in money: t/http/nevermined_example.t',
    'several-machines-balancer': 'a balancer in front of several-machines.conf, which sells',
};

// What the examples leave to their operators, or what has to be different here: other servers, the test network in the
// place of the real one, and paths that no manifest can know.
const changes = {
    algorand: (text) => text.replace('weather/?$ {', 'weather/?$ { x402_service path=/api/weather;'),
    'facilitator-failover': (text, place) => text.replace('https://facilitator.example.com', 'http://127.0.0.1:1') // is down
        .replace('http://127.0.0.1:4021', place.facilitator.replace('127.0.0.1', 'localhost')),
    'flask-routes': (text) => text.replace('weather/*$ {', 'weather/*$ { x402_service path=/weather price=0.01-0.10;')
        .replace('premium/ {', 'premium/ { x402_service path=/premium/report list=on;'),
    'payai-manual': (text) => text.replace(/ x402_facilitator_auth .*/, ''), // the facilitator here knows no accounts
    'several-machines': (text, place) => text.replace(/x402_store .*/, `x402_store redis://127.0.0.1:${place.redis} timeout=5s;`),
    'several-networks': (text) => text.replace('network=base ', 'network=base-sepolia ').replace('network=polygon ', 'network=polygon-amoy ')
        .replace('network=arbitrum ', 'network=arbitrum-sepolia ').replace('network=eip155:1 ', 'network=avalanche-fuji '),
    'several-ways-to-pay': (text) => text.replace('x402_network      base;', 'x402_network base-sepolia;'),
    // The address that it is asked by is the name of a tenant.
    tenants: (text) => text.replace('.shops\\.example\\.com$', '.0\\.0\\.1$').replaceAll('shop-a', '127')
        .replace('x402_price    $tenant_price;', 'x402_price $tenant_price; x402_service price=0.05-0.20;'),
    wordpress: (text) => text.replace(/^ *(include +fastcgi_params|fastcgi_param) .*$/gm, '').replace(/fastcgi_pass .*;/g, 'proxy_pass http://127.0.0.1:3000;'),
};

let chain, facilitator, backend, seller, redis, redisPort;

before(async () => {
    chain = await startChain();
    facilitator = await startFacilitator(chain);
    backend = await startBackend();
    seller = await chain.newAccount();
    redisPort = await freePort();
    redis = start('redis-server', ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);
    await until('redis listens', () => listens(redisPort));
});

after(async () => {
    if (redis) await stop(redis);
    for (const part of [backend, facilitator, chain]) await part?.stop();
});

// The example as it is, but for where things are, the address of the seller, and a manifest where it has none.
function shopOf(name, { listen, directory }) {
    const change = changes[name] ?? ((text) => text);
    const text = change(readFileSync(join(repository, 'conf-examples', `${name}.conf`), 'utf8'), { facilitator: facilitator.url, redis: redisPort });
    const root = join(directory, 'www');
    for (const folder of ['', 'downloads', 'downloads/datasets', 'articles', 'members', 'reports', 'pages']) {
        mkdirSync(join(root, folder), { recursive: true });
        for (const file of ['x', 'index.html', 'index.php', 'pay.html']) writeFileSync(join(root, folder, file), 'paid content');
    }
    for (const file of ['weather', 'report']) writeFileSync(join(root, file), 'paid content');
    cpSync(join(repository, 'conf-examples', 'extensions'), join(directory, 'extensions'), { recursive: true });
    for (const key of ['seal.key', 'x402-mpp.key']) writeFileSync(join(directory, key), randomBytes(32).toString('hex'), { mode: 0o600 });
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', join(directory, 'x402-sign.pem')], { stdio: 'ignore' });
    cpSync(join(repository, 'conf-examples', 'paywall.html'), join(directory, 'paywall.html'));
    const http = text.slice(text.indexOf('\nhttp {') + 7, text.lastIndexOf('}'))
        .replace(/^ *(include|default_type) .*$/gm, '')
        .replace(/listen +80( +default_server)?;/g, `listen ${listen}$1;`)
        .replace(/https:\/\/(x402\.org\/facilitator|facilitator\.example\.com)|https:\/\/gateway-api\.circle\.com\/v1\/x402|http:\/\/127\.0\.0\.1:4021/g, facilitator.url)
        .replaceAll('127.0.0.1:3000', new URL(backend.url).host)
        .replaceAll('0x209693Bc6afc0C5328bA36FaF03C514EF312287C', seller.address)
        .replace(/\/[a-z/]*x402-seal\.key/g, join(directory, 'seal.key'))
        .replace(/\/var\/(lib|log)\/nginx\//g, `${directory}/`)
        .replaceAll('/srv/www', root);
    if (http.includes('x402_manifest')) return { http, manifest: '/openapi.json' };
    // One example has an openapi.json of its application's.
    const manifest = http.includes('location = /openapi.json ') ? '/manifest.json' : '/openapi.json';
    return { http: http.replace(/(server_name .*\n)/, `$1        location = ${manifest} { x402_manifest openapi; }\n`), manifest };
}

const headers = { 'user-agent': 'GPTBot/1.2', 'content-type': 'application/json' };

// Every operation with a price: [method, path, price, what to send].
function salesIn(document) {
    return Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item)
        .filter(([, operation]) => operation['x-payment-info'])
        .map(([method, operation]) => {
            const { price } = operation['x-payment-info'];
            const cost = price.mode === 'fixed' ? price.amount : `${price.min}-${price.max}`;
            const content = operation.requestBody?.content['application/json'];
            return { method: method.toUpperCase(), path, cost, body: content && JSON.stringify(content.example ?? {}) };
        }));
}

async function buy(payer, url, { method, body, cost }) {
    const asked = await fetch(url, { method, headers, body });
    await asked.arrayBuffer();
    assert.equal(asked.status, 402, `${method} ${url}`);
    const offer = offerOf(asked);
    const amount = BigInt(offer.accepts.find((way) => way.network === chain.network).amount);
    const [low, high = low] = cost.split('-').map(Number);
    assert.ok(amount >= dollars(low) && amount <= dollars(high), `${amount} is the price that was said: ${cost}`);
    if (amount > dollars(1)) return 0n; // the official client does not pay more, unless it is told to
    const served = await fetch(url, {
        method, body, headers: { ...headers, 'payment-signature': await paymentFor(payer, offer) },
    });
    assert.equal(served.status, 200, `${method} ${url}: ${await served.text()}`);
    assert.equal(receiptOf(served).success, true);
    return amount;
}

test('no example is left out', () => {
    const all = readdirSync(join(repository, 'conf-examples')).filter((file) => file.endsWith('.conf')).map((file) => file.slice(0, -5));
    assert.deepEqual(all.sort(), [...Object.keys(examples), ...Object.keys(nothingToFind)].sort());
});

for (const [name, sold] of Object.entries(examples)) {
    test(`${name}.conf: all that is for sale is found, and bought at the price that was said`, async () => {
        let shop;
        const nginx = await startServer({ http: (place) => { shop = shopOf(name, place); return shop.http; } });
        try {
            const document = await (await fetch(nginx.url + shop.manifest)).json();
            const sales = salesIn(document);
            assert.deepEqual(sales.map(({ method, path, cost }) => `${method} ${path} ${cost}`).sort(), sold);
            assert.deepEqual(validate(document), []);
            if (shop.manifest === '/openapi.json') {
                const found = await discoverOriginSchema({ target: nginx.url });
                assert.deepEqual(found.endpoints.filter(({ authMode }) => authMode === 'paid').map(({ method, path }) => `${method} ${path}`).sort(),
                    sales.map(({ method, path }) => `${method} ${path}`).sort());
            }
            const payer = await chain.newAccount();
            await chain.mint(payer.address, dollars(10));
            let spent = 0n;
            for (const sale of sales) {
                if (notBoughtHere[`${name}: ${sale.method} ${sale.path}`]) continue;
                spent += await buy(payer, nginx.url + sale.path.replace(/\{\w+\}/g, 'x'), sale);
            }
            assert.equal(await chain.balanceOf(payer.address), dollars(10) - spent, 'the money that was asked has moved');
        } finally {
            await nginx.stop();
        }
    });
}
