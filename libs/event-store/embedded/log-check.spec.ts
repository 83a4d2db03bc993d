import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { deriveId } from '#domain/kernel/ids';
import { BEFORE_FIRST, CannotOpenStore, DamagedEvent, type EventStore } from '../port.ts';
import { openEmbeddedStore } from './embedded-store.ts';

/** Three streams with four events each, one after the other. */
const EVENTS = 12;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-log-check-'));
  const store = await openEmbeddedStore({ directory });
  for (let number = 0; number < EVENTS; number += 1) {
    const data = Buffer.from(JSON.stringify({ number }));
    const event = { id: deriveId('checked', String(number)), type: 'Checked', data, metadata: data };
    await store.append(`order-${number % 3}`, [event], 'any');
  }
  await store.close();
});
afterEach(() => rmSync(directory, { recursive: true }));

function change(sql: string): void {
  const database = new Database(join(directory, 'events.sqlite'));
  database.exec(sql);
  database.close();
}

async function read<Result>(checked: boolean, from: (store: EventStore) => AsyncIterable<Result>): Promise<number> {
  const store = await openEmbeddedStore({ directory, readOnly: true, checked });
  try {
    let events = 0;
    for await (const _ of from(store)) events += 1;
    return events;
  } finally {
    await store.close();
  }
}

const untilCaughtUp = async function* (store: EventStore) {
  for await (const message of store.subscribe({ after: BEFORE_FIRST })) {
    if (message.kind === 'caught-up') return;
    yield message;
  }
};

describe('a log that is opened to be checked', () => {
  it('is read as it is when it is whole', async () => {
    expect(await read(true, (store) => store.readAll())).toBe(EVENTS);
    expect(await read(true, untilCaughtUp)).toBe(EVENTS);
  });

  it.each([
    ['data', `data = CAST('{"number":9}' AS BLOB)`],
    ['metadata', `metadata = CAST('{}' AS BLOB)`],
    ['type', `type = 'Other'`],
    ['id', `id = 'other'`],
    ['instant', 'recorded_at = recorded_at - 1'],
    ['hash', `hash = X'00'`],
  ])('ends at the event whose %s was changed, however it is read', async (_, changed) => {
    change(`UPDATE events SET ${changed} WHERE position = 8`);
    const reads = [
      (store: EventStore) => store.readAll(),
      (store: EventStore) => store.readAll({ direction: 'backwards' }),
      (store: EventStore) => store.readStream('order-1'),
      untilCaughtUp,
    ];
    for (const from of reads) {
      await expect(read<unknown>(true, from)).rejects.toThrow(DamagedEvent);
      await expect(read<unknown>(true, from)).rejects.toThrow('order-1@2 is damaged');
    }
    expect(await read(true, (store) => store.readStream('order-0'))).toBe(4);
    expect(await read(false, (store) => store.readAll())).toBe(EVENTS);
  });

  it.each([
    [
      'an event in the middle is gone',
      'DELETE FROM events WHERE position = 5',
      'order-1: it has 3 events up to revision 3',
    ],
    [
      'the newest event of a stream is gone',
      'DELETE FROM events WHERE position = 11',
      'order-1: it ends at revision 3, and its last event has revision 2',
    ],
    [
      'the newest event of the log is gone',
      'DELETE FROM events WHERE position = 12',
      'order-2: it ends at revision 3, and its last event has revision 2',
    ],
    [
      'a stream has no events',
      'DELETE FROM events WHERE stream_id = 1',
      'order-0: it ends at revision 3, and its last event has none',
    ],
    ['a stream ends before its newest event', 'UPDATE streams SET revision = 2 WHERE stream_id = 1', 'order-0'],
    ['events have no stream', 'DELETE FROM streams WHERE stream_id = 2', 'position 2: its event belongs to no stream'],
    [
      'positions are left out',
      'UPDATE events SET position = 1000 WHERE position = 12',
      'position 1000: the one before it is 11',
    ],
    [
      'a whole stream is gone',
      'DELETE FROM events WHERE stream_id = 1; DELETE FROM streams WHERE stream_id = 1',
      'position 2: it is the first one',
    ],
  ])('is not opened when %s', async (_, sql, message) => {
    change(sql);
    const refused = await read(true, (store) => store.readAll()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CannotOpenStore);
    expect(refused).toMatchObject({ code: 'damaged', message: expect.stringContaining(message) });
    expect((refused as Error).message).toContain(directory);
    await read(false, (store) => store.readAll());
  });
});
