import { BEFORE_FIRST, type EventFilter, type EventStore, type Position, type RecordedEvent } from '../port.ts';

/**
 * A separate log inside a log that others use too: the events after the present end, in streams whose names begin with
 * a scope. So the contract can be tested on a server that is not empty.
 */
export async function scopedStore(store: EventStore, scope: string): Promise<EventStore> {
  const beginning = await store.head();
  const prefix = `${scope}_`;
  const inner = (stream: string): string => (stream === '' || stream.startsWith('$') ? stream : `${prefix}${stream}`);
  const outer = (event: RecordedEvent): RecordedEvent => ({ ...event, stream: event.stream.slice(prefix.length) });
  const scoped = (filter: EventFilter | undefined): EventFilter => ({
    ...filter,
    streamPrefixes: (filter?.streamPrefixes ?? ['']).map((name) => prefix + name),
  });
  const place = (position: Position): Position => (position === BEFORE_FIRST ? beginning : position);

  const head = async (): Promise<Position> => {
    const options = { direction: 'backwards', filter: scoped(undefined), maxCount: 1 } as const;
    for await (const { position } of store.readAll(options)) if (position > beginning) return position;
    return BEFORE_FIRST;
  };
  return {
    append: (stream, events, expected) =>
      store.append(inner(stream), events, expected).catch((error) => {
        throw error && typeof error === 'object' && 'stream' in error ? Object.assign(error, { stream }) : error;
      }),
    async *readStream(stream, options) {
      for await (const event of store.readStream(inner(stream), options)) yield outer(event);
    },
    async *readAll({ after, filter, ...options } = {}) {
      const forwards = options.direction !== 'backwards';
      const from = after === undefined ? (forwards ? { after: beginning } : {}) : { after: place(after) };
      for await (const event of store.readAll({ ...options, ...from, filter: scoped(filter) })) {
        if (event.position <= beginning) return;
        yield outer(event);
      }
    },
    async *subscribe({ after, filter, ...options }) {
      const messages = store.subscribe({ ...options, after: place(after), filter: scoped(filter) });
      for await (const message of messages) {
        if (message.kind === 'event') yield { kind: 'event', event: outer(message.event) };
        else yield message.position === beginning ? { ...message, position: BEFORE_FIRST } : message;
      }
    },
    head,
    placeAt: (position) => store.placeAt(position),
    identity: async () => `${await store.identity()} ${scope}`,
    limits: { ...store.limits, maxNameLength: store.limits.maxNameLength - prefix.length },
    close: () => store.close(),
  };
}
