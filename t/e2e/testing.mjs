// SPDX-License-Identifier: Apache-2.0
// node's test runner, with an end to everything: a request that is never answered is a failure, not a wait.

import * as runner from 'node:test';

const timeout = 180_000;

export const test = (name, body) => runner.test(name, { timeout }, body);
export const before = (body) => runner.before(body, { timeout });
export const after = (body) => runner.after(body, { timeout });
export const afterEach = (body) => runner.afterEach(body, { timeout });
