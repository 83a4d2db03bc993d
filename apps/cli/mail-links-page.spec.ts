import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mailLinksPage } from './mail-links-page.ts';

it('docs/mail-links.md is up to date: else run `npm run generate`', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/mail-links.md'), 'utf8');
  expect(written.trimEnd()).toBe(mailLinksPage().trimEnd());
});
