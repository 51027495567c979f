// SPDX-License-Identifier: Apache-2.0
// Both tools with which agents look for something to buy find every priced route, with method and price, and have no
// fault to find with an offer.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
    checkEndpointSchema, discoverOriginSchema, getOpenAPI, getWarningsFor402Body, getWarningsForL2, getWarningsForL4,
    getWarningsForOpenAPI, checkL2ForOpenAPI, checkL4ForOpenAPI,
} from '@agentcash/discovery';
import { validate } from 'mppx/discovery';
import { offerOf } from './client.mjs';
import { repository } from './paths.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;
const example = readFileSync(join(repository, 'conf-examples', 'for-agents.conf'), 'utf8');

before(async () => {
    stack = await startStack({
        servers: ({ listen, directory, backend }) => {
            writeFileSync(join(directory, 'bazaar.json'),
                readFileSync(join(repository, 'conf-examples', 'extensions', 'bazaar.json')));
            const key = join(directory, 'sign.pem');
            execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', key], { stdio: 'ignore' });
            // The server of the example, as it is, but for where things are.
            return example.slice(example.indexOf('    server {'), example.lastIndexOf('}'))
                .replace(/listen +80;/, `listen ${listen};`)
                .replaceAll('http://127.0.0.1:3000', backend)
                .replaceAll('extensions/bazaar.json', join(directory, 'bazaar.json'))
                .replaceAll('x402-sign.pem', key);
        },
        extra: '    map $arg_size $price { default 0.25; small 0.05; }',
    });
});

after(() => stack?.stop());

const routes = [
    ['GET', '/map', 'dynamic'],
    ['GET', '/weather/{city}', 'fixed'],
    ['POST', '/orders', 'fixed'],
];

test('the discovery tool finds every priced route, with method and price', async () => {
    const found = await discoverOriginSchema({ target: stack.nginx.url, guidance: 'always' });
    assert.equal(found.found, true);
    assert.deepEqual(found.endpoints.map(({ method, path }) => [method, path]).sort(),
        routes.map(([method, path]) => [method, path]).sort());
    const price = (path) => found.endpoints.find((each) => each.path === path).price;
    assert.match(price('/orders'), /1(\.00)?/);
    assert.match(price('/map'), /0\.05.*0\.25/);
    for (const { authMode, protocols } of found.endpoints) {
        assert.equal(authMode, 'paid');
        assert.deepEqual(protocols, ['x402']);
    }
    assert.match(found.guidance ?? '', /Cities are written in English/);
});

test('it has nothing to complain of', async () => {
    const openApi = (await getOpenAPI(stack.nginx.url)).unwrapOr(null);
    assert.deepEqual(getWarningsForOpenAPI(openApi), []);
    assert.deepEqual(getWarningsForL2(checkL2ForOpenAPI(openApi)), []);
    assert.deepEqual(getWarningsForL4(checkL4ForOpenAPI(openApi)), []);
});

test('it checks an endpoint and its offer without a fault', async () => {
    const checked = await checkEndpointSchema({ url: stack.at('/weather/berlin'), probe: true });
    assert.equal(checked.found, true);
    const response = await fetch(stack.at('/weather/berlin'));
    assert.equal(response.status, 402);
    assert.deepEqual(getWarningsFor402Body(offerOf(response)), []);
});

test('mppx finds the document in order', async () => {
    const document = await (await fetch(stack.at('/openapi.json'))).json();
    assert.deepEqual(validate(document), []);
    const list = await (await fetch(stack.at('/.well-known/x402'))).json();
    assert.deepEqual(list.resources.map((url) => new URL(decodeURI(url)).pathname).map(decodeURI).sort(),
        routes.map(([, path]) => path).sort());
});

test('its command validates every route', async () => {
    const program = join(repository, 't', 'e2e', 'node_modules', '.bin', 'mppx');
    const { stdout } = await promisify(execFile)(program, ['validate', stack.nginx.url], { timeout: 60_000 })
        .catch((error) => error);
    for (const [method, path] of routes) {
        assert.match(stdout, new RegExp(`${method}.*${path.replace(/[{}]/g, '\\$&')}`), stdout);
    }
});
