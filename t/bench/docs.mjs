// SPDX-License-Identifier: Apache-2.0
// Puts the latest tables of build/bench into docs/performance.md, each between
// its two marks. What was not measured again stays as it is.
import fs from 'node:fs';
import path from 'node:path';
import * as tools from './process_tools.mjs';

const page = path.join(tools.top, 'docs/performance.md');
const fenced = (text) => `\`\`\`\n${text.trimEnd()}\n\`\`\``;
const parts = {
    result: ['result.md', (text) => text], check: ['check.md', (text) => text],
    scale: ['scale.md', (text) => text], micro: ['micro.txt', fenced],
};

let text = fs.readFileSync(page, 'utf8');
for (const [name, [file, dressed]] of Object.entries(parts)) {
    const mark = new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- end ${name} -->)`);
    if (!mark.test(text)) throw new Error(`docs/performance.md has no marks for ${name}`);
    if (!fs.existsSync(tools.program(file))) continue;
    const fresh = dressed(fs.readFileSync(tools.program(file), 'utf8')).trim();
    text = text.replace(mark, (_, before, after) => `${before}\n${fresh}\n\n${after}`);
    console.log(`${name}: from build/bench/${file}`);
}
fs.writeFileSync(page, text);
