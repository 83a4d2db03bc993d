import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { fill } from '../contract/event-store-contract.ts';
import type { EventStore } from '../port.ts';
import { openEmbeddedStore } from './embedded-store.ts';

describe('the tables of a log', () => {
  let directory: string;
  let store: EventStore;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    store = await openEmbeddedStore({ directory });
    await fill(store, 20);
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it('fit together as they are written, also while there is no event', async () => {
    expect(await store.faults?.()).toEqual([]);
    const empty = await openEmbeddedStore();
    expect(await empty.faults?.()).toEqual([]);
    await empty.close();
  });

  const last = '(SELECT max(position) FROM events)';
  it.each([
    ['a stream ends later', `UPDATE streams SET revision = revision + 1 WHERE stream_id = 1`, /^.+: it ends at rev/],
    ['a stream ends earlier', `UPDATE streams SET revision = revision - 1 WHERE stream_id = 1`, /^.+: it ends at rev/],
    ['the last event is gone', `DELETE FROM events WHERE position = ${last}`, /^.+: it ends at revision/],
    ['a stream has no event', `INSERT INTO streams (name, revision) VALUES ('order-z', 3)`, /^order-z: .* has none$/],
    ['a position is skipped', `UPDATE events SET position = 1019 WHERE position = ${last}`, /^position 1019: /],
    ['a position is before the first', `UPDATE events SET position = -4 WHERE position = ${last}`, /^position -4: /],
    [
      'an event has no stream',
      `UPDATE events SET stream_id = 999 WHERE position = ${last}`,
      /^position 20: .* no stream$/m,
    ],
    ['the identity is gone', 'DELETE FROM identity', /^identity: the log has none$/],
    ['the identity is none', `UPDATE identity SET id = ''`, /^identity: the log has none$/],
  ])('do not when %s', async (_, change, fault) => {
    const database = new Database(join(directory, 'events.sqlite'));
    database.exec(change);
    database.close();
    expect((await store.faults?.())?.join('\n')).toMatch(fault);
  });
});
