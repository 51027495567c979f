// SPDX-License-Identifier: Apache-2.0
// What the facilitators of the official packages say when they do not settle, read in their code: each word is
// classified in t/vectors/facilitator-words.json, which the unit tests hold against src/facilitator/settle_reasons.cpp.
// After an update of a package a new word fails here; whether it proves that nothing was sent is to be read in its code.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from './testing.mjs';

const here = dirname(fileURLToPath(import.meta.url));

// batch-settlement and auth-capture are refused at `nginx -t`.
const facilitators = {
    '@x402/core': ['facilitator'],
    '@x402/evm': ['exact/facilitator', 'exact/v1/facilitator', 'upto/facilitator'],
    '@x402/svm': ['exact/facilitator', 'exact/v1/facilitator', 'upto/facilitator'],
    '@x402/avm': ['exact/facilitator'],
    '@x402/stellar': ['exact/facilitator'],
    '@x402-avm/avm': ['exact/facilitator', 'exact/v1/facilitator'],
    x402: ['facilitator'],
};

const isWord = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;

// The texts of a module and of all modules of the package that it imports.
function textsOf(file, seen = new Map()) {
    if (!seen.has(file)) {
        const text = readFileSync(file, 'utf8');
        seen.set(file, text);
        for (const [, from] of text.matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
            textsOf(resolve(dirname(file), from), seen);
        }
    }
    return [...seen.values()];
}

// All words in quotes, wherever they stand: how a package hands a reason on is its own business. And sentences that are
// given as a reason, up to what is filled in.
function reasonsIn(text) {
    const code = text.replace(/^\s*(?:\/\/|\*).*$/gm, '');
    const words = [...code.matchAll(/["'`]([a-z0-9_]+)["'`:]/g)].map(([, word]) => word).filter((word) => isWord.test(word));
    const given = [...code.matchAll(/(?:invalidReason|errorReason|\b[A-Z_]{4,})\s*:\s*["'`]([A-Z][^"'`\n]*)["'`]/g)]
        .map(([, sentence]) => sentence.split(': ')[0]);
    return [...words, ...given];
}

function reasonsOf(name) {
    const folder = join(here, 'node_modules', name, 'dist/esm');
    const reasons = new Set();
    for (const entry of facilitators[name]) {
        const file = join(folder, entry, 'index.mjs');
        assert.ok(existsSync(file), `${name} has no ${entry}: where are its facilitators now?`);
        for (const text of textsOf(file)) {
            reasonsIn(text).forEach((reason) => reasons.add(reason));
        }
    }
    return [...reasons];
}

const classes = JSON.parse(readFileSync(join(here, '../vectors/facilitator-words.json'), 'utf8'));
const known = [...['refusal', 'nonce_used', 'failed_on_chain', 'unknown'].flatMap((kind) =>
    classes[kind].flatMap(({ words }) => words)), ...classes.not_a_reason];

// A sentence that names what it found in its middle is known by its front.
const isKnown = (reason) => known.some((word) => reason === word
    || (word.startsWith('Transaction at index ') && reason.startsWith('Transaction at index ')));

for (const name of Object.keys(facilitators)) {
    test(`every word of ${name} is a refusal, or unknown on purpose`, () => {
        assert.deepEqual(reasonsOf(name).filter((reason) => !isKnown(reason)), []);
    });
}

test('words are found wherever a package has them', () => {
    const found = Object.keys(facilitators).flatMap(reasonsOf);
    for (const word of ['permit2_allowance_required', 'invalid_upto_svm_channel_state', 'transaction_failed',
        'settle_exact_stellar_signer_selection_failed', 'invalid_exact_avm_settlement_failed', 'insufficient_funds',
        'Failed to submit transaction', 'Payment index out of bounds', 'Amount mismatch']) {
        assert.ok(found.includes(word), word);
    }
    assert.deepEqual(reasonsIn('return { isValid: false, invalidReason: "a_new_word" };'), ['a_new_word']);
    assert.deepEqual(reasonsIn('throw new Error(`a_new_word: ${why}`);'), ['a_new_word']);
    assert.equal(isKnown('a_new_word'), false);
});

test('each word has one meaning', () => {
    assert.deepEqual(known.filter((word, index) => known.indexOf(word) !== index), []);
});
