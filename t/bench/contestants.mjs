// SPDX-License-Identifier: Apache-2.0
// Every server that is measured: how it is set up and started, and what a right
// answer of it looks like. All serve the same few bytes at /free and /paid.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import * as tools from './process_tools.mjs';
import { payTo, price, timeout } from './terms.mjs';

export const content = 'What one cent buys: a short text, the same from every server that is measured here.\n';

const js_module = '/usr/lib/nginx/modules/ngx_http_js_module.so';

export function web_root() {
    const root = path.join(tools.scratch(), 'www');
    if (!fs.existsSync(root)) {
        fs.mkdirSync(root);
        for (const name of ['free', 'paid']) fs.writeFileSync(path.join(root, name), content);
    }
    return root;
}

// --- nginx -------------------------------------------------------------------

// options: modules, http, server (text), workers, level of the error log.
export function nginx_conf(dir, port, options) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${dir}/${name};`).join(' ');
    return `
${(options.modules ?? []).map((file) => `load_module ${file};`).join('\n')}
${options.main ?? 'daemon off;'}
user ${process.getuid() === 0 ? 'root' : 'nobody'};
pid ${dir}/nginx.pid;
error_log ${dir}/error.log ${options.level ?? 'warn'};
worker_processes ${options.workers ?? 1};
events { worker_connections ${options.connections ?? 8192}; }
http {
    access_log off;
    ${temporary}
    root ${web_root()};
    default_type text/plain;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_header_buffer_size ${options.first_buffer ?? '1k'};
    large_client_header_buffers ${options.header_buffers ?? '4 8k'};
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    ${options.http ?? ''}
    server {
        listen 127.0.0.1:${port} backlog=16384;
        location /free { }
        ${options.server ?? ''}
    }
}
`;
}

let serial = 0;

export async function start_nginx(options) {
    const dir = path.join(tools.scratch(), `nginx-${++serial}`);
    fs.mkdirSync(dir);
    const port = await tools.free_port();
    fs.writeFileSync(path.join(dir, 'nginx.conf'), nginx_conf(dir, port, options));
    const command = [...(options.under ?? []), tools.nginx_path, '-e', `${dir}/error.log`, '-p', dir, '-c', `${dir}/nginx.conf`];
    const child = tools.start(tools.pinned('core' in options ? options.core : tools.server_core, command));
    await tools.listening(port, child, 60);
    await tools.pause(50);
    return { port, child, dir, pids: tools.family(child.pid), stop: () => tools.stop(child, 'SIGQUIT') };
}

// --- the module --------------------------------------------------------------

export function module_options({ facilitator, ...options }) {
    return {
        modules: [tools.module_path],
        http: `
    x402_zone ${options.zone ?? 'bench:100m'};
    x402_facilitator ${facilitator};
    x402_facilitator_max_calls ${options.calls ?? 8192};
    x402_facilitator_timeout verify=30s settle=60s;
    ${facilitator.startsWith('https:') ? `x402_facilitator_ssl_trusted_certificate ${tools.scratch()}/stub.pem;` : ''}
    x402_network base-sepolia;
    x402_pay_to ${payTo};
    x402_timeout ${timeout}s;
`,
        ...options,
        server: options.server ?? `location /paid { x402_price ${price}; ${options.paid ?? ''} }`,
    };
}

const start_module = (options) => start_nginx(module_options(options));

// A store on the core of the load, because what it costs nginx is looked for;
// and the options of an nginx that uses it.
export async function with_store(made) {
    const port = await tools.free_port();
    const redis = tools.start(tools.pinned(tools.load_core, ['redis-server', '--port', `${port}`, '--bind', '127.0.0.1',
        '--dir', tools.scratch(), '--save', '', '--appendonly', 'no']));
    await tools.listening(port, redis, 10);
    return { redis, port, options: { ...made, http: `${made.http} x402_store redis://127.0.0.1:${port} timeout=5s;` } };
}

async function start_with_store(options) {
    const { redis, port, options: made } = await with_store(module_options(options));
    const server = await start_nginx(made);
    return { ...server, store_port: port, stop: async () => { await server.stop(); await tools.stop(redis); } };
}

// --- its peers ---------------------------------------------------------------

// The bytes of the module's own 402 from a configuration without it.
function stock_402(answer) {
    const own = ['server', 'date', 'content-type', 'content-length', 'connection'];
    return `
        location /paid {
            default_type ${answer.headers['content-type']};
            ${Object.entries(answer.headers).filter(([name]) => !own.includes(name))
        .map(([name, value]) => `add_header ${name} "${value}" always;`).join('\n            ')}
            return 402 '${answer.body}';
        }`;
}

