// SPDX-License-Identifier: Apache-2.0
// The official middleware for hono, as its README sets it up.
//     node peer_hono.mjs PORT FACILITATOR CONTENT-FILE
import fs from 'node:fs';
import { Hono } from 'hono';
import { serve } from '@hono/node-server';
import { paymentMiddleware, x402ResourceServer } from '@x402/hono';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme } from '@x402/evm/exact/server';
import { payTo, network, price, timeout } from './terms.mjs';

const [port, facilitator, file] = process.argv.slice(2);
const content = fs.readFileSync(file, 'utf8');

const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator }))
    .register(network, new ExactEvmScheme());

const app = new Hono();
app.use(paymentMiddleware({
    'GET /paid': {
        accepts: { scheme: 'exact', price, network, payTo, maxTimeoutSeconds: timeout },
        description: '', mimeType: '',
    },
}, server));
app.get('/paid', (context) => context.text(content));
app.get('/free', (context) => context.text(content));
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' });
