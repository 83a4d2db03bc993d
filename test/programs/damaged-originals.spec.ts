import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { deriveId } from '#domain/kernel/ids';
import { openEvents } from '#wiring/stores';
import { cli, Program } from './program.ts';

const temporary = mkdtempSync(join(tmpdir(), 'leadger-damaged-originals-'));
const original = join(temporary, 'original');
beforeAll(async () => {
  expect((await cli('demo', '--days', '1', '--data', original)).code).toBe(0);
});
afterAll(() => rmSync(temporary, { recursive: true }));

const copies = [
  ['copy', ['copy']],
  ['copy --seal', ['copy', '--seal']],
] as const;

/** SQL that damages a log, and what is said about it. */
const damages = {
  'changed data': [
    `UPDATE events SET data = CAST(CAST(data AS TEXT) || ' ' AS BLOB)
     WHERE position = (SELECT max(position) / 2 FROM events)`,
    /^leadger: [a-z]+-[^\n]*@\d+ is damaged: it is not what was written\n$/,
  ],
  'an event that is gone': [
    'DELETE FROM events WHERE position = (SELECT max(position) FROM events)',
    /^leadger: [^\n]* is damaged: [a-z]+-[^\n]*: it ends at revision \d+, and its last event has [^\n]+: restore the log from a backup\n$/,
  ],
} as const;

describe.each(Object.entries(damages))('a log with %s', (name, [sql, says]) => {
  const damaged = join(temporary, name);
  const target = join(temporary, `copy of ${name}`);
  beforeAll(async () => {
    await cp(original, damaged, { recursive: true });
    const log = new Database(join(damaged, 'events', 'events.sqlite'));
    log.exec(sql);
    log.close();
  });

  test.each(copies)('is refused by %s, and nothing is made', async (_, command) => {
    const { code, stdout, stderr } = await cli(...command, '--from', damaged, '--to', target);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(says) });
    expect(existsSync(target)).toBe(false);
  });

  test('is not served as if it were whole', async () => {
    const serving = new Program('cli', ['serve-events', '--port', '0', '--data', damaged]);
    const served = await Promise.race([
      serving.says(/served at (esdb:\S+)/).then(([, url]) => cli('copy', '--from', url as string, '--to', target)),
      serving.ended,
    ]);
    await serving.stop();
    expect(served).toMatchObject({ code: 1, stderr: expect.stringMatching(says) });
  });
});

test('a log that is whole is copied, and served', async () => {
  const [copied, served] = [join(temporary, 'copied'), join(temporary, 'served')];
  expect((await cli('copy', '--from', original, '--to', copied)).code).toBe(0);
  const serving = new Program('cli', ['serve-events', '--port', '0', '--data', original]);
  const [, url] = await serving.says(/served at (esdb:\S+)/);
  expect((await cli('copy', '--from', url as string, '--to', served)).code).toBe(0);
  await serving.stop();
});

test('a log with an event that this version would not store is not sealed, and nothing is made', async () => {
  const [unusual, target] = [join(temporary, 'unusual'), join(temporary, 'copy of unusual')];
  await cp(original, unusual, { recursive: true });
  const log = await openEvents({ directory: unusual });
  const [data, metadata] = [{ at: '2026-05-01T10:00:00.000Z', from: 'other' }, { actor: 'staff:ada' }];
  const [id] = [deriveId('unusual')];
  const bytes = (value: object) => Buffer.from(JSON.stringify(value));
  const cause = { ...metadata, commandId: id, correlationId: id };
  await log.append('customer-c1', [{ id, type: 'TimeZoneChanged', data: bytes(data), metadata: bytes(cause) }], 'any');
  await log.close();
  const { code, stdout, stderr } = await cli('copy', '--seal', '--from', unusual, '--to', target);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^leadger: TimeZoneChanged at customer-c1@0 has not the form that this version stores\n$/);
  expect(existsSync(target)).toBe(false);
});

test.each(copies)('%s of a log does not lie in it, nor around it', async (_, command) => {
  const link = join(temporary, 'link');
  if (!existsSync(link)) symlinkSync(original, link);
  for (const target of [join(original, 'copy'), join(link, 'copy'), temporary]) {
    const { code, stderr } = await cli(...command, '--from', original, '--to', target);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is inside the other') });
  }
  expect(existsSync(join(original, 'copy'))).toBe(false);
});
