import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { decode, encode } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { all, follow } from '#event-store/contract/event-store-contract';
import { restorableLog } from '#event-store/contract/restorable-log';
import { StreamDamaged } from '#event-store/damage';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { watchLog } from '#event-store/log-watch';
import { BEFORE_FIRST, type EventStore } from '#event-store/port';
import { startWireNode } from '#event-store/wire-node/wire-node';
import { openReadModels } from '#read-models/read-models';
import { businessOf } from '#test/boxes';
import { waitUntil } from '#test/wait-until';
import { foreignEventsOf, openEvents } from './stores.ts';

const at = '2026-05-01T10:00:00.000Z';
const registered = {
  type: 'CustomerRegistered',
  data: { at, storeId: 'main', ...businessOf('abc'), timeZone: 'America/New_York' },
} as const;

let log: EventStore;
let events: EventStore;
let location: { readonly eventStoreDb: string };
let close: () => Promise<void>;
beforeEach(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  log = await openEmbeddedStore();
  const node = await startWireNode({ store: log, writable: true });
  location = { eventStoreDb: node.connectionString };
  await writeForeign('invoice-1');
  await writeOwn('customer-1');
  await writeForeign('customer-of-others');
  await writeForeign('invoice-2');
  await writeOwn('customer-2');
  await writeForeign('invoice-3');
  events = await openEvents(location);
  close = async () => {
    await events.close();
    await node.close();
    await log.close();
  };
});
afterEach(() => close());

async function writeOwn(stream: string) {
  const id = deriveId('own', stream);
  const cause = { commandId: id, correlationId: id, actor: 'spec' };
  await log.append(stream, [{ id, ...encode(stream, registered, cause) }], 'no-stream');
}

/** The same type and data as ours, but another program's metadata. */
async function writeForeign(stream: string) {
  const { type, data } = encode('customer-1', registered, { commandId: 'c', correlationId: 'c', actor: 'a' });
  const metadata = Buffer.from('{"$correlationId":"x"}');
  await log.append(stream, [{ id: deriveId('foreign', stream), type, data, metadata }], 'no-stream');
}

const own = [deriveId('own', 'customer-1'), deriveId('own', 'customer-2')];

describe('events of others in the log of a server', () => {
  it.each([{}, { filter: { types: ['CustomerRegistered'] } }, { filter: { streamPrefixes: ['customer-'] } }])(
    'are not read, whatever their types and streams are called: %j',
    async (options) => {
      expect((await all(events.readAll(options))).map(({ id }) => id)).toEqual(own);
      const backwards = await all(events.readAll({ ...options, direction: 'backwards' }));
      expect(backwards.map(({ id }) => id)).toEqual(own.toReversed());
      const followed = follow(events, { ...options, after: BEFORE_FIRST });
      await followed.caughtUp(await events.head());
      expect(followed.events.map(({ id }) => id)).toEqual(own);
      await followed.stop();
    },
  );

  it('do not move the end of the log', async () => {
    const [, second] = await all(events.readAll());
    expect(await events.head()).toBe(second?.position);
  });

  it('are counted, and those in streams that are named like ours are named', async () => {
    expect(await foreignEventsOf(location)).toEqual({ events: 4, namedLikeOurs: ['customer-of-others'] });
  });

  it('are no facts, also where one of their streams is read by its name', async () => {
    const [event] = await all(log.readStream('customer-of-others'));
    expect(() => decode(event as never)).toThrow(UnreadableEvent);
    await expect(all(events.readStream('customer-of-others'))).rejects.toThrow(StreamDamaged);
    await expect(events.append('customer-of-others', [], 'any')).rejects.toThrow(StreamDamaged);
  });

  it('name their streams that are named like ours, whatever is read, and at once when they are written', async () => {
    const names = () => events.foreignStreams?.all().map(({ stream }) => stream);
    await all(events.readAll({ filter: { types: ['CustomerRegistered'] } }));
    expect(names()).toEqual(['customer-of-others']);
    const stopping = new AbortController();
    const { ended } = await watchLog(events, () => {}, stopping.signal);
    await writeForeign('invoice-4');
    await writeForeign('order-of-others');
    await waitUntil(() => names()?.length === 2);
    expect(names()).toEqual(['customer-of-others', 'order-of-others']);
    stopping.abort();
    await ended;
  });

  it('are known after a start, from the database of the read models, until the log has them no more', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    let readModels = await openReadModels({ store: events, directory });
    expect(events.foreignStreams?.all()).toEqual([]);
    await all(events.readAll());
    const found = events.foreignStreams?.all() ?? [];
    await readModels.stop();
    await events.close();

    events = await openEvents(location);
    readModels = await openReadModels({ store: events, directory });
    expect(events.foreignStreams?.all()).toEqual(found);
    await readModels.stop();
    await events.close();

    events = await openEvents(location);
    const copy = { ...restorableLog(events).store, foreignStreams: events.foreignStreams };
    copy.placeAt = async () => ({ kind: 'removed' });
    readModels = await openReadModels({ store: copy, directory });
    expect(events.foreignStreams?.all()).toEqual([]);
    await readModels.stop();
    rmSync(directory, { recursive: true });
  });

  it('do not make the identity of the log, which is the first event of ours', async () => {
    expect(await events.identity()).toBe(own[0]);
  });
});
