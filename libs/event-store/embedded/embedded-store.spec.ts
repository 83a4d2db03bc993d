import { type ChildProcess, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { all, event, fill, follow } from '../contract/event-store-contract.ts';
import { hashOfEvent } from '../event-hash.ts';
import {
  BEFORE_FIRST,
  CannotOpenStore,
  EventIdTaken,
  type RecordedEvent,
  StoreFull,
  StoreUnavailable,
} from '../port.ts';
import { openDatabaseForReading, openForWriting } from './database.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { LogReader } from './log-reader.ts';

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'leadger-spec-'));

describe('the embedded store', () => {
  let directory: string;
  beforeEach(() => {
    directory = newDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const tamper = (sql: string) => {
    const database = new Database(join(directory, 'events.sqlite'));
    database.exec(sql);
    database.close();
  };

  it('has all events when it is opened again, and appends after them', async () => {
    const first = await openEmbeddedStore({ directory });
    await fill(first, 20);
    const before = await all(first.readAll());
    await first.close();
    const second = await openEmbeddedStore({ directory });
    expect(await all(second.readAll())).toEqual(before);
    const { position } = await second.append('more-1', [event(100)], 'no-stream');
    expect(position > (before.at(-1)?.position as string)).toBe(true);
    await second.close();
  });

  it('writes with fsync', () => {
    const database = openForWriting({ directory, durable: true });
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    database.close();
  });

  it('keeps every acknowledged append when its process is killed', async () => {
    const writer = startWriter(directory);
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: writer.stdout as NodeJS.ReadableStream })) {
      acknowledged.push(line);
      if (acknowledged.length === 200) writer.kill('SIGKILL');
    }
    const store = await openEmbeddedStore({ directory });
    const events = await all(store.readAll());
    const streams = new Set(events.map(({ stream }) => stream));
    expect(acknowledged.length).toBeGreaterThanOrEqual(200);
    expect(acknowledged.filter((stream) => !streams.has(stream))).toEqual([]);
    expect(events.every((event) => isWhole(event))).toBe(true);
    await store.close();
  });

  it('gives subscribers the events that another process writes', async () => {
    const own = await openEmbeddedStore({ directory });
    await own.append('first-1', [event(0)], 'no-stream');
    await own.close();
    const reader = await openEmbeddedStore({ directory, readOnly: true });
    const subscription = follow(reader, { after: BEFORE_FIRST });
    await subscription.caughtUp(BEFORE_FIRST);
    const writer = startWriter(directory);
    await once(writer.stdout as NodeJS.ReadableStream, 'data');
    const seen = subscription.events.length;
    while (subscription.events.length <= seen) await new Promise((resolve) => setTimeout(resolve, 20));
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    await subscription.stop();
    await reader.close();
  });

  it('shows damaged events: their hash does not match their bytes', async () => {
    const store = await openEmbeddedStore({ directory });
    await fill(store, 3);
    expect((await all(store.readAll())).every(isWhole)).toBe(true);
    await store.close();
    tamper(`UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '1', '2') AS BLOB) WHERE position = 2`);
    const again = await openEmbeddedStore({ directory });
    expect((await all(again.readAll())).map(isWhole)).toEqual([true, false, true]);
    await again.close();
  });

  it('notices a changed time of recording, and accepts events of older versions, whose hash does not cover it', async () => {
    const store = await openEmbeddedStore({ directory });
    await store.append('a-1', [event(0), event(1), event(2)], 'no-stream');
    const old = (await all(store.readAll()))[2] as RecordedEvent;
    await store.close();
    const header = Buffer.from(JSON.stringify(['a-1', 2, old.id, old.type, old.data.length, old.metadata.length]));
    const hashOfVersion1 = hash('sha256', Buffer.concat([header, old.data, old.metadata]), 'hex');
    tamper(`UPDATE events SET hash = X'${hashOfVersion1}' WHERE position = 3`);
    tamper('UPDATE events SET recorded_at = recorded_at - 1 WHERE position >= 2');
    const again = await openEmbeddedStore({ directory });
    expect((await all(again.readAll())).map(isWhole)).toEqual([true, false, true]);
    await again.close();
  });

  it('reads and writes a log of an older version, which does not say what is JSON', async () => {
    const first = await openEmbeddedStore({ directory });
    await fill(first, 3);
    const before = await all(first.readAll());
    await first.close();
    tamper('ALTER TABLE events DROP COLUMN is_json');
    const reader = await openEmbeddedStore({ directory, readOnly: true });
    expect(await all(reader.readAll())).toEqual(before);
    await reader.close();
    const writer = await openEmbeddedStore({ directory });
    expect(await all(writer.readAll())).toEqual(before);
    await writer.append('said-1', [{ ...event(9), json: false }], 'no-stream');
    expect((await all(writer.readAll())).map(({ json }) => json)).toEqual([undefined, undefined, undefined, false]);
    await writer.close();
  });

  it('opens a log of an older version that has an id twice in a stream, and refuses a third one', async () => {
    const first = await openEmbeddedStore({ directory });
    await first.append('a-1', [event(0), event(1)], 'no-stream');
    await first.appendAsServer?.('a-1', [event(0)], 1);
    await first.close();
    const now = await openEmbeddedStore({ directory });
    expect((await all(now.readStream('a-1'))).map(({ id }) => id)).toEqual([0, 1, 0].map((number) => event(number).id));
    await expect(now.append('a-1', [event(0)], 2)).rejects.toThrow(EventIdTaken);
    expect(await now.append('a-1', [event(2)], 2)).toMatchObject({ revision: 3 });
    expect(await now.append('a-1', [event(0)], 1)).toMatchObject({ revision: 2 });
    await now.close();
  });

  it('refuses a used id also after appends that were taken back, and in many streams that take turns', async () => {
    const store = await openEmbeddedStore({ directory, maxPages: 100 });
    const streams = Array.from({ length: 30 }, (_, number) => `s-${number}`);
    for (const [number, stream] of streams.entries())
      await store.append(stream, [event(2 * number), event(2 * number + 1)], 'no-stream');
    const large = { ...event(1000), data: new Uint8Array(600_000) };
    await expect(store.append('s-0', [large], 1)).rejects.toThrow(StoreFull);
    await store.append('s-0', [{ ...large, data: event(1000).data }], 1);
    for (const [number, stream] of streams.entries())
      await expect(store.append(stream, [event(2 * number)], number === 0 ? 2 : 1)).rejects.toThrow(EventIdTaken);
    expect(await all(store.readAll())).toHaveLength(61);
    await store.close();
  });

  it('holds at most 4 MiB and one event of what it reads', async () => {
    const store = await openEmbeddedStore({ directory });
    const large = (number: number) => ({ ...event(number), data: new Uint8Array(1_000_000) });
    for (let number = 0; number < 12; number += 1) await store.append('a-1', [large(number)], 'any');
    const reader = new LogReader(openDatabaseForReading(directory));
    const pages = [
      reader.eventsOfStream('a-1', 0, 'forwards', 500),
      reader.pageAfter(0, 12, undefined),
      reader.pageBefore(13, undefined, 500),
    ];
    expect(pages.map(({ events }) => events.length)).toEqual([5, 5, 5]);
    reader.close();
    expect(await all(store.readAll())).toHaveLength(12);
    expect(await all(store.readAll({ direction: 'backwards' }))).toHaveLength(12);
    expect(await all(store.readStream('a-1'))).toHaveLength(12);
    await store.close();
  });

  const parts = ['stream', 'revision', 'id', 'type', 'data', 'metadata', 'recordedAt'] as const;
  it.each(parts)('hashes the %s of an event', (part) => {
    const { id, type, data, metadata } = event(1);
    const whole = { stream: 'a-1', revision: 1, id, type, data, metadata, recordedAt: '2026-05-01T00:00:00.000Z' };
    const changed = {
      ...whole,
      [part]: part === 'revision' ? 2 : part === 'data' || part === 'metadata' ? data.slice(1) : 'x',
    };
    expect(Buffer.compare(hashOfEvent(whole), hashOfEvent(changed))).not.toBe(0);
    const moved = { ...whole, data: Buffer.concat([data, metadata]), metadata: new Uint8Array(0) };
    expect(Buffer.compare(hashOfEvent(whole), hashOfEvent(moved))).not.toBe(0);
  });

  it('refuses appends on a full disk, still reads, and appends again when there is space', async () => {
    const store = await openEmbeddedStore({ directory, maxPages: 40 });
    const large = (number: number) => ({ ...event(number), data: new Uint8Array(20_000) });
    let taken = 0;
    const refused = await (async () => {
      for (;;) {
        await store.append(`a-${taken}`, [large(taken)], 'no-stream');
        taken += 1;
      }
    })().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StoreFull);
    expect(await all(store.readAll())).toHaveLength(taken);
    await expect(store.append('b-1', [large(1000)], 'no-stream')).rejects.toThrow(StoreFull);
    await store.close();
    const roomier = await openEmbeddedStore({ directory });
    await roomier.append(`a-${taken}`, [large(taken)], 'no-stream');
    expect(await all(roomier.readAll())).toHaveLength(taken + 1);
    await roomier.close();
  });

  it('writes no append after one that found the disk full, also a smaller one that would fit', async () => {
    const store = await openEmbeddedStore({ directory, maxPages: 40 });
    // The large ones fill the first batch, so the small ones are in the second one.
    const sizes = [...Array(12).fill(700_000), ...Array(10).fill(10)];
    const appends = sizes.map((size, number) =>
      store.append(`a-${number}`, [{ ...event(number), data: new Uint8Array(size) }], 'no-stream'),
    );
    for (const outcome of await Promise.allSettled(appends))
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StoreFull) });
    expect(await all(store.readAll())).toEqual([]);
    await store.append('b-1', [event(1000)], 'no-stream');
    await store.close();
  });

  it('refuses appends when it was opened for reading only', async () => {
    await (await openEmbeddedStore({ directory })).close();
    const store = await openEmbeddedStore({ directory, readOnly: true });
    await expect(store.append('a-1', [event(0)], 'any')).rejects.toThrow(StoreUnavailable);
    await store.close();
  });

  it.each([
    [
      'that does not exist, for reading',
      () => openEmbeddedStore({ directory: join(directory, 'none'), readOnly: true }),
    ],
    ['that is a file', () => openEmbeddedStore({ directory: thisFile() })],
  ])('refuses a directory %s', async (_, open) => {
    await expect(open()).rejects.toThrow(CannotOpenStore);
  });

  it('refuses a file that is not an event log', async () => {
    const file = join(directory, 'events.sqlite');
    writeFileSync(file, 'x'.repeat(8192));
    const refused = await openEmbeddedStore({ directory }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CannotOpenStore);
    expect((refused as Error).message).toContain(directory);
  });
});

const thisFile = (): string => join(import.meta.dirname, 'embedded-store.ts');

const isWhole = (event: RecordedEvent): boolean => Buffer.compare(event.hash as Uint8Array, hashOfEvent(event)) === 0;

/** A process that appends without end and prints the name of each stream once it is acknowledged. */
function startWriter(directory: string): ChildProcess {
  const program = `
    const { openEmbeddedStore } = await import(${JSON.stringify(new URL('./embedded-store.ts', import.meta.url).href)});
    const store = await openEmbeddedStore({ directory: ${JSON.stringify(directory)} });
    for (let number = 0; ; number += 1) {
      const stream = 'w' + process.pid + '-' + number;
      const id = crypto.randomUUID();
      const data = new TextEncoder().encode('{"number":1}');
      await store.append(stream, [{ id, type: 'Written', data, metadata: data }], 'no-stream');
      console.log(stream);
    }`;
  return spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
