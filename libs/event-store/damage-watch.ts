import { setTimeout as wait } from 'node:timers/promises';
import { type Damage, type Damages, damageInWords, foreignDamage, isRefused } from './damage.ts';
import {
  AccessRefused,
  BEFORE_FIRST,
  type EventStore,
  EventStoreError,
  type FollowsCuts,
  type ForeignStreams,
  type Position,
  StreamAccessRefused,
  type StreamCut,
} from './port.ts';

const MILLISECONDS_BETWEEN_LOOKS = 2000;
const MILLISECONDS_BETWEEN_TRIES = 1000;
/** A right that is given later is noticed after this time. */
const MILLISECONDS_BLIND = 30_000;

/** An account without rights is refused every stream: these are not all kept. */
const MOST_WITHOUT_ACCESS = 100;

type Watched = Pick<EventStore, 'readStream' | 'placeAt' | 'answers'>;

export interface WatchOptions {
  /** Whether a stream is named like ours. */
  readonly isOurs: (stream: string) => boolean;
  /** The time of the machine (ISO 8601 UTC). */
  readonly now: () => string;
  /** Streams of ours to which others write are damaged, too. */
  readonly foreign?: ForeignStreams | undefined;
}

/** Follows what others do to our streams, and looks at each of these streams whether it is whole. */
export class DamageWatch implements Damages {
  readonly #store: Watched;
  readonly #isOurs: WatchOptions['isOurs'];
  readonly #now: WatchOptions['now'];
  readonly #foreign: WatchOptions['foreign'];
  readonly #found = new Map<string, Damage>();
  readonly #listeners = new Set<() => void>();
  readonly #searched = Promise.withResolvers<void>();
  readonly #over = new AbortController();
  #sight: Damages['sight'] = 'searching';
  #at: Position = BEFORE_FIRST;
  #ended: Promise<unknown> = Promise.resolve();
  /** What others do is received now. */
  #isFollowing = false;