const upstream = (facilitator) => {
    const url = new URL(facilitator);
    return {
        http: `upstream facilitator { server ${url.host}; keepalive 2048; }`,
        call: (what) => `
            internal;
            proxy_pass ${url.protocol}//facilitator${url.pathname}/${what};
            proxy_method POST;
            proxy_http_version 1.1;
            proxy_pass_request_headers off;
            proxy_set_header Connection "";
            proxy_set_header Content-Type application/json;`,
    };
};

// nginx that does the two calls of a payment and nothing else: an answer is
// taken for a yes, and there is no receipt.
function start_two({ facilitator }) {
    const { http: group, call } = upstream(facilitator);
    const pages = path.join(tools.scratch(), 'two');
    fs.mkdirSync(pages, { recursive: true });
    fs.writeFileSync(path.join(pages, 'paid'),
        `<!--# include virtual="/_verify" set="v" wait="yes" --><!--# include virtual="/_settle" set="s" wait="yes" -->${content}`);
    const body = 'proxy_set_body \'{"x402Version":2,"paymentPayload":"$http_payment_signature"}\';';
    return start_nginx({
        http: group,
        server: `
        location /paid { root ${pages}; ssi on; ssi_types text/plain; }
        location = /_verify { ${call('verify')} ${body} }
        location = /_settle { ${call('settle')} ${body} }`,
    });
}

// The same in C++ without a web server around it.
async function start_floor({ facilitator }) {
    const port = await tools.free_port();
    const url = new URL(facilitator);
    const child = tools.start(tools.pinned(tools.server_core, [tools.program('floor_server'), `port=${port}`,
        `facilitator=${url.port}`, `path=${url.pathname}`, `content=${path.join(web_root(), 'free')}`]));
    await tools.listening(port, child);
    return { port, child, pids: tools.family(child.pid), stop: () => tools.stop(child) };
}

function start_njs({ facilitator }) {
    const { http: group, call } = upstream(facilitator);
    return start_nginx({
        modules: [js_module],
        http: `js_path ${tools.here}; js_import gate from peer_gate.js; ${group}`,
        server: `
        location /paid { js_content gate.sell; }
        location = /_verify { ${call('verify')} }
        location = /_settle { ${call('settle')} }
        location /_content/ { internal; alias ${web_root()}/; }`,
    });
}

function start_auth_request({ facilitator }) {
    const { http: group, call } = upstream(facilitator);
    return start_nginx({
        http: group,
        server: `
        location /paid { auth_request /_verify; }
        location = /_verify {
            ${call('verify')}
            proxy_set_body '{"x402Version":2,"paymentPayload":"$http_payment_signature"}';
        }`,
    });
}

async function start_node(file, { facilitator }) {
    const port = await tools.free_port();
    const script = path.join(tools.here, file);
    const child = tools.start(tools.pinned(tools.server_core,
        [process.execPath, script, String(port), facilitator, path.join(web_root(), 'free')]),
    { env: { ...process.env, NODE_ENV: 'production', NODE_EXTRA_CA_CERTS: `${tools.scratch()}/stub.pem` } });
    await tools.listening(port, child);
    return { port, child, pids: tools.family(child.pid), stop: () => tools.stop(child) };
}

export const contestants = {
    nginx: { title: 'nginx without the module', start: () => start_nginx({}) },
    stock402: { title: 'nginx `return 402`, same bytes', server: stock_402,
        start: ({ challenge }) => start_nginx({ server: stock_402(challenge) }) },
    module: { title: '**this module**', start: start_module },
    module_2k: { title: '**this module**, `client_header_buffer_size 2k`', start: (options) => start_module({ ...options, first_buffer: '2k' }) },
    ledger: { title: 'this module, with a ledger', start: (options) => start_module({ ...options, level: 'notice' }) },
    store: { title: 'this module, with a store', start: start_with_store },
    before: { title: '**this module**, `x402_settle before`', up_front: true, start: (options) => start_module({ ...options, paid: 'x402_settle before;' }) },
    express: { title: '@x402/express', start: (options) => start_node('peer_express.mjs', options) },
    hono: { title: '@x402/hono', start: (options) => start_node('peer_hono.mjs', options) },
    njs: { title: 'nginx + njs', start: start_njs },
    two: { title: 'nginx, two calls and nothing else', start: start_two, receipt: false },
    floor: { title: 'two calls and nothing else, in C++', start: start_floor, receipt: false },
    auth_request: { title: 'nginx auth_request (one call, no receipt)', start: start_auth_request, receipt: false },
};

// --- one look at a server ------------------------------------------------------

export function get(port, path_, headers = {}) {
    return new Promise((done, fail) => {
        http.get({ port, host: '127.0.0.1', path: path_, agent: false, headers: { Host: 'bench.example', ...headers } },
            (response) => {
                let body = '';
                response.setEncoding('utf8');
                response.on('data', (text) => { body += text; });
                response.on('end', () => done({ status: response.statusCode, headers: response.headers, body }));
            }).on('error', fail);
    });
}

export const decoded = (value) => JSON.parse(Buffer.from(value, 'base64').toString());
