import type { CustomerEvent } from '#domain/accounts/customer';
import { encode } from '#domain/codec';
import type { Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { hashOfEvent } from '#event-store/event-hash';
import { DamagedEvent, type EventStore, type RecordedEvent } from '#event-store/port';
import { businessOf } from '#test/boxes';
import { replayHistory } from './history.ts';

const reason = { keyId: 'k1', purpose: 'reason', box: 'c2VhbGVk' } as const;
const vault = {
  open: async ({ keyId, box }: Sealed) =>
    keyId === 'k1' ? 'asked by telephone' : Buffer.from(box, 'base64').toString(),
};
const other = { businessAssociation: 'Other', businessKey: businessOf('Other').businessKey };

describe('the history of a stream', () => {
  let events: EventStore;
  beforeEach(async () => {
    events = await openEmbeddedStore();
    const happened: CustomerEvent[] = [
      {
        type: 'CustomerRegistered',
        data: { at: '2026-05-01T10:00:00.000Z', storeId: 'main', ...businessOf('Abc'), timeZone: 'UTC' },
      },
      { type: 'BusinessAssociationChanged', data: { at: '2026-05-02T10:00:00.000Z', ...businessOf('Other') } },
      { type: 'TimeZoneChanged', data: { at: '2026-05-03T10:00:00.000Z', timeZone: 'America/Boise' } },
    ];
    for (const [index, event] of happened.entries()) {
      const commandId = deriveId('history', String(index));
      const cause = { commandId, correlationId: commandId, actor: 'staff:ada', reason, basis: { 'policy-main': 0 } };
      await events.append('customer-c1', [{ id: commandId, ...encode('customer-c1', event, cause) }], 'any');
    }
  });
  afterEach(() => events.close());

  const at = (instant?: string) =>
    replayHistory({ events, vault }, 'customer-c1', { hashOf: hashOfEvent, ...(instant && { at: instant }) });

  it('shows what happened, by whom and why, and the state at the end', async () => {
    const history = await at();
    expect(history?.events.map(({ type }) => type)).toEqual([
      'CustomerRegistered',
      'BusinessAssociationChanged',
      'TimeZoneChanged',
    ]);
    expect(history?.events[1]).toMatchObject({
      actor: 'staff:ada',
      reason: 'asked by telephone',
      basis: { 'policy-main': 0 },
      revision: 1,
    });
    expect(history?.state).toMatchObject({ ...other, timeZone: 'America/Boise' });
  });

  it('ends at an instant, inclusive', async () => {
    expect((await at('2026-05-02T10:00:00.000Z'))?.state).toMatchObject({
      ...other,
      timeZone: 'UTC',
    });
    expect((await at('2026-05-02T09:59:59.999Z'))?.state).toMatchObject({ businessAssociation: 'Abc' });
    expect(await at('2026-04-30T00:00:00.000Z')).toBeUndefined();
  });

  it('is refused for damaged events', async () => {
    const damaged = {
      readAll: () => events.readAll(),
      async *readStream() {
        for await (const event of events.readStream('customer-c1'))
          yield { ...event, data: new TextEncoder().encode('{"at":"2026-05-01T10:00:00.000Z"}') } as RecordedEvent;
      },
    };
    await expect(replayHistory({ events: damaged, vault }, 'customer-c1', { hashOf: hashOfEvent })).rejects.toThrow(
      DamagedEvent,
    );
  });
});
