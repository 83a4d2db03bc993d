import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreFull } from '#event-store/port';
import { openSqliteKeys } from './sqlite-keys.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const newKey = () => ({ keyId: randomUUID(), wrapped: randomBytes(10_000), beside: randomBytes(60) });

it('keys are refused on a full disk as the log refuses events, those that are there still open, and later ones are added', async () => {
  const keys = await openSqliteKeys({ directory, maxPages: 40 });
  let added = 0;
  const refused = await (async () => {
    for (;;) {
      await keys.add(`lead-${added}`, newKey());
      added += 1;
    }
  })().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StoreFull);
  expect(keys.findOf('lead-0')).toBeDefined();
  await expect(keys.add('lead-1000', newKey())).rejects.toThrow(StoreFull);
  await keys.close();
  const roomier = await openSqliteKeys({ directory });
  const key = newKey();
  expect(await roomier.add('lead-1000', key)).toMatchObject({ keyId: key.keyId });
  await roomier.close();
});
