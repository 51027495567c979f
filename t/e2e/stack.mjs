// The whole arrangement: chain, facilitator, backend, nginx, a seller and payers.

import { startBackend } from './backend.mjs';
import { dollars, startChain } from './chain.mjs';
import { startFacilitator } from './facilitator.mjs';
import { startServer } from './server.mjs';

// servers: the server blocks, or a function of { listen, directory, backend } that gives them; workers as in nginx.
// extra: further lines for http { }.
export async function startStack({ servers, extra = '', workers = 1, port } = {}) {
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
        const chain = keep(await startChain());
        const facilitator = keep(await startFacilitator(chain));
        const backend = keep(await startBackend());
        const seller = await chain.newAccount();
        const nginx = keep(await startServer({
            workers,
            port,
            http: (place) => `
    x402_zone x402:10m;
    x402_facilitator ${facilitator.url};
    x402_network base-sepolia;
    x402_pay_to ${seller.address};
${extra}
${servers({ ...place, backend: backend.url })}`,
        }));

        return {
            chain,
            facilitator,
            backend,
            seller,
            nginx,
            at: (path) => `${nginx.url}${path}`,
            // A new customer with so much in the pocket.
            async payer(amount = 10) {
                const account = await chain.newAccount();
                await chain.mint(account.address, dollars(amount));
                return account;
            },
            // What a payer's money did: the transfers out of the account.
            spent: (payer) => chain.transfers({ from: payer.address }),
            stop: stopAll,
        };
    } catch (error) {
        await stopAll().catch(() => {});
        throw error;
    }
}
