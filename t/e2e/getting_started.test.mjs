// SPDX-License-Identifier: Apache-2.0
// The client of docs/getting-started.md pays as it stands there.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { contentOf } from './backend.mjs';
import { dollars } from './chain.mjs';
import { repository } from './paths.mjs';
import { startStack } from './stack.mjs';
import { after, before, test } from './testing.mjs';

// In a place where node finds the packages that the page installs.
const script = join(repository, 't/e2e/node_modules/.pay.mjs');
let stack;

before(async () => {
    stack = await startStack({
        servers: ({ listen, backend }) => `
    server { listen ${listen}; location / { x402_price $0.01; proxy_pass ${backend}; } }`,
    });
    const page = readFileSync(join(repository, 'docs/getting-started.md'), 'utf8');
    const [, source] = page.match(/^```js\n([^]*?)^```/m);
    writeFileSync(script, source);
});

after(() => {
    rmSync(script, { force: true });
    return stack?.stop();
});

test('it gets the content and shows the receipt', async () => {
    const key = generatePrivateKey();
    const payer = privateKeyToAccount(key);
    await stack.chain.mint(payer.address, dollars(1));
    const { stdout } = await promisify(execFile)(process.execPath,
        ['--import', join(repository, 't/e2e/webcrypto.mjs'), script, stack.at('/weather')],
        { env: { ...process.env, KEY: key } });
    assert.ok(stdout.startsWith(`200 ${contentOf('/weather')}`), stdout);
    const receipt = JSON.parse(stdout.trimEnd().split('\n').pop());
    assert.equal(receipt.success, true);
    const [transfer] = await stack.spent(payer);
    assert.deepEqual(transfer, { from: payer.address, to: stack.seller.address, value: 10_000n, transaction: receipt.transaction });
});
