import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rightsPage } from './rights-page.ts';

it('docs/rights.md is up to date: else run `npm run generate`', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/rights.md'), 'utf8');
  expect(written.trimEnd()).toBe(rightsPage().trimEnd());
});
