// SPDX-License-Identifier: Apache-2.0
// The code of docs/paying.md pays, as it stands there.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generatePrivateKey } from 'viem/accounts';
import { contentOf } from './backend.mjs';
import { dollars } from './chain.mjs';
import { openedPayment, signedFor } from './client.mjs';
import { repository } from './paths.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, backend }) => `
    server {
        listen ${listen};
        location /weather { x402_price $0.01; proxy_pass ${backend}; }
    }`,
    });
});

after(() => stack?.stop());

// Node.js 18 has it under another name.
const webcrypto = join(repository, 't', 'e2e', 'webcrypto.mjs');
const page = readFileSync(join(repository, 'docs', 'paying.md'), 'utf8');

test('the script of the page pays and shows the content', async () => {
    const [, script] = page.match(/```js\n([\s\S]*?)```/);
    // Next to the packages that it imports.
    const file = join(repository, 't', 'e2e', `.paying-${process.pid}.mjs`);
    writeFileSync(file, script.replace('https://api.example.com', stack.nginx.url));
    const key = generatePrivateKey();
    const payer = await stack.chain.newAccount(key);
    await stack.chain.mint(payer.address, dollars(1));
    try {
        const env = { ...process.env, PRIVATE_KEY: key };
        const { stdout } = await promisify(execFile)(process.execPath, ['--import', webcrypto, file], { env, timeout: 60_000 });
        assert.ok(stdout.includes(`200 ${contentOf('/weather')}`), stdout);
        assert.match(stdout, /success: true/);
    } finally {
        rmSync(file);
    }
    assert.deepEqual((await stack.spent(payer)).map(({ value }) => value), [10_000n]);
});

test('the payment of the page has the members of an official one', async () => {
    const [, example] = page.match(/```json\n([\s\S]*?)```/);
    const shown = JSON.parse(example);
    const real = openedPayment(await signedFor(await stack.payer(), stack.at('/weather')));
    for (const [ours, theirs] of [[shown, real], [shown.accepted, real.accepted],
        [shown.payload, real.payload], [shown.payload.authorization, real.payload.authorization]]) {
        assert.deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
    }
});
