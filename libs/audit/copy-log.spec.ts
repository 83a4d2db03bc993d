import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { hashOfEvent } from '#event-store/event-hash';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import { type EventStore, type RecordedEvent, StoreFull } from '#event-store/port';
import { startWireNode } from '#event-store/wire-node/wire-node';
import { asOfNow, copyLog, NoCopy } from './copy-log.ts';
import { checkLaws } from './laws/laws.ts';

const EVENTS = 600;
let source: EventStore;
let behindTheNode: EventStore;
let target: EventStore;
let close: () => Promise<void>;
beforeEach(async () => {
  source = await openEmbeddedStore();
  behindTheNode = await openEmbeddedStore();
  const node = await startWireNode({ store: behindTheNode, writable: true });
  target = await openEventStoreDb({ connectionString: node.connectionString });
  close = async () => {
    await target.close();
    await node.close();
    await behindTheNode.close();
    await source.close();
  };
  for (let number = 0; number < EVENTS; number += 1) {
    const [stream, revision] = [`order-${number % 7}`, Math.floor(number / 7)];
    const data = Buffer.from(JSON.stringify({ number }));
    const event = { id: deriveId('copied', String(number)), type: 'Copied', data, metadata: data };
    await source.append(stream, [event], revision === 0 ? 'no-stream' : revision - 1);
  }
});
afterEach(() => close());

const placesOf = async (store: EventStore) => {
  const events: Pick<RecordedEvent, 'stream' | 'revision' | 'id'>[] = [];
  for await (const { stream, revision, id } of store.readAll()) events.push({ stream, revision, id });
  return events;
};

describe('a log that is copied to an EventStoreDB', () => {
  it('has the same events there, with the same ids, in the same order', async () => {
    expect(await copyLog(source, target)).toEqual({ copied: EVENTS, compared: EVENTS });
    expect(await placesOf(target)).toEqual(await placesOf(source));
  });

  it('has an id twice in a stream where the original has it, also on one machine, and an audit names it in both', async () => {
    const [first] = await placesOf(source);
    const data = Buffer.from('{}');
    const last = Math.floor((EVENTS - 1) / 7);
    const again = { id: first?.id as string, type: 'Copied', data, metadata: data };
    await source.appendAsServer?.('order-0', [again], last);
    const onOneMachine = await openEmbeddedStore();
    for (const copy of [target, onOneMachine]) {
      expect(await copyLog(source, copy)).toEqual({ copied: EVENTS + 1, compared: EVENTS + 1 });
      expect((await placesOf(copy)).at(-1)).toEqual({ stream: 'order-0', revision: last + 1, id: first?.id });
      const { laws, examples } = await checkLaws(copy, { hashOf: hashOfEvent });
      expect([laws.idTwice, laws.faultInStore]).toEqual([1, 0]);
      expect(examples.idTwice).toEqual([`order-0@${last + 1} has the id of order-0@0`]);
    }
    await onOneMachine.close();
  });

  it('continues where a copy was interrupted, and copies nothing twice', async () => {
    let appended = 0;
    const failing: EventStore = {
      ...target,
      identity: () => target.identity(),
      readAll: (options) => target.readAll(options),
      append(...parameters) {
        appended += 1;
        if (appended > EVENTS / 2) return Promise.reject(new Error('the connection is down'));
        return target.append(...parameters);
      },
    };
    await expect(copyLog(source, failing)).rejects.toThrow('the connection is down');
    const { copied, compared } = await copyLog(source, target);
    expect(copied).toBeLessThan(EVENTS);
    expect(compared).toBe(EVENTS);
    expect(await placesOf(target)).toEqual(await placesOf(source));
    expect(await copyLog(source, target)).toEqual({ copied: 0, compared: EVENTS });
  });

  it('continues after a full disk: nothing was written after the first event that had no place', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'leadger-copy-log-'));
    const log = await openEmbeddedStore();
    for (let number = 0; number < EVENTS; number += 1) {
      const data = Buffer.from(JSON.stringify('x'.repeat(number % 3 === 0 ? 60_000 : 10)));
      const event = { id: deriveId('large', String(number)), type: 'Copied', data, metadata: Buffer.from('{}') };
      await log.append(`order-${number}`, [event], 'no-stream');
    }
    const small = await openEmbeddedStore({ directory, maxPages: 2400 });
    await expect(copyLog(log, small)).rejects.toThrow(StoreFull);
    const half = await placesOf(small);
    expect(half).toEqual((await placesOf(log)).slice(0, half.length));
    await small.close();
    const roomier = await openEmbeddedStore({ directory });
    expect(await copyLog(log, roomier)).toEqual({ copied: EVENTS - half.length, compared: EVENTS });
    await roomier.close();
    await log.close();
    rmSync(directory, { recursive: true });
  });

  it('ends where the source ended when the copy began, also when events are written meanwhile', async () => {
    const begun = await asOfNow(source);
    const later = { id: deriveId('later'), type: 'Later', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
    await source.append('order-later', [later], 'no-stream');
    expect(await copyLog(begun, target)).toEqual({ copied: EVENTS, compared: EVENTS });
    expect(await placesOf(target)).toEqual((await placesOf(source)).slice(0, EVENTS));
  });

  it('is refused when the source has lost events of a stream, and says which', async () => {
    const lost: Pick<EventStore, 'readAll'> = {
      async *readAll(options) {
        for await (const event of source.readAll(options)) if (event.revision > 1) yield event;
      },
    };
    await expect(copyLog(lost, target)).rejects.toThrow(/^the source has lost events 0 to 1 of order-0: see leadger/);
  });

  it('is refused when the target holds other events', async () => {
    const other = { id: deriveId('other'), type: 'Other', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
    await target.append('order-0', [other], 'no-stream');
    await expect(copyLog(source, target)).rejects.toThrow(NoCopy);
    expect(await placesOf(target)).toHaveLength(1);
  });
});
