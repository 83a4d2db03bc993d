import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { z } from 'zod';
import { type Activities, activityTime } from '#domain/kernel/activities';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { EventStore, Position, RecordedEvent } from '#event-store/port';
import { BEFORE_FIRST, NoSuchPosition } from '#event-store/port';
import { isAboutData, reasonWithoutValues } from '../errors.ts';
import { firstRevisionsIn } from './beginnings.ts';
import {
  becomeWhole,
  type Checkpoint,
  type Copy,
  moveCheckpoint,
  type ParkedStream,
  park,
  parkedIn,
  rowsKnownIn,
  type Seen,
} from './copies.ts';
import { type Db, type Tx, typesFollowedBy } from './model.ts';
import { checkpointToFollow } from './place.ts';
import { parkedAt, project } from './project.ts';
import { Rate } from './rate.ts';
import { ProjectionTelling } from './telling.ts';
import type { RenewViews } from './views.ts';

const EVENTS_AT_ONCE = 1000;
const FEWEST_EVENTS_BETWEEN_TIDYING_UP = 10_000;
const SECONDS_BETWEEN_TRIES = [0.1, 1, 5, 15];
const SECONDS_BETWEEN_LOOKS_WHILE_PAUSED = 0.5;

export interface ProjectionDependencies {
  readonly db: Db;
  readonly store: EventStore;
  /** Whether other programs read the same database, and wait for what is written there. */
  readonly shared: boolean;
  readonly renewViews: RenewViews;
  /** Where is told what failed, was parked, and was applied. */
  readonly activities?: Activities | undefined;
}

/** What a program says of a model that it follows. */
export const followingStatus = z.object({
  lastError: z.string().optional().describe('The last error, where there was one.'),
  eventsPerSecond: z.number().describe('Over the last ten seconds.'),
  eventsTaken: z.int().describe('Events applied since this program began.'),
});
type FollowingStatus = z.infer<typeof followingStatus>;

/** Another program moved the copy on, or replaced it: read where it stands, and continue from there. */
class Overtaken extends LeadgerError {
  constructor() {
    super('overtaken', 'another program moved the checkpoint');
  }
}

/**
 * Keeps one copy of one model up to date. Rows and checkpoint are written in one transaction, which succeeds only from the
 * checkpoint that this follower knows: if two programs follow one copy at once, each event still counts once.
 */
export class Projection {
  readonly copy: Copy;
  readonly #dependencies: ProjectionDependencies;
  readonly #db: Db;
  readonly #store: EventStore;
  readonly #shared: boolean;
  readonly #parked = new Map<string, ParkedStream>();
  /** Damaged streams → their first event that the log has. */
  readonly #beginnings = new Map<string, number>();
  readonly #taken = new Rate();
  readonly #telling: ProjectionTelling;
  #position: Position = BEFORE_FIRST;
  /**
   * The checkpoint in the database. When no event is taken, only a shared database gets the new position, because other
   * programs wait for it. Otherwise it stays at the position of an event, by which a replaced log is recognised.
   */
  #saved: Pick<Checkpoint, 'position' | 'epoch' | 'seen'> = { position: BEFORE_FIRST, epoch: 0, seen: null };
  #whole: boolean | undefined;
  /** The number of events at which to tidy up next. Undefined until the size of the tables was read. */
  #tidyAt: number | undefined;
  /** The position at which a copy that is being built becomes whole. */
  #goal: Position = BEFORE_FIRST;
  #lastError: string | undefined;
  #waiting: { readonly position: Position; readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];

  constructor(copy: Copy, dependencies: ProjectionDependencies) {
    const { db, store, shared } = dependencies;
    this.copy = copy;
    this.#dependencies = dependencies;
    this.#db = db;
    this.#store = store;
    this.#shared = shared;
    this.#telling = new ProjectionTelling(copy.model.name, dependencies.activities);
  }

  /** Every event up to here is in the tables. */
  get position(): Position {
    return this.#position;
  }

