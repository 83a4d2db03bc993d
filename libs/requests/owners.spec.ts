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

describe('the owners of the events of a feed', () => {
  const sampleOf = (type: string) => sampleFacts.find((fact) => fact.type === type) as (typeof sampleFacts)[number];
  const read: string[] = [];
  const watched = {
    readStream: (...[stream, options]: Parameters<EventStore['readStream']>) => {
      read.push(stream);
      return events.readStream(stream, options);
    },
  };
  beforeEach(() => read.splice(0));

  test('are named by the event itself if it is the first of its stream', async () => {
    const owners = new Owners({ events: watched, rows: noRows });
    const placed = sampleOf('OrderPlaced');
    expect((await owners.ofFacts([{ ...placed, revision: 0 }])).get(placed.stream)).toEqual({
      customerId: 'c1',
      storeId: 's1',
    });
    expect(read).toEqual([]);
  });

  test('come from the read models, asked once for each family; a contact book is its customer’s', async () => {
    const asked: [string, readonly string[]][] = [];
    const ofFamily = async (_: unknown, family: string, ids: readonly string[]) => {
      asked.push([family, ids]);
      return ids.map((id) => ({ id, customerId: 'c7', storeId: 's7' }));
    };
    const owners = new Owners({ events: watched, rows: { owners: { ofFamily } } });
    const facts = ['order-a', 'order-b', 'order-a', 'contacts-c7'].map((stream) => ({
      ...sampleOf('OrderPaused'),
      stream,
      revision: 3,
    }));
    const found = await owners.ofFacts(facts as never);
    expect([...found.keys()]).toEqual(['order-a', 'order-b', 'contacts-c7']);
    for (const owner of found.values()) expect(owner).toEqual({ customerId: 'c7', storeId: 's7' });
    expect(asked).toEqual([
      ['order', ['a', 'b']],
      ['customer', ['c7']],
    ]);
    expect(read).toEqual([]);
  });

  test.each([
    ['have no row yet', async () => []],
    ['do not answer', () => Promise.reject(new Error('away'))],
  ])('come from the log where the read models %s', async (_, ofFamily) => {
    const owners = new Owners({ events: watched, rows: { owners: { ofFamily } } });
    const { stream } = sampleOf('OrderPlaced');
    const found = await owners.ofFacts([{ ...sampleOf('OrderPaused'), stream, revision: 3 }] as never);
    expect(found.get(stream)).toEqual({ customerId: 'c1', storeId: 's1' });
    expect(read).toEqual([stream]);
  });
});
