import { callsInTurn } from './in-turn.ts';
import { passedOn } from './passed-on.ts';
import type { EventStore, ReadAllOptions, ReadStreamOptions, RecordedEvent } from './port.ts';
import { checkCount } from './read-checks.ts';

const MOST_AT_ONCE = 10;
const EVENTS_A_PAGE = 500;
const BYTES_A_PAGE = 4 * 1024 * 1024;

/**
 * A store for the questions of people: however many ask, ten calls are open at once, and the others wait in turn. What is read
 * comes in pages: whoever reads on waits again behind the others, has one page in memory, and keeps no call open while it works
 * on that. So nobody waits for a slow reader, and a read may contain reads. Appends and subscriptions are those of the store.
 */
export function readsInTurn(store: EventStore): EventStore {
  const inTurn = callsInTurn(MOST_AT_ONCE);
  return {
    ...passedOn(store),
    append: (...append) => store.append(...append),
    readStream: (stream, options) =>
      pagesOf(options, revisionAfter, (rest) => inTurn(() => pageOf(store.readStream(stream, rest)))),
    readAll: (options) => pagesOf(options, positionAfter, (rest) => inTurn(() => pageOf(store.readAll(rest)))),
    subscribe: (options) => store.subscribe(options),
    head: (patience) => inTurn(() => store.head(patience)),
    placeAt: (position) => inTurn(() => store.placeAt(position)),
    identity: () => inTurn(() => store.identity()),
    limits: store.limits,
    close: () => store.close(),
  };
}

interface Page {
  readonly events: readonly RecordedEvent[];
  /** It has as many bytes as a page may have: there may be more. */
  readonly isFull: boolean;
}

async function pageOf(read: AsyncIterable<RecordedEvent>): Promise<Page> {
  const events: RecordedEvent[] = [];
  let bytes = 0;
  for await (const event of read) {
    events.push(event);
    bytes += event.data.length + event.metadata.length;
    if (bytes >= BYTES_A_PAGE) return { events, isFull: true };
  }
  return { events, isFull: false };
}

async function* pagesOf<Options extends ReadStreamOptions | ReadAllOptions>(
  options: Options | undefined,
  after: (last: RecordedEvent, options: Options | undefined) => Partial<Options> | undefined,
  read: (rest: Options) => Promise<Page>,
): AsyncGenerator<RecordedEvent> {
  let { maxCount: left = Number.MAX_SAFE_INTEGER } = options ?? {};
  checkCount('maxCount', left);
  let place: Partial<Options> | undefined = {};
  while (place) {
    const maxCount = Math.min(left, EVENTS_A_PAGE);
    const { events, isFull } = await read({ ...options, ...place, maxCount } as Options);
    for (const event of events) {
      if (options?.signal?.aborted) return;
      yield event;
    }
    left -= events.length;
    const last = events.at(-1);
    const isOver = !last || left === 0 || (events.length < maxCount && !isFull);
    place = isOver ? undefined : after(last, options);
  }
}

/** Nothing comes before the first event of a stream. */
function revisionAfter({ revision }: RecordedEvent, options: ReadStreamOptions | undefined) {
  if (options?.direction !== 'backwards') return { from: revision + 1 };
  return revision === 0 ? undefined : { from: revision - 1 };
}

const positionAfter = ({ position }: RecordedEvent) => ({ after: position });
