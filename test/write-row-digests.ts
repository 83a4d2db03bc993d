// Rewrites libs/read-models/row-digests.ts: npm run row-digests
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestsOfRows } from './row-digests.ts';

const file = join(import.meta.dirname, '../libs/read-models/row-digests.ts');
const head = readFileSync(file, 'utf8').split('= {')[0];
const lines = Object.entries(digestsOfRows()).map(([name, digest]) => `  ${name}: '${digest}',\n`);
writeFileSync(file, `${head}= {\n${lines.join('')}};\n`);