  /** Whether the copy answers. Undefined until its checkpoint was read. */
  get whole(): boolean | undefined {
    return this.#whole;
  }

  get following(): FollowingStatus {
    const { perSecond, total } = this.#taken;
    return { lastError: this.#lastError, eventsPerSecond: perSecond, eventsTaken: total };
  }

  /** Follows the log until the signal is aborted. What fails is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    for (let tries = 0; !signal.aborted; tries += 1) {
      try {
        await this.#findPlace(signal);
        for await (const _ of this.#follow(signal)) tries = 0;
      } catch (error) {
        if (error instanceof Overtaken) continue;
        this.#lastError = reasonWithoutValues(error);
        this.#telling.failed(error, tries + 1);
        const seconds = SECONDS_BETWEEN_TRIES[tries] ?? (SECONDS_BETWEEN_TRIES.at(-1) as number);
        await wait(seconds * 1000, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  /**
   * Resolves when every event up to a position is in the tables, or when the signal is aborted.
   * @throws NoSuchPosition when the log lost it: it was restored from an older copy
   */
  reached(position: Position, signal?: AbortSignal): Promise<void> {
    if (this.#position >= position || signal?.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiting = { position, resolve, reject };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resolve();
      });
    });
  }

  /** Finds the position to continue from. Waits as long as the copy is paused. */
  async #findPlace(signal: AbortSignal): Promise<void> {
    let checkpoint = await checkpointToFollow(this.copy, this.#dependencies);
    while (checkpoint.paused && !signal.aborted) {
      await wait(SECONDS_BETWEEN_LOOKS_WHILE_PAUSED * 1000, undefined, { signal, ref: false }).catch(() => {});
      checkpoint = await checkpointToFollow(this.copy, this.#dependencies);
    }
    if (!checkpoint.whole) await this.#damagesSearched(signal);
    const parked = await parkedIn(this.#db, this.copy);
    this.#parked.clear();
    for (const one of parked) this.#parked.set(one.stream, one);
    this.#saved = checkpoint;
    this.#whole = checkpoint.whole;
    this.#goal = await this.#store.head();
    await this.#advance(checkpoint.position);
  }

  /** Takes events in batches: as many as there are, up to a limit. Yields after each batch. */
  async *#follow(signal: AbortSignal): AsyncGenerator<void> {
    const filter = { types: typesFollowedBy(this.copy.model) };
    let batch: RecordedEvent[] = [];
    for await (const message of this.#store.subscribe({ after: this.#position, filter, signal })) {
      if (message.kind === 'event') {
        batch.push(message.event);
        if (batch.length < EVENTS_AT_ONCE) continue;
      }
      const events = batch;
      batch = [];
      const position = message.kind === 'event' ? message.event.position : message.position;
      if (position > this.#position) await this.#takeBatch(events, position);
      if (message.kind === 'caught-up') await this.#giveUpLost();
      this.#lastError = undefined;
      yield;
    }
  }

  async #takeBatch(events: readonly RecordedEvent[], position: Position): Promise<void> {
    await this.#findBeginnings(events);
    const startedAt = activityTime();
    const last = events.at(-1);
    if (this.#shared) await this.#take(events, position);
    else if (last) await this.#take(events, last.position);
    this.#taken.add(events.length);
    this.#telling.applied(events, startedAt);
    await this.#advance(position);
    await this.#tidyUp();
  }

  /** A copy is built once it is known which streams are damaged. */
  async #damagesSearched(signal: AbortSignal): Promise<void> {
    const { damages } = this.#store;
    if (damages && !signal.aborted) await Promise.race([damages.searched(), once(signal, 'abort')]);
  }

  /** A stream that others cut has all its events in the log until a scavenge: then a copy that is built misses the first ones. */
  async #findBeginnings(events: readonly RecordedEvent[]): Promise<void> {
    const { damages } = this.#store;
    if (!damages) return;
    const streams = new Set(events.map(({ stream }) => stream));
    const unknown = [...streams].filter((stream) => damages.of(stream) && !this.#beginnings.has(stream));
    for (const [stream, first] of await firstRevisionsIn(this.#store, new Set(unknown)))
      this.#beginnings.set(stream, first);
  }

  async #advance(position: Position): Promise<void> {
    if (!this.#whole && position >= this.#goal) {
      await becomeWhole(this.#db, this.copy);
      this.#whole = true;
    }
    this.#position = position;
    const reached = this.#waiting.filter((waiting) => waiting.position <= position);
    if (reached.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => waiting.position > position);
    for (const { resolve } of reached) resolve();
  }

  /** At its end, the log has every position that is waited for, or has lost it. Each is asked for once, however many wait. */
  async #giveUpLost(): Promise<void> {
    for (const position of new Set(this.#waiting.map((waiting) => waiting.position))) {
      if ((await this.#store.placeAt(position)).kind !== 'none') continue;
      const lost = this.#waiting.filter((waiting) => waiting.position === position);
      this.#waiting = this.#waiting.filter((waiting) => !lost.includes(waiting));
      for (const { reject } of lost) reject(new NoSuchPosition(position));
    }
  }

  /**
   * PGlite has no autovacuum: dead rows would pile up, and its plans would not know how many rows there are. All other
   * statements wait meanwhile, longer for more rows: so it is done after as many events as there are rows.
   */
  async #tidyUp(): Promise<void> {
    if (this.#shared) return;
    const { total } = this.#taken;
    const { model, schema } = this.copy;
    if (this.#tidyAt !== undefined && total >= this.#tidyAt) {
      for (const { name } of model.tables)
        await sql`VACUUM (ANALYZE) ${sql.table(`${schema}.${name}`)}`.execute(this.#db);
      this.#tidyAt = undefined;
    }
    this.#tidyAt ??= total + Math.max(FEWEST_EVENTS_BETWEEN_TIDYING_UP, await rowsKnownIn(this.#db, this.copy));
  }

  /** When the database refuses the data of a batch, its halves are tried, down to the one event that has to be parked. */
  async #take(events: readonly RecordedEvent[], position: Position): Promise<void> {
    const parkedBefore = new Map(this.#parked);
    try {
      await this.#inOneTransaction(events, position, (tx) => this.#project(tx, events));
    } catch (error) {
      this.#parked.clear();
      for (const [stream, parked] of parkedBefore) this.#parked.set(stream, parked);
      if (!isAboutData(error)) throw error;
      if (events.length > 1) {
        const half = events.length >> 1;
        await this.#take(events.slice(0, half), (events[half - 1] as RecordedEvent).position);
        await this.#take(events.slice(half), position);
        return;
      }
      await this.#inOneTransaction(events, position, (tx) => this.#park(tx, events[0] as RecordedEvent, error));
    }
  }

  async #inOneTransaction(
    events: readonly RecordedEvent[],
    position: Position,
    write: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    const last = events.at(-1);
    const seen = last ? whereIs(last) : this.#saved.seen;
    await this.#db.transaction().execute(async (tx) => {
      if (!(await moveCheckpoint(tx, this.copy, this.#saved, { position, seen }))) throw new Overtaken();
      await write(tx);
    });
    this.#saved = { ...this.#saved, position, seen };
  }

  async #project(tx: Tx, events: readonly RecordedEvent[]): Promise<void> {
    const lost = [...this.#beginnings].filter(([, first]) => first > 0);
    const leftOut = { parked: this.#parked, beginningsLost: new Map(lost) };
    for (const parked of await project(tx, this.copy, events, leftOut)) {
      this.#parked.set(parked.stream, parked);
      await park(tx, this.copy, parked);
      this.#telling.parked(parked);
    }
  }

  async #park(tx: Tx, event: RecordedEvent, error: unknown): Promise<void> {
    const parked = parkedAt(event, error);
    this.#parked.set(event.stream, parked);
    await park(tx, this.copy, parked);
    this.#telling.parked(parked);
  }
}

const whereIs = ({ position, stream, revision, id }: RecordedEvent): Seen => ({ position, stream, revision, id });
