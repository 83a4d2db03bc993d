import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventCatalog } from './catalog.ts';

it('docs/event-catalog.md is up to date: else run `npm run generate`', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/event-catalog.md'), 'utf8');
  expect(written.trimEnd()).toBe(eventCatalog().trimEnd());
});
