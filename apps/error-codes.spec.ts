import { readFileSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodes, errorsPage } from './error-codes.ts';
import { processRefusals } from './refusal-codes.ts';

const root = join(import.meta.dirname, '..');

/** Errors that end a program or a subscription. A route that meets one has a defect, and answers `internal-error`. */
const OF_PROGRAMS = new Set([
  ...['wrong-expected-revision', 'no-copy', 'query-failed', 'rebuild-cancelled', 'read-model-paused'],
  ...['log-replaced', 'access-refused', 'stream-deleted', 'statement-refused', 'box-damaged', 'key-missing'],
  'not-for-caller',
  ...['another-vault', 'another-origin', 'not-a-copy', 'master-key-replaced', 'keys-not-wrapped'],
  ...[
    'out-of-reach',
    'unit-lost',
    'damages-changed',
    'beginning-lost',
    'private-address',
    'no-safe-connection',
    'not-leader',
    'access-denied',
    'no-answer',
  ],
  // It parks what it is about, and attention shows it.
  'provider-refusal',
  ...['postgres-away', 'postgres-refused', 'cannot-connect'],
  // What the wire node answers its clients.
  ...['refused-by-server', 'bad-request', 'not-ready'],
]);

/** Codes that end with a state, and the states with which they are refused. */
const byState: Readonly<Record<string, readonly string[]>> = {
  'order-': ['awaiting-payment', 'payment-failed', 'open', 'paused', 'filled', 'cancelled'],
  'checkout-': ['unknown', 'placed', 'abandoned'],
};

/** The code of all libraries and of the API, but for tests and the tables. */
async function sources(): Promise<string> {
  const texts: string[] = [];
  for await (const file of glob(['libs/**/*.ts', 'apps/api/*.ts'], { cwd: root }))
    if (!/(\.spec|-codes)\.ts$/.test(file)) texts.push(await readFile(join(root, file), 'utf8'));
  return texts.join('\n');
}

function codesIn(text: string): string[] {
  const named = [...text.matchAll(/\b(?:refuse|super|new Problem)\(\s*'([a-z]+(?:-[a-z]+)+)'/g)];
  const prefixes = [...text.matchAll(/\brefuse\(\s*`([a-z-]+-)\$\{/g)].map(([, prefix]) => prefix as string);
  return [
    ...named.map(([, code]) => code as string),
    ...prefixes.flatMap((prefix) => (byState[prefix] ?? ['?']).map((state) => prefix + state)),
  ];
}

test('every code of a refusal or an error is in the tables: else add it to apps/refusal-codes.ts or apps/error-codes.ts', async () => {
  const codes = codesIn(await sources());
  const missing = codes.filter((code) => !(code in errorCodes) && !(code in processRefusals) && !OF_PROGRAMS.has(code));
  expect(missing).toEqual([]);
  expect(codes.length).toBeGreaterThan(90);
});

test('a code that is not in the tables is found, wherever it stands', () => {
  const text = `
    refuse('new-rule', 'no');
    refuse(
      'other-rule', 'no');
    super('new-error', message);
    refuse(\`lead-\${state}\`, 'no')`;
  expect(codesIn(text)).toEqual(['new-rule', 'other-rule', 'new-error', 'lead-?']);
});

test('the tables have no code that nothing answers', async () => {
  const text = await sources();
  const known = new Set(codesIn(text));
  // Those of unknown ids are made from the name of the thing.
  const unused = [...Object.keys(errorCodes), ...Object.keys(processRefusals)].filter(
    (code) => !known.has(code) && !text.includes(`'${code}'`) && code !== 'mail-copy-unknown',
  );
  expect(unused).toEqual([]);
});

test('the page names both statuses of what may be in the path or in the body', () => {
  expect(errorsPage()).toContain('| 404, 409 | `factor-unknown` |');
  expect(errorsPage()).toContain('| 409 | `last-factor` |');
});

test('docs/errors.md is up to date: else run `npm run generate`', () => {
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8').trimEnd()).toBe(errorsPage().trimEnd());
});
