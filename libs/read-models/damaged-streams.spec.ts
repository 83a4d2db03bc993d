import { EventStoreDBClient } from '@eventstore/db-client';
import { jest } from '@jest/globals';
import { encode } from '#domain/codec';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import type { EventOf } from '#domain/ledger';
import { restorableLog } from '#event-store/contract/restorable-log';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import type { EventStore, RecordedEvent } from '#event-store/port';
import { wholeStreamsOf } from '#event-store/whole-streams';
import { startWireNode } from '#event-store/wire-node/wire-node';
import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { openReadModels, type ReadModels } from './read-models.ts';

const at = '2026-05-01T10:00:00.000Z';
const staff = trialCaller('staff:spec');

const received: EventOf<'lead'> = {
  type: 'LeadReceived',
  data: {
    at,
    leadTypeId: 'shared-fresh',
    openPlaces: 3,
    source: 'web',
    contact: { keyId: 'key', box: 'AAAA' },
    policyVersion: 1,
  },
};
const withdrawn: EventOf<'lead'> = {
  type: 'LeadWithdrawn',
  data: { at, leadTypeId: 'shared-fresh', openPlaces: 0, reason: 'wrong number' },
};

let administrator: EventStoreDBClient;
let store: EventStore;
let readModels: ReadModels;
/** Events that a scavenge has removed. */
let isRemoved: (event: RecordedEvent) => boolean;
const opened: (() => unknown)[] = [];
beforeEach(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  isRemoved = () => false;
  const log = await openEmbeddedStore();
  opened.push(() => log.close());
  const node = await startWireNode({ store: log, writable: true });
  opened.push(() => node.close());
  administrator = EventStoreDBClient.connectionString(node.connectionString as never);
  opened.push(() => administrator.dispose());
  const adapter = await openEventStoreDb({ connectionString: node.connectionString });
  const isOurs = (stream: string) => stream.startsWith('lead-');
  store = wholeStreamsOf(scavenged(adapter), { isOurs, now: () => at, cuts: adapter });
  opened.push(() => store.close());
  readModels = await openReadModels({ store });
  opened.push(() => readModels.stop());
  readModels.start();
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** A log of which a scavenge has removed events. */
function scavenged(store: EventStore): EventStore {
  return {
    ...restorableLog(store).store,
    async *readAll(options) {
      for await (const event of store.readAll(options)) if (!isRemoved(event)) yield event;
    },
    async *subscribe(options) {
      for await (const message of store.subscribe(options))
        if (message.kind !== 'event' || !isRemoved(message.event)) yield message;
    },
  };
}

async function write(leadId: string, events: readonly EventOf<'lead'>[]): Promise<void> {
  const stream = `lead-${leadId}` as const;
  const commandId = deriveId('damaged', leadId, events[0]?.type ?? '');
  const cause = { commandId, correlationId: commandId, actor: 'staff:spec' };
  const written = events.map((event, index) => ({
    id: deriveId(commandId, String(index)),
    ...encode(stream, event, cause),
  }));
  const { position } = await store.append(stream, written, 'any');
  expect(await readModels.waitFor(position, FAR_AWAY_MILLISECONDS)).toBe(true);
}

const damaged = (leadId: string) => waitUntil(() => store.damages?.of(`lead-${leadId}`) !== undefined);

const parkedIn = async (name: string) =>
  (await readModels.status()).find((status) => status.name === name)?.parkedStreams;

it('rows of streams that others cut are marked, and a rebuild makes them of all events that the log still has', async () => {
  await write('1', [received, withdrawn]);
  await write('2', [received]);
  await administrator.setStreamMetadata('lead-1', { truncateBefore: 1 });
  await damaged('1');
  for (const _ of ['as it was', 'rebuilt']) {
    expect(await readModels.queries.leads.find(staff, '1')).toMatchObject({ withdrawn: true, damaged: true });
    expect(await readModels.queries.leads.find(staff, '2')).toMatchObject({ withdrawn: false, damaged: false });
    await readModels.rebuild('leads');
  }
  expect(await parkedIn('leads')).toEqual([]);
});

it('after a scavenge, a rebuild makes no rows of what is left of a stream, and says why', async () => {
  await write('1', [received, withdrawn, received]);
  await write('2', [received]);
  await administrator.setStreamMetadata('lead-1', { truncateBefore: 2 });
  await damaged('1');
  isRemoved = ({ stream, revision }) => stream === 'lead-1' && revision < 2;
  expect(await readModels.queries.leads.find(staff, '1')).toMatchObject({ damaged: true });
  await readModels.rebuild('leads');
  expect(await readModels.queries.leads.find(staff, '1')).toBeUndefined();
  expect(await readModels.queries.leads.find(staff, '2')).toMatchObject({ damaged: false });
  expect(await readModels.queries.leads.stock(staff)).toMatchObject([{ leads: 1, openPlaces: 3 }]);
  const parked = [
    { stream: 'lead-1', revision: 2, reason: 'the event store has lost the events of its stream before revision 2' },
  ];
  expect(await parkedIn('leads')).toEqual(parked);
  expect(await readModels.retry('leads')).toMatchObject([{ stream: 'lead-1', revision: 2 }]);
});
