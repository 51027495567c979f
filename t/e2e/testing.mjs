// SPDX-License-Identifier: Apache-2.0
// node's test runner, with an end to everything: a request that is never answered is a failure, not a wait.

import * as runner from 'node:test';

const timeout = 180_000;

// options: { skip } of a test that cannot run here.
export const test = (name, ...rest) => runner.test(name, { timeout, ...(rest.length > 1 ? rest[0] : {}) }, rest.at(-1));
export const before = (body) => runner.before(body, { timeout });
export const after = (body) => runner.after(body, { timeout });
export const afterEach = (body) => runner.afterEach(body, { timeout });
