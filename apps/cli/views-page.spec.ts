import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { viewsPage } from './views-page.ts';

it('docs/analytics.md is up to date: else run `npm run --silent leadger -- catalog --views > docs/analytics.md`', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/analytics.md'), 'utf8');
  expect(written.trimEnd()).toBe(viewsPage().trimEnd());
});
