// SPDX-License-Identifier: Apache-2.0
// The compiled test contracts. The compiler runs in a process of its own (this same file): it takes over the process-wide
// error handlers of the process that loads it, which a test runner would not like. Its result is kept under build/.

import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { here, output } from './paths.mjs';

const require = createRequire(import.meta.url);

// { abi, code }: code is what lies at a contract's address, not what deploys it.
export const token = () => compiled('token.sol').TestDollar;
// What the scheme upto needs: { TestPermit2, TestUptoProxy }.
export const permit2 = () => compiled('permit2.sol');

function compiled(name) {
    const source = join(here, name);
    const key = createHash('sha256')
        .update(readFileSync(source))
        .update(readFileSync(fileURLToPath(import.meta.url)))
        .update(require('solc/package.json').version)
        .digest('hex');
    const kept = join(output, `${name}-${key.slice(0, 16)}.json`);
    if (!existsSync(kept)) {
        const made = execFileSync(process.execPath, [fileURLToPath(import.meta.url), 'compile', source], {
            maxBuffer: 16 << 20,
            stdio: ['ignore', 'pipe', 'inherit'],
        });
        mkdirSync(output, { recursive: true });
        // Renamed into place, since tests of other files may look for it now.
        writeFileSync(`${kept}.${process.pid}`, made);
        renameSync(`${kept}.${process.pid}`, kept);
    }
    return JSON.parse(readFileSync(kept, 'utf8'));
}

function compile(source) {
    const solc = require('solc');
    const answer = JSON.parse(solc.compile(JSON.stringify({
        language: 'Solidity',
        sources: { source: { content: readFileSync(source, 'utf8') } },
        settings: {
            optimizer: { enabled: true },
            outputSelection: { '*': { '*': ['abi', 'evm.deployedBytecode'] } },
        },
    })));
    if (answer.errors?.length) throw new Error(answer.errors.map((error) => error.formattedMessage).join('\n'));

    const contracts = {};
    for (const [contract, { abi, evm }] of Object.entries(answer.contracts.source)) {
        if (Object.keys(evm.deployedBytecode.immutableReferences ?? {}).length) {
            throw new Error(`${contract} has immutables, which code without a deployment cannot have`);
        }
        contracts[contract] = { abi, code: `0x${evm.deployedBytecode.object}` };
    }
    return contracts;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === 'compile') {
    process.stdout.write(JSON.stringify(compile(process.argv[3])));
}
