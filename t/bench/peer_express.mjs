// SPDX-License-Identifier: Apache-2.0
// The official middleware for express, as its README sets it up.
//     node peer_express.mjs PORT FACILITATOR CONTENT-FILE
import fs from 'node:fs';
import express from 'express';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme } from '@x402/evm/exact/server';
import { payTo, network, price, timeout } from './terms.mjs';

const [port, facilitator, file] = process.argv.slice(2);
const content = fs.readFileSync(file, 'utf8');

const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator }))
    .register(network, new ExactEvmScheme());

const app = express();
app.use(paymentMiddleware({
    'GET /paid': {
        accepts: { scheme: 'exact', price, network, payTo, maxTimeoutSeconds: timeout },
        description: '', mimeType: '',
    },
}, server));
app.get('/paid', (request, response) => response.type('text/plain').send(content));
app.get('/free', (request, response) => response.type('text/plain').send(content));
app.listen(Number(port), '127.0.0.1', 4096);
