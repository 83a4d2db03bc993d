import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createForOwnerOnly } from '#event-store/owner-only';
import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { cli } from './program.ts';

// Of one instant: demos of two instants live through other minutes.
const DEMO = ['demo', '--days', '3', '--seed', '7', '--json', '--until', '2026-05-01T00:00:00Z'];

let temporary: string;
let original: string;
let summary: string;
let events: TestEventStoreDb;
beforeAll(async () => {
  createForOwnerOnly();
  temporary = mkdtempSync(join(tmpdir(), 'leadger-demo-on-a-server-'));
  original = join(temporary, 'original');
  summary = await printed(...DEMO, '--data', original);
});
beforeEach(async () => {
  events = await startEventStoreDb();
});
afterEach(() => events.close());
afterAll(() => rmSync(temporary, { recursive: true }));

/** Without the digests: ids are made from positions, and a server has others. */
const livedIn = (printedSummary: string) => {
  const { logDigest: _, rowsDigest: __, seconds: ___, eventsPerSecond: ____, ...lived } = JSON.parse(printedSummary);
  return lived;
};
const verified = async (...place: string[]) => {
  const { laws, decisions } = JSON.parse(await printed('verify', '--json', ...place));
  return { laws, decisions };
};
const printed = async (...parameters: string[]) => {
  const { code, stdout, stderr } = await cli(...parameters);
  if (code !== 0) throw new Error(`${parameters.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
};

test('a copy of a demo on a server is verified as the original, has the same rows, and can be copied back', async () => {
  const there = ['--events', events.connectionString];
  await printed('copy', '--from', original, '--to', events.connectionString);
  // The keys are where they were.
  const copy = join(temporary, 'copy');
  cpSync(original, copy, { recursive: true });
  for (const part of ['events', 'read-models']) rmSync(join(copy, part), { recursive: true });
  expect(await verified('--data', copy, ...there)).toEqual(await verified('--data', original));
  const ofOriginal = await printed('digest', '--data', original);
  await printed('rebuild', '--all', '--data', copy, ...there);
  expect(await printed('digest', '--data', copy, ...there)).toBe(ofOriginal);
  const back = join(temporary, 'back');
  expect(await printed('copy', '--from', events.connectionString, '--to', back)).toContain(
    'all are equal to the original',
  );
});

test('a demo on a server lives through the same as on one machine', async () => {
  const there = ['--data', join(temporary, 'there'), '--events', events.connectionString];
  expect(livedIn(await printed(...DEMO, ...there))).toEqual(livedIn(summary));
  expect(await verified(...there)).toEqual(await verified('--data', original));
});
