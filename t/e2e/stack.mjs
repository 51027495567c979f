// SPDX-License-Identifier: Apache-2.0
// The whole arrangement: chains, facilitator, backend, nginx, a seller and payers.

import { startBackend } from './backend.mjs';
import { baseSepolia, dollars, startChain } from './chain.mjs';
import { startFacilitator } from './facilitator.mjs';
import { startServer } from './server.mjs';

// servers: a function of { listen, directory, backend, facilitator } that gives the server blocks; workers as in nginx.
// extra: further lines for http { }. places: the networks there are; x402_network is the first. prepare: starts what
// else a test needs, given { chain, keep }; what it returns is found in the stack and handed to `servers`.
export async function startStack({
    servers, extra = '', workers = 1, port, places = [baseSepolia], prepare = () => ({}),
} = {}) {
    const started = [];
    const keep = (part) => { started.push(part); return part; };

    // Last started, first stopped. All are stopped, then the first complaint is heard.
    async function stopAll() {
        const complaints = [];
        while (started.length) {
            try {
                await started.pop().stop();
            } catch (error) {
                complaints.push(error);
            }
        }
        if (complaints.length) throw complaints[0];
    }

    try {
        const chains = [];
        for (const place of places) chains.push(keep(await startChain(place)));
        const [chain] = chains;
        const facilitator = keep(await startFacilitator(...chains));
        const backend = keep(await startBackend());
        const seller = await chain.newAccount();
        const prepared = await prepare({ chain, keep });
        const nginx = keep(await startServer({
            workers,
            port,
            http: (place) => `
    x402_zone x402:10m;
    x402_facilitator ${facilitator.url};
    x402_network ${chain.network};
    x402_pay_to ${seller.address};
${extra}
${servers({ ...place, ...prepared, facilitator, backend: backend.url })}`,
        }));

        return {
            ...prepared,
            chains,
            chain,
            facilitator,
            backend,
            seller,
            nginx,
            at: (path) => `${nginx.url}${path}`,
            // A new customer with so much in the pocket.
            async payer(amount = 10, on = chain) {
                const account = await on.newAccount();
                await on.mint(account.address, dollars(amount));
                return account;
            },
            // What a payer's money did: the transfers out of the account.
            spent: (payer, on = chain) => on.transfers({ from: payer.address }),
            stop: stopAll,
        };
    } catch (error) {
        await stopAll().catch(() => {});
        throw error;
    }
}
