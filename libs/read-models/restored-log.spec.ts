import { encode } from '#domain/codec';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import type { EventOf } from '#domain/ledger';
import { all } from '#event-store/contract/event-store-contract';
import { type RestorableLog, restorableLog } from '#event-store/contract/restorable-log';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import { type EventStore, NoSuchPosition, type Position } from '#event-store/port';
import { startWireNode, type WireNode } from '#event-store/wire-node/wire-node';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { openReadModels, type ReadModels } from './read-models.ts';

const at = '2026-05-01T10:00:00.000Z';
const staff = trialCaller('staff:spec');
const contact = { keyId: 'key', box: 'AAAA' };

const leadReceived: EventOf<'lead'> = {
  type: 'LeadReceived',
  data: { at, leadTypeId: 'shared-fresh', openPlaces: 3, source: 'web', contact, policyVersion: 1 },
};
const ticketOpened: EventOf<'ticket'> = {
  type: 'TicketOpened',
  data: {
    at,
    customerId: 'c1',
    storeId: 'main',
    subject: contact,
    message: contact,
    dueAt: '2026-05-02T10:00:00.000Z',
    policyVersion: 1,
  },
};

/** Leads and tickets in this order, as `lead-1` and `ticket-1`. */
async function write(store: EventStore, streams: readonly string[]): Promise<void> {
  for (const stream of streams) {
    const commandId = deriveId('restored', stream);
    const cause = { commandId, correlationId: commandId, actor: 'staff:spec' };
    const event = stream.startsWith('ticket-') ? ticketOpened : leadReceived;
    await store.append(stream, [{ id: commandId, ...encode(stream, event, cause) }], 'no-stream');
  }
}

const leads = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `lead-${from + index}`);

describeWithPostgres('read models whose log is restored from an older copy while they follow it', () => {
  let log: RestorableLog;
  let node: WireNode;
  /** The log as a program sees it: the node has positions of its own. */
  let store: EventStore;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let readModels: ReadModels;
  /** What happens once, as soon as a program has asked for the end of the log. */
  let onceAfterHead: (() => Promise<void>) | undefined;
  const opened: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  const storeOf = async (streams: readonly string[]) => {
    const store = await openEmbeddedStore();
    // Closed last: what uses it would wait for it.
    opened.unshift(() => store.close());
    await write(store, streams);
    return store;
  };

  /** Read models that have followed a log up to its end. */
  async function follow(streams: readonly string[]): Promise<void> {
    log = restorableLog(await storeOf(streams));
    node = await startWireNode({ store: log.store, writable: true });
    opened.push(() => node.close());
    onceAfterHead = undefined;
    store = await connect();
    database = await freshDatabase();
    opened.push(() => database.drop());
    readModels = await openReadModels({ store, databaseUrl: database.url });
    opened.push(() => readModels.stop());
    readModels.start();
    await upToDate();
  }

  async function connect(): Promise<EventStore> {
    const store = await openEventStoreDb({ connectionString: node.connectionString, answerWithinMilliseconds: 250 });
    opened.push(() => store.close());
    return {
      ...restorableLog(store).store,
      async head() {
        const head = await store.head();
        const then = onceAfterHead;
        onceAfterHead = undefined;
        await then?.();
        return head;
      },
    };
  }

  function noteWarnings(): readonly unknown[] {
    const lines: unknown[] = [];
    const { warn } = console;
    console.warn = (line) => lines.push(line);
    opened.push(() => {
      console.warn = warn;
    });
    return lines;
  }

  async function upToDate(): Promise<void> {
    expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
  }

  async function restore(streams: readonly string[]): Promise<void> {
    log.restore(await storeOf(streams));
    node.dropConnections();
  }

  async function expectAllAt(position: Position): Promise<void> {
    await waitUntil(async () =>
      (await readModels.status()).every(
        (status) => status.position === position && status.following?.lastError === undefined,
      ),
    );
    for (const { name, following, whole } of await readModels.status())
      expect({ name, whole, lastError: following?.lastError }).toEqual({ name, whole: true, lastError: undefined });
  }

  it('all go on in a log that has grown beyond their positions, also those that had no event', async () => {
    await follow(leads(1, 20));
    await restore([...leads(1, 8), ...leads(101, 30), 'ticket-1']);
    await expectAllAt(await store.head());
    expect(await readModels.queries.leads.find(staff, '9')).toBeUndefined();
    expect(await readModels.queries.leads.find(staff, '130')).toBeDefined();
    expect((await readModels.queries.tickets.list(staff, { limit: 9 })).items).toHaveLength(1);
  });

  it('all go on in a log that is shorter than their positions, with its next event', async () => {
    await follow([...leads(1, 20), 'ticket-1']);
    await restore(leads(1, 8));
    await write(log.store, ['ticket-2']);
    await expectAllAt(await store.head());
    const { items } = await readModels.queries.tickets.list(staff, { limit: 9 });
    expect(items.map(({ ticketId }) => ticketId)).toEqual(['2']);
  });

  it.each([
    { case: 'shorter', copy: leads(1, 8) },
    { case: 'shorter, and has grown since', copy: [...leads(1, 8), ...leads(101, 30)] },
  ])('are rebuilt, when the restored log is $case while the rebuild runs', async ({ copy }) => {
    await follow(leads(1, 20));
    onceAfterHead = () => restore(copy);
    await readModels.rebuild('leads');
    await expectAllAt(await store.head());
    expect(await readModels.queries.leads.find(staff, '9')).toBeUndefined();
    expect(await readModels.queries.leads.find(staff, '8')).toBeDefined();
  });

  it('are rebuilt, also while no program follows them', async () => {
    await follow(leads(1, 20));
    await readModels.stop();
    await restore(leads(1, 8));
    readModels = await openReadModels({ store, databaseUrl: database.url });
    await readModels.rebuild('leads');
    expect(await readModels.queries.leads.find(staff, '9')).toBeUndefined();
    expect(await readModels.queries.leads.find(staff, '8')).toBeDefined();
  });

  it('refuse a wait for a position that the log loses meanwhile', async () => {
    await follow(leads(1, 20));
    await readModels.pause('leads');
    await write(log.store, leads(21, 1));
    const position = await store.head();
    const waited = readModels.waitFor(position, FAR_AWAY_MILLISECONDS);
    await expect(
      Promise.race([
        waited,
        restore(leads(1, 8))
          .then(() => readModels.resume('leads'))
          .then(() => waited),
      ]),
    ).rejects.toThrow(NoSuchPosition);
  });

  it('do not begin anew when their log is named by another event than before', async () => {
    const noted = noteWarnings();
    await follow(leads(1, 5));
    await readModels.stop();
    store = await connect();
    const [first] = await all(store.readAll({ maxCount: 1 }));
    const renamed = restorableLog(store).store;
    renamed.identity = async () => first?.id ?? '';
    readModels = await openReadModels({ store: renamed, databaseUrl: database.url });
    expect((await readModels.queries.tickets.list(staff, { limit: 9 })).items).toEqual([]);
    expect(await readModels.queries.leads.find(staff, '5')).toBeDefined();
    readModels.start();
    await write(log.store, ['ticket-1']);
    await expectAllAt(await store.head());
    expect(noted).toEqual([]);
  });

  it('do not begin anew when nothing was lost that they had taken', async () => {
    const noted = noteWarnings();
    await follow(leads(1, 5));
    await restore([...leads(1, 5), 'ticket-1']);
    await expectAllAt(await store.head());
    expect(noted).toEqual([]);
  });
});
