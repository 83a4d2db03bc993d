import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf, cases } from './answers-of.ts';

/** Records what a server answers: `npm run server-answers -- 127.0.0.1:2113`. */
const address = process.argv[2] ?? '127.0.0.1:2113';
const answers: Record<string, unknown> = {};
for (const name of Object.keys(cases)) answers[name] = await answerOf(address, name);
writeFileSync(join(import.meta.dirname, 'answers.json'), JSON.stringify(answers, null, 2));
