import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sandboxPage } from './sandbox-page.ts';

it('docs/sandbox.md is up to date: else run `npm run generate`', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/sandbox.md'), 'utf8');
  expect(written.trimEnd()).toBe(sandboxPage().trimEnd());
});
