import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { decode, type Fact } from '#domain/codec';
import { BEFORE_FIRST, type EventStore, type Position, type RecordedEvent } from '#event-store/port';
import { createTables, type Db, type Model, Rows, type Tx } from './model.ts';
import { DatabaseError } from './pglite.ts';

// biome-ignore lint/suspicious/noExplicitAny: each model knows its own facts; the engine only carries them
export type AnyModel = Model<any>;

/** A stream of which a model could not take an event: that one and all after it are left out, and named. */
export interface ParkedStream {
  readonly stream: string;
  readonly revision: number;
  readonly reason: string;
}

export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  /** Everything up to here is in the tables. */
  readonly position: Position;
  readonly caughtUp: boolean;
  readonly parked: readonly ParkedStream[];
  readonly lastError: string | undefined;
}

const EVENTS_AT_ONCE = 1000;
const SECONDS_BETWEEN_TRIES = [0.1, 1, 5, 15];

/** What is remembered of every model, in the same transaction as its rows. */
export async function createCheckpoints(db: Db): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS checkpoints (
    model text PRIMARY KEY, version integer NOT NULL, schema text NOT NULL, position text NOT NULL)`.execute(db);
  await sql`ALTER TABLE checkpoints ADD COLUMN IF NOT EXISTS log text NOT NULL DEFAULT ''`.execute(db);
  await sql`CREATE TABLE IF NOT EXISTS parked (
    schema text NOT NULL, stream text NOT NULL, revision integer NOT NULL, reason text NOT NULL,
    PRIMARY KEY (schema, stream))`.execute(db);
}

/** Keeps one copy of one model up to date: from the log into the tables of one schema. */
export class Projection {
  readonly model: AnyModel;
  readonly schema: string;
  readonly #db: Db;
  readonly #store: EventStore;
  readonly #stopping = new AbortController();
  readonly #parked = new Map<string, ParkedStream>();
  #position: Position;
  #caughtUp = false;
  #lastError: string | undefined;
  #waiting: { readonly position: Position; readonly resolve: () => void }[] = [];
  #run: Promise<void> | undefined;

  constructor(model: AnyModel, schema: string, position: Position, { db, store }: { db: Db; store: EventStore }) {
    this.model = model;
    this.schema = schema;
    this.#position = position;
    this.#db = db;
    this.#store = store;
  }

  start(): void {
    this.#run ??= this.#keepUp();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#run;
  }

  /** Resolves when everything up to a position is in the tables, or when nobody waits for that any more. */
  reached(position: Position, signal?: AbortSignal): Promise<void> {
    if (this.#position >= position || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = { position, resolve };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resolve();
      });
    });
  }

  status(): ProjectionStatus {
    const { name, version } = this.model;
    const parked = [...this.#parked.values()];
    return { name, version, position: this.#position, caughtUp: this.#caughtUp, parked, lastError: this.#lastError };
  }

  async #keepUp(): Promise<void> {
    const { signal } = this.#stopping;
    for (let tries = 0; !signal.aborted; tries += 1) {
      try {
        await this.#loadParked();
        for await (const _ of this.#follow(signal)) tries = 0;
      } catch (error) {
        this.#lastError = (error as Error).message;
        this.#caughtUp = false;
        const seconds = SECONDS_BETWEEN_TRIES[tries] ?? (SECONDS_BETWEEN_TRIES.at(-1) as number);
        await wait(seconds * 1000, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  /** Takes events in batches: as many as there are, up to a limit. Yields after each. */
  async *#follow(signal: AbortSignal): AsyncGenerator<void> {
    const filter = { types: this.model.eventTypes };
    let batch: RecordedEvent[] = [];
    for await (const message of this.#store.subscribe({ after: this.#position, filter, signal })) {
      if (message.kind === 'event') {
        batch.push(message.event);
        this.#caughtUp = false;
        if (batch.length < EVENTS_AT_ONCE) continue;
      }
      const events = batch;
      batch = [];
      const position = message.kind === 'event' ? message.event.position : message.position;
      if (events.length > 0) await this.#take(events, position);
      this.#advance(position);
      if (message.kind === 'caught-up') this.#caughtUp = true;
      this.#lastError = undefined;
      yield;
    }
  }

  #advance(position: Position): void {
    this.#position = position;
    const reached = this.#waiting.filter((waiting) => waiting.position <= position);
    if (reached.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => waiting.position > position);
    for (const { resolve } of reached) resolve();
  }

  /** Where the database refuses a batch for what is in it, its halves are tried, down to the one event to be parked. */
  async #take(events: readonly RecordedEvent[], position: Position): Promise<void> {
    const parkedBefore = new Map(this.#parked);
    try {
      await this.#db.transaction().execute((tx) => this.#project(tx, events, position));
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
      await this.#db.transaction().execute(async (tx) => {
        await this.#park(tx, events[0] as RecordedEvent, error);
        await this.#saveCheckpoint(tx, position);
      });
    }
  }

  async #project(tx: Tx, events: readonly RecordedEvent[], position: Position): Promise<void> {
    const facts: Fact[] = [];
    for (const event of events)
      await this.#unlessParked(tx, event, () => {
        facts.push(decode(event));
      });
    const rows = new Rows();
    await rows.load(tx, this.schema, facts.flatMap(this.model.keysOf));
    for (const fact of facts) await this.#unlessParked(tx, fact, () => this.model.evolve(rows, fact));
    await rows.save(tx, this.schema);
    await this.#saveCheckpoint(tx, position);
  }

  async #unlessParked(tx: Tx, event: { stream: string; revision: number }, take: () => void): Promise<void> {
    if (this.#parked.has(event.stream)) return;
    try {
      take();
    } catch (error) {
      await this.#park(tx, event, error);
    }
  }

  async #park(tx: Tx, { stream, revision }: { stream: string; revision: number }, error: unknown): Promise<void> {
    const parked = { stream, revision, reason: (error as Error).message };
    this.#parked.set(stream, parked);
    await tx
      .insertInto('parked')
      .values({ schema: this.schema, ...parked })
      .execute();
  }

  async #loadParked(): Promise<void> {
    const rows = await this.#db.selectFrom('parked').selectAll().where('schema', '=', this.schema).execute();
    this.#parked.clear();
    for (const { stream, revision, reason } of rows as unknown as ParkedStream[])
      this.#parked.set(stream, { stream, revision, reason });
  }

  async #saveCheckpoint(tx: Tx, position: Position): Promise<void> {
    const { name: model, version } = this.model;
    await tx
      .updateTable('checkpoints')
      .set({ position })
      .where('model', '=', model)
      .where('version', '=', version)
      .where('schema', '=', this.schema)
      .execute();
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint violation). */
const isAboutData = (error: unknown): boolean => error instanceof DatabaseError && /^2[23]/.test(error.code ?? '');

/** Creates empty tables for a model beside whatever there is. The position is kept once the copy is the live one. */
export async function emptyCopy(
  model: AnyModel,
  schema: string,
  needs: { db: Db; store: EventStore },
): Promise<Projection> {
  await createTables(needs.db, schema, model.tables);
  await needs.db.deleteFrom('parked').where('schema', '=', schema).execute();
  return new Projection(model, schema, BEFORE_FIRST, needs);
}
