// SPDX-License-Identifier: Apache-2.0
// The official facilitator over HTTP, in both versions. Verification and settlement are entirely its own; what is ours
// is the wiring to the chains, a record of the calls, and faults that tests order beforehand for single calls.

import './webcrypto.mjs';
import { x402Facilitator } from '@x402/core/facilitator';
import { toFacilitatorEvmSigner } from '@x402/evm';
import { ExactEvmScheme } from '@x402/evm/exact/facilitator';
import { UptoEvmScheme } from '@x402/evm/upto/facilitator';
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/facilitator';
import { network } from './chain.mjs';
import { bodyOf, serve } from './http.mjs';
import { sleep } from './process.mjs';

// A fault is one of, or several of
//   before: async () => {}   something happens in the world just before the call is worked on
//   delay: ms                silence before the call is worked on
//   lost: true               the call is worked on to the end, then the connection closes without an answer
//   late: ms                 the answer is that late
//   refused: reason          a well-formed no, without working on the call
//   status: n, body: text    this answer, without working on the call
export async function startFacilitator(...chains) {
    const options = { gas: undefined };
    const facilitator = new x402Facilitator();
    for (const chain of chains) {
        const hands = signer(chain, await chain.newAccount(), options);
        facilitator.register(chain.network, new ExactEvmScheme(hands));
        facilitator.register(chain.network, new UptoEvmScheme(hands));
        facilitator.registerV1(chain.name, new ExactEvmSchemeV1(hands));
    }
    const served = await serveFacilitator(facilitator);

    return {
        ...served,
        reset() {
            served.reset();
            options.gas = undefined;
        },
        // Sends transactions without asking the chain beforehand, so that a bad one is mined and reverts.
        sendBlindly: (blindly) => { options.gas = blindly ? 300_000n : undefined; },
    };
}

// Any facilitator object of the official interface.
export async function serveFacilitator(facilitator) {
    const calls = [];
    const faults = { '/verify': [], '/settle': [], '/supported': [] };

    const work = {
        'POST /verify': ({ paymentPayload, paymentRequirements }) =>
            facilitator.verify(paymentPayload, paymentRequirements),
        'POST /settle': ({ paymentPayload, paymentRequirements }) =>
            facilitator.settle(paymentPayload, paymentRequirements),
        'GET /supported': () => facilitator.getSupported(),
    };

    const server = await serve(async (request, response) => {
        const { method, url: path } = request;
        const task = work[`${method} ${path}`];
        const call = { method, path };
        // Asked in the background, with or without a payment.
        if (path !== '/supported') calls.push(call);
        if (!task) {
            response.writeHead(404).end();
            return;
        }

        const fault = faults[path].shift() ?? {};
        const text = await bodyOf(request);
        if (fault.before) await fault.before();
        if (fault.delay) await sleep(fault.delay);

        call.question = text ? JSON.parse(text) : {};
        const { status, body } = await answer(path, fault, () => task(call.question));
        Object.assign(call, { status, body });

        if (fault.late) await sleep(fault.late);
        if (fault.lost) {
            request.socket.destroy();
            return;
        }
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });

    return {
        url: server.url,
        calls,
        count: (path) => calls.filter((call) => call.path === path).length,
        // Orders a fault for the next call of this path that has none ordered yet.
        next: (path, fault) => { faults[path].push(fault); },
        // The last call of this path, with what was asked.
        last: (path) => calls.filter((call) => call.path === path).at(-1),
        // Takes back what was ordered and did not happen, for the sake of the next test.
        reset: () => { Object.values(faults).forEach((ordered) => ordered.splice(0)); },
        stop: server.stop,
    };
}

async function answer(path, fault, task) {
    if (fault.status) return { status: fault.status, body: fault.body ?? '' };
    if (fault.refused) {
        const refusal = path === '/verify'
            ? { isValid: false, invalidReason: fault.refused }
            : { success: false, errorReason: fault.refused, transaction: '', network };
        return { status: 200, body: JSON.stringify(refusal) };
    }
    try {
        return { status: 200, body: JSON.stringify(await task()) };
    } catch (error) {
        return { status: 500, body: JSON.stringify({ error: String(error.message) }) };
    }
}

// What the facilitator needs of a chain. Sending is one at a time: two transactions of one account must not be given
// the same number.
function signer(chain, account, options) {
    const wallet = chain.writer(account);
    let last = Promise.resolve();
    const inTurn = (send) => {
        const mine = last.then(send);
        last = mine.catch(() => {});
        return mine;
    };
    const { reader } = chain;
    return toFacilitatorEvmSigner({
        address: account.address,
        getCode: (args) => reader.getCode(args),
        // What only the facilitator may do is tried as the facilitator.
        readContract: (args) => reader.readContract({ account: account.address, ...args, args: args.args ?? [] }),
        verifyTypedData: (args) => reader.verifyTypedData(args),
        writeContract: (args) => inTurn(() => wallet.writeContract({ ...args, gas: args.gas ?? options.gas })),
        sendTransaction: (args) => inTurn(() => wallet.sendTransaction(args)),
        waitForTransactionReceipt: (args) => reader.waitForTransactionReceipt(args),
    });
}
