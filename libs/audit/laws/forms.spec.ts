import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cause } from '#domain/codec';
import { authentications } from '#domain/kernel/caller';
import { isCause, isDecision } from './forms.ts';

const SAMPLES = join(import.meta.dirname, '../../../test/stored-events');

/** A new field of the cause does not compile without a line here. */
const full: Required<Cause> & { readonly schemaVersion: number } = {
  commandId: 'e2b1a7d0-4c5f-5a7e-9d3b-1f2e3d4c5b6a',
  correlationId: 'e2b1a7d0-4c5f-5a7e-9d3b-1f2e3d4c5b6a',
  causationId: 'e2b1a7d0-4c5f-5a7e-9d3b-1f2e3d4c5b6a',
  actor: 'staff:ada',
  authenticated: 'cli',
  authenticatedAs: 'system:nightly',
  reason: { keyId: 'k', purpose: 'reason', box: 'AAAA' },
  basis: { 'policy-main': 0 },
  eventsSeen: 0,
  effectiveAt: '2026-03-01T09:30:00.000Z',
  recordedAt: '2026-03-01T09:30:00.000Z',
  lease: { unit: 'mailing', token: 1 },
  requestHash: 'AAAAAAAAAAAAAAAAAAAAAA',
  schemaVersion: 1,
};

it('the audit knows every field of the metadata, and every authentication', () => {
  for (const authenticated of authentications) expect(isCause({ ...full, authenticated })).toBe(true);
});

it('the metadata and decisions of all versions have their form', () => {
  const samples = readdirSync(SAMPLES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name, JSON.parse(readFileSync(join(SAMPLES, name), 'utf8'))]);
  expect(samples.length).toBeGreaterThan(100);
  const wrong = samples.filter(
    ([, { metadata, data }]) => !isCause(metadata) || (data.decision && !isDecision(data.decision)),
  );
  expect(wrong.map(([name]) => name)).toEqual([]);
});
