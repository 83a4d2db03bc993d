import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLaws } from '#audit/laws/laws';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore, RecordedEvent } from '#event-store/port';
import type { Requests } from '#requests/requests';
import { EVENT_STORE, REQUESTS } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/* A store of the version in which a refund that came back kept its receipt, and its next attempt had none. */

const caller = { kind: 'process', actor: 'system:payment-provider', roles: ['process'], stores: 'all' } as const;
const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the customer asked for it' };

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-returned-'));
});
afterAll(() => rm(temporary, { recursive: true }));

const textOf = ({ data }: RecordedEvent) => JSON.parse(new TextDecoder().decode(data));

/** That version issued the first two receipts of the store only. */
function isOfThatVersion(event: RecordedEvent): boolean {
  if (event.type === 'ReceiptIssued') return textOf(event).number <= 2;
  return !event.stream.startsWith('mail-');
}

async function olderOf(directory: string): Promise<string> {
  const older = `${directory}-older`;
  await cp(join(directory, 'keys'), join(older, 'keys'), { recursive: true });
  const source = await openEmbeddedStore({ directory: join(directory, 'events') });
  const target = await openEmbeddedStore({ directory: join(older, 'events') });
  for await (const event of source.readAll()) {
    const { id, stream, type, data, metadata } = event;
    if (isOfThatVersion(event)) await target.append(stream, [{ id, type, data, metadata }], 'any');
  }
  await source.close();
  await target.close();
  return older;
}

/** A refund that came back, and was made once more. */
async function refundTwice(shop: Shop) {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await shop.leadType(), quantity: 25 });
  await shop.ask('POST', `/api/orders/${orderId}/refunds`, {}, 201, support);
  const [{ refundId, refundReference }] = (await shop.read(`/api/refunds?orderId=${orderId}`)).items;
  const requests = shop.server.application.get<Requests>(REQUESTS);
  await requests.refunds.recordReturned(orderId, refundId, refundReference, { caller, commandId: randomUUID() });
  await shop.server.settle();
  await shop.ask('POST', `/api/orders/${orderId}/refunds/${refundId}/retry`, undefined, 200, support);
  return { orderId };
}

test('CHK-8: a store of an older version has the receipts of what came back, and of its next attempt, after its first start', async () => {
  const directory = join(temporary, 'store');
  const present = await openShop({ directory });
  const { orderId } = await refundTwice(present);
  await present.stop();
  const older = await openShop({ directory: await olderOf(directory) });
  try {
    await older.wait({ days: 2 });
    const receipts = (await older.read(`/api/receipts?orderId=${orderId}`)).items.map(
      ({ number, kind, amountCents }: { number: number; kind: string; amountCents: number }) => [
        number,
        kind,
        amountCents,
      ],
    );
    expect(receipts.sort(([a]: [number], [b]: [number]) => a - b)).toEqual([
      [1, 'charge', 2500],
      [2, 'refund', 2500],
      [3, 'refund-returned', -2500],
      [4, 'refund', 2500],
    ]);
    const { laws } = await checkLaws(older.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
    expect(laws).toMatchObject({ receiptMissing: 0, receiptWrong: 0, refundTooHigh: 0 });
  } finally {
    await older.stop();
  }
});
