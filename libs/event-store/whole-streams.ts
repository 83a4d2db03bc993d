import { StreamDamaged } from './damage.ts';
import { DamageWatch, isTombstoned, type WatchOptions } from './damage-watch.ts';
import { passedOn } from './passed-on.ts';
import {
  type AppendResult,
  type EventStore,
  type FollowsCuts,
  type ReadStreamOptions,
  type RecordedEvent,
  StreamAccessRefused,
} from './port.ts';

interface WholeStreamsOptions extends WatchOptions {
  /** Undefined: nobody else can touch the streams. */
  readonly cuts?: FollowsCuts | undefined;
}

/**
 * A store that shows our streams as a whole, or not at all: a stream that somebody cut or deleted is neither read nor appended
 * to. All that decides and shows reads through it. The log as a whole is read as it is: `$all` has the hidden events until a
 * scavenge removes them.
 */
export function wholeStreamsOf(store: EventStore, { isOurs, now, cuts }: WholeStreamsOptions): EventStore {
  const damages = new DamageWatch(store, { isOurs, now, foreign: store.foreignStreams });
  if (cuts) damages.start(cuts);
  const guarded = { store, damages };
  return {
    ...passedOn(store),
    append: (...append) => (isOurs(append[0]) ? appendToWhole(guarded, append) : store.append(...append)),
    readStream: (stream, options) =>
      isOurs(stream) ? readWhole(guarded, stream, options) : store.readStream(stream, options),
    readAll: (options) => store.readAll(options),
    subscribe: (options) => store.subscribe(options),
    head: (...options) => store.head(...options),
    placeAt: (position) => store.placeAt(position),
    identity: () => store.identity(),
    damages,
    limits: store.limits,
    async close() {
      await damages.stop();
      await store.close();
    },
  };
}

interface Guarded {
  readonly store: EventStore;
  readonly damages: DamageWatch;
}

/** A stream that was deleted can begin again, at a later revision: too late to undo it, it is damaged from then on. */
async function appendToWhole(
  { store, damages }: Guarded,
  append: Parameters<EventStore['append']>,
): Promise<AppendResult> {
  const [stream, events, expected] = append;
  refuseDamaged(damages, stream);
  try {
    const result = await store.append(...append);
    const first = result.revision - events.length + 1;
    if (expected !== 'no-stream' || first === 0) return result;
    throw new StreamDamaged(damages.note(stream, 'deleted', first));
  } catch (error) {
    throw noteRefusal(damages, stream, error, { canBeRead: true });
  }
}

/** @throws StreamDamaged before the first event after a gap, or at the end where the events before it are missing */
async function* readWhole(
  { store, damages }: Guarded,
  stream: string,
  options: ReadStreamOptions = {},
): AsyncGenerator<RecordedEvent> {
  refuseDamaged(damages, stream);
  const { direction = 'forwards', from, maxCount = Number.POSITIVE_INFINITY } = options;
  const step = direction === 'forwards' ? 1 : -1;
  let next = from ?? (step === 1 ? 0 : undefined);
  let read = 0;
  try {
    for await (const event of store.readStream(stream, options)) {
      if (next !== undefined && event.revision !== next && !(step === -1 && read === 0))
        throw new StreamDamaged(damages.note(stream, 'incomplete', Math.max(event.revision, next)));
      refuseDamaged(damages, stream);
      next = event.revision + step;
      read += 1;
      yield event;
    }
  } catch (error) {
    throw noteRefusal(damages, stream, error, { canBeRead: false });
  }
  if (step === -1 && read > 0 && read < maxCount && next !== -1)
    throw new StreamDamaged(damages.note(stream, 'incomplete', (next ?? 0) + 1));
  refuseDamaged(damages, stream);
}

function refuseDamaged(damages: DamageWatch, stream: string): void {
  const damage = damages.of(stream);
  if (damage) throw new StreamDamaged(damage);
}

function noteRefusal(damages: DamageWatch, stream: string, error: unknown, { canBeRead }: { canBeRead: boolean }) {
  if (isTombstoned(error)) return new StreamDamaged(damages.note(stream, 'tombstoned', undefined));
  if (!(error instanceof StreamAccessRefused)) return error;
  return new StreamDamaged(damages.note(stream, 'no-access', canBeRead ? 0 : undefined));
}
