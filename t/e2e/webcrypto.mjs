// SPDX-License-Identifier: Apache-2.0
// Node 18 has Web Crypto but not as a global, where the official client looks for its random nonces.

import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
