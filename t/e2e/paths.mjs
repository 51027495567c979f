// SPDX-License-Identifier: Apache-2.0
// Where things lie. Everything the tests make goes under build/.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
export const repository = join(here, '..', '..');
export const output = join(repository, 'build', 'e2e');

// A fresh directory of our own; tests run beside each other.
export function freshDirectory(prefix) {
    mkdirSync(output, { recursive: true });
    return mkdtempSync(join(output, `${prefix}-`));
}
