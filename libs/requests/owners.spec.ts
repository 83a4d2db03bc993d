import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { append, sampleFacts } from '#test/sample-facts';
import { type OwnedStream, Owners } from './owners.ts';

const beginnings = [
  'CustomerRegistered',
  'CheckoutStarted',
  'OrderPlaced',
  'ProgrammeJoined',
  'ReplacementRequested',
  'TicketOpened',
  'ContactAdded',
];

let events: EventStore;
const noRows = { owners: { ofFamily: async () => [] } };
const ownerOf = (stream: OwnedStream) => new Owners({ events, rows: noRows }).of(stream);
beforeAll(async () => {
  events = await openEmbeddedStore();
  await append(
    events,
    beginnings.map((type) => sampleFacts.find((fact) => fact.type === type) as (typeof sampleFacts)[number]),
  );
});
afterAll(() => events.close());

test.each(beginnings)('the owner of a stream that begins with %s is a customer of a store', async (type) => {
  const stream = sampleFacts.find((fact) => fact.type === type)?.stream as OwnedStream;
  expect(await ownerOf(stream)).toEqual({ customerId: 'c1', storeId: 's1' });
});

test('a stream that does not exist has no owner until it begins', async () => {
  const stream = 'ticket-later';
  expect(await ownerOf(stream)).toBeUndefined();
  const opened = sampleFacts.find(({ type }) => type === 'TicketOpened') as (typeof sampleFacts)[number];
  await append(events, [{ ...opened, stream }]);
  expect(await ownerOf(stream)).toEqual({ customerId: 'c1', storeId: 's1' });
});