  constructor(store: Watched, { isOurs, now, foreign }: WatchOptions) {
    this.#store = store;
    this.#isOurs = isOurs;
    this.#now = now;
    this.#foreign = foreign;
    foreign?.onFound(() => this.#tell());
  }

  get sight(): Damages['sight'] {
    return this.#sight;
  }

  of(stream: string): Damage | undefined {
    const damage = this.#found.get(stream);
    if (damage && isRefused(damage)) return damage;
    const foreign = this.#foreign?.of(stream);
    return foreign && foreignDamage(foreign);
  }

  all(): readonly Damage[] {
    return [...this.#found.values()];
  }

  searched(): Promise<void> {
    return this.#searched.promise;
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Notes what a read or an append of ours found. @returns what is known of the stream now */
  note(stream: string, how: Damage['how'], firstRevision: number | undefined): Damage {
    const known = this.of(stream);
    if (known) return known;
    const threatened = this.#found.get(stream);
    const isClosed = how === 'no-access';
    const damage = { stream, how: isClosed ? how : (threatened?.how ?? how), firstRevision, noticedAt: this.#now() };
    if (!isClosed || this.all().filter((other) => other.how === how).length < MOST_WITHOUT_ACCESS) this.#put(damage);
    return damage;
  }

  start(cuts: FollowsCuts): void {
    this.#ended = Promise.all([this.#follow(cuts), this.#lookAgain()]);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#ended;
  }

  async #follow(cuts: FollowsCuts): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        await this.#findPlace();
        for await (const message of cuts.followCuts({ after: this.#at, signal })) {
          if (message.kind === 'cut') await this.#take(message);
          else this.#at = message.position;
          if (message.kind === 'caught-up') this.#isFollowing = true;
          if (message.kind === 'caught-up') this.#see('watching');
        }
      } catch (error) {
        this.#isFollowing = false;
        const isBlind = error instanceof AccessRefused;
        this.#see(isBlind ? 'blind' : 'away');
        await this.#pause(isBlind ? MILLISECONDS_BLIND : MILLISECONDS_BETWEEN_TRIES);
      }
    }
    this.#searched.resolve();
  }

  /** A log that was restored from an older copy is searched anew. */
  async #findPlace(): Promise<void> {
    if (this.#at === BEFORE_FIRST || (await this.#store.placeAt(this.#at)).kind !== 'none') return;
    this.#at = BEFORE_FIRST;
    this.#found.clear();
    this.#tell();
  }

  #see(sight: Damages['sight']): void {
    if (sight === 'blind' && this.#sight !== 'blind')
      console.warn(
        'leadger: what others do to the streams of the ledger cannot be seen: the account may not read system events of $all (docs/deploy.md)',
      );
    if (this.#sight === 'searching' && this.#found.size > 0)
      console.warn(
        `leadger: streams of the ledger that others cut, deleted or closed: ${this.#found.size}; see leadger damaged`,
      );
    this.#sight = sight;
    this.#searched.resolve();
  }

  async #take({ stream, how }: StreamCut): Promise<void> {
    if (this.#isOurs(stream)) await this.#look(stream, how);
  }

  /** What metadata hides later, by number or age, is not in the log: so the streams are looked at again. */
  async #lookAgain(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#pause(MILLISECONDS_BETWEEN_LOOKS);
      for (const damage of this.all()) await this.#lookAgainAt(damage);
      await this.#readLog();
    }
  }

  async #lookAgainAt({ stream, how, firstRevision }: Damage): Promise<void> {
    if (this.#over.signal.aborted || how === 'tombstoned' || how === 'foreign') return;
    // Only an append shows whether the account may write again: new metadata gives it a chance.
    if (how === 'no-access' && firstRevision === 0) return;
    const done = how === 'incomplete' || how === 'no-access' ? 'uncut' : how;
    await this.#look(stream, done, { again: true }).catch(() => {});
  }

  /** An open subscription goes on when the account loses the right to read the log. */
  async #readLog(): Promise<void> {
    try {
      await this.#store.answers?.();
      if (this.#isFollowing) this.#see('watching');
    } catch (error) {
      if (error instanceof AccessRefused && !this.#over.signal.aborted) this.#see('blind');
    }
  }

  /** @param again what is noticed meanwhile counts more */
  async #look(stream: string, how: StreamCut['how'], { again = false } = {}): Promise<void> {
    const known = this.#found.get(stream);
    if (known?.how === 'tombstoned') return;
    const firstRevision = how === 'tombstoned' ? undefined : await firstRevisionOf(this.#store, stream);
    if (again && known !== this.#found.get(stream)) return;
    if (firstRevision === 'no-access') {
      this.#close(stream, known);
      return;
    }
    const isWhole = firstRevision === 0 || (firstRevision === undefined && !known);
    if (how === 'uncut' && isWhole) this.#remove(stream);
    else
      this.#put({
        stream,
        how: how === 'uncut' ? 'incomplete' : how,
        firstRevision,
        noticedAt: known?.noticedAt ?? this.#now(),
      });
  }

  #close(stream: string, known: Damage | undefined): void {
    const noticedAt = known?.noticedAt ?? this.#now();
    this.#put({ stream, how: 'no-access', firstRevision: undefined, noticedAt });
  }

  #put(damage: Damage): void {
    const before = this.of(damage.stream);
    const isNew = !this.#found.has(damage.stream);
    this.#found.set(damage.stream, damage);
    if (isNew && this.#sight !== 'searching')
      console.warn(`leadger: the stream ${damage.stream}: ${damageInWords(damage)}; see leadger damaged`);
    if (!before !== !this.of(damage.stream)) this.#tell();
  }

  #remove(stream: string): void {
    const wasDamaged = this.of(stream) !== undefined;
    if (this.#found.delete(stream) && this.#sight !== 'searching')
      console.warn(`leadger: the stream ${stream} is whole again`);
    if (wasDamaged) this.#tell();
  }

  #tell(): void {
    for (const changed of this.#listeners) changed();
  }

  async #pause(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: this.#over.signal, ref: false }).catch(() => {});
  }
}

/** @returns undefined when none of its events can be read */
async function firstRevisionOf(store: Watched, stream: string): Promise<number | undefined | 'no-access'> {
  try {
    for await (const { revision } of store.readStream(stream, { maxCount: 1 })) return revision;
  } catch (error) {
    if (error instanceof StreamAccessRefused) return 'no-access';
    if (!isTombstoned(error)) throw error;
  }
  return undefined;
}

/** The store says of a stream that it has ended for ever. */
export const isTombstoned = (error: unknown): boolean =>
  error instanceof EventStoreError && error.code === 'stream-deleted';
