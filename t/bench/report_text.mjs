// SPDX-License-Identifier: Apache-2.0
// Numbers and tables as text, and the words about where they come from.
import os from 'node:os';
import fs from 'node:fs';
import * as tools from './process_tools.mjs';

export const fixed = (number, digits) => (Number.isFinite(number) ? number.toFixed(digits) : '');
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

// Markdown; the first column is text, the others are numbers.
export function table(head, rows) {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [line(head), line(head.map((name, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

function quiet(command) {
    try {
        return tools.run(command, { stdio: ['ignore', 'pipe', 'pipe'] }).trim();
    } catch { return ''; }
}

export function versions() {
    const nginx = tools.run(['sh', '-c', `"${tools.nginx_path}" -v 2>&1`]).match(/nginx\/\S+/)?.[0] ?? 'nginx';
    return { nginx, compiler: quiet(['gcc', '-dumpfullversion']), curl: quiet(['pkg-config', '--modversion', 'libcurl']),
        jansson: quiet(['pkg-config', '--modversion', 'jansson']),
        simdjson: quiet(['pkg-config', '--modversion', 'simdjson']), architecture: os.arch() };
}

export function environment() {
    // Of what is measured, not of the documentation.
    const sources = ['--', 'src', 'config', 'config.make', 'ngx_http_x402_module.c'];
    const commit = quiet(['git', '-C', tools.top, 'log', '-1', '--format=%h', ...sources]);
    const changed = quiet(['git', '-C', tools.top, 'status', '--porcelain', ...sources]) ? ', changed' : '';
    const [cpu] = os.cpus();
    const facts = { ...versions(), commit: commit + changed, cpu: cpu.model.trim(), cores: os.cpus().length,
        node: process.version, load: os.loadavg()[0], date: new Date().toISOString().slice(0, 10) };
    facts.text = `Sources of commit ${facts.commit}, ${facts.date}. ${facts.cpu}, ${facts.cores} cores,\nload average ${fixed(facts.load, 1)} `
        + `before the run; ${facts.nginx}, gcc ${facts.compiler}, libcurl ${facts.curl}, node ${facts.node}.`;
    return facts;
}

// Does the machine still make these very programs? For figures that are kept.
export const same_versions = (a, b) => JSON.stringify(a) === JSON.stringify(b);
export const read_json = (file) => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined);
