import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { personalDataPage } from './personal-data-page.ts';

it('docs/personal-data.md is up to date: else run `npm run generate`', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/personal-data.md'), 'utf8');
  expect(written.trimEnd()).toBe(personalDataPage().trimEnd());
});
