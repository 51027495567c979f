// SPDX-License-Identifier: Apache-2.0
// A headless Chromium with a wallet that is not an extension but a few lines in each page: what it is asked to sign is
// signed here, by an account of the test.

import './webcrypto.mjs';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import WebSocket from 'ws';
import { freshDirectory, repository } from './paths.mjs';
import { start, stop, until } from './process.mjs';

// Nothing: none is installed.
export function chromium() {
    return process.env.PATH.split(delimiter).map((directory) => join(directory, 'chromium')).find((file) => {
        try {
            accessSync(file, constants.X_OK);
            return true;
        } catch {
            return false;
        }
    });
}

// What a page sees of the wallet: the provider of EIP-1193, announced as EIP-6963 has it, or found in window.ethereum.
const injected = (name) => `(() => {
    const open = new Map();
    let last = 0;
    window.__answer = (id, error, result) => {
        const [resolve, reject] = open.get(id);
        open.delete(id);
        if (error) reject(Object.assign(new Error(error.message), { code: error.code }));
        else resolve(result);
    };
    const provider = {
        request: ({ method, params }) => new Promise((resolve, reject) => {
            open.set(++last, [resolve, reject]);
            window.__ask(JSON.stringify({ id: last, method, params }));
        }),
    };
    const name = ${JSON.stringify(name)};
    if (!name) { window.ethereum = provider; return; }
    const info = { uuid: '350670db-19fa-4704-a166-e52e178b59d2', name, icon: 'data:image/svg+xml,', rdns: 'test.wallet' };
    const announce = () => window.dispatchEvent(
        new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }));
    window.addEventListener('eip6963:requestProvider', announce);
    announce();
})()`;

// answer: a function of { method, params } that gives what the wallet answers, or throws { code, message }.
export async function startBrowser() {
    const directory = freshDirectory('chromium');
    const child = start(chromium(), [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars',
        `--user-data-dir=${directory}`, '--remote-debugging-port=0', 'about:blank',
    ]);
    const file = join(directory, 'DevToolsActivePort');
    const end = async () => {
        await stop(child);
        rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    };
    let socket;
    try {
        const [port, path] = await until('the browser listens', () => {
            if (child.exitCode !== null) throw new Error(`the browser did not start:\n${child.said}`);
            const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
            return lines.length === 2 && lines;
        }, 60_000);
        socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false });
        await new Promise((resolve, reject) => { socket.on('open', resolve); socket.on('error', reject); });
    } catch (error) {
        await end();
        throw error;
    }

    let last = 0;
    const waiting = new Map();
    const listeners = new Set();
    socket.on('message', (bytes) => {
        const message = JSON.parse(bytes);
        if (message.id === undefined) {
            listeners.forEach((listener) => listener(message));
            return;
        }
        const { resolve, reject } = waiting.get(message.id);
        waiting.delete(message.id);
        if (message.error) reject(new Error(message.error.message));
        else resolve(message.result);
    });
    const call = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });

    // name: the wallet is announced by that name; '': it is window.ethereum. wallet: undefined for a page without one.
    async function open(url, { wallet, name = 'Test Wallet', script = true, width = 900, height = 1000 } = {}) {
        const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
        const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
        const inPage = (method, params) => call(method, params, sessionId);
        const evaluate = async (expression) => {
            const { result, exceptionDetails } = await inPage('Runtime.evaluate', {
                expression, returnByValue: true, awaitPromise: true,
            });
            if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
            return result.value;
        };
        const problems = [];
        const asked = [];
        listeners.add(async ({ method, params, sessionId: session }) => {
            if (session !== sessionId) return;
            if (method === 'Log.entryAdded') problems.push(params.entry.text);
            if (method === 'Runtime.exceptionThrown') problems.push(params.exceptionDetails.exception?.description);
            if (method !== 'Runtime.bindingCalled') return;
            const { id, ...question } = JSON.parse(params.payload);
            asked.push(question.method);
            let error = null;
            let result = null;
            try {
                result = await wallet(question);
            } catch ({ code, message }) {
                error = { code, message };
            }
            await evaluate(`__answer(${id}, ${JSON.stringify(error)}, ${JSON.stringify(result)})`);
        });
        await inPage('Page.enable');
        await inPage('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
        await inPage('Runtime.enable');
        await inPage('Log.enable');
        await inPage('Emulation.setScriptExecutionDisabled', { value: !script });
        if (wallet) {
            await inPage('Runtime.addBinding', { name: '__ask' });
            await inPage('Page.addScriptToEvaluateOnNewDocument', { source: injected(name) });
        }
        await inPage('Page.navigate', { url });
        return {
            asked,
            problems,
            evaluate,
            text: (selector = 'main') => evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`),
            buttons: () => evaluate('[...document.querySelectorAll("button")].map((button) => button.textContent)'),
            // As a person: a click in the middle of the first button.
            async click() {
                const [x, y] = await evaluate(`(() => {
                    const button = document.querySelector('button');
                    button.scrollIntoView({ block: 'center' });
                    const { x, y, width, height } = button.getBoundingClientRect();
                    return [x + width / 2, y + height / 2];
                })()`);
                for (const type of ['mousePressed', 'mouseReleased']) {
                    await inPage('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
                }
            },
            says: (words) => until(`the page says ${words}`, async () =>
                words.test(await evaluate('document.querySelector(".said")?.textContent ?? ""')), 60_000),
            async shot(name) {
                const pictures = join(repository, 'build', 'paywall');
                mkdirSync(pictures, { recursive: true });
                const { data } = await inPage('Page.captureScreenshot', { format: 'png' });
                writeFileSync(join(pictures, `${name}.png`), Buffer.from(data, 'base64'));
            },
            close: () => call('Target.closeTarget', { targetId }),
        };
    }

    return {
        open,
        async stop() {
            socket.close();
            await end();
        },
    };
}
