import { hash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Kysely } from 'kysely';
import { z } from 'zod';
import type { Activities } from '#domain/kernel/activities';
import type { Outages } from '#domain/kernel/outages';
import { callsInTurn } from '#event-store/in-turn';
import { BEFORE_FIRST, type EventStore, NoSuchPosition, type Position } from '#event-store/port';
import { views } from './analytics.ts';
import { digestOf, rowsOfCopy } from './contents.ts';
import { type AnalysisOptions, type AnalystConnection, analyse, type RowBatch } from './engine/analysis.ts';
import {
  type Checkpoint,
  createRegister,
  ensureCopy,
  ensureViews,
  liveCopy,
  type ParkedStream,
  parkedIn,
  parkedStream,
  setPaused,
  type VersionedModel,
} from './engine/copies.ts';
import { openEmbeddedDatabase } from './engine/embedded-database.ts';
import { registerForeignStreams, shareForeignStreams } from './engine/foreign-register.ts';
import type { Db } from './engine/model.ts';
import { ColumnNames } from './engine/names.ts';
import { checkpointToFollow } from './engine/place.ts';
import type { ServerState } from './engine/postgres.ts';
import { followingStatus, Projection, type ProjectionDependencies } from './engine/projection.ts';
import { retryParked } from './engine/retry.ts';
import { viewsOn } from './engine/views.ts';
import { Paused } from './errors.ts';
import { LiveCopies } from './live-copies.ts';
import { modelNames, modelOf, models } from './models.ts';
import { PositionsElsewhere } from './positions-elsewhere.ts';
import { damageMarks } from './queries/damaged.ts';
import { RowReader } from './queries/reader.ts';
import { queriesOn, type RowQueries } from './queries.ts';
import { type RebuildOptions, Rebuilds } from './rebuilds.ts';

/** Only a log makes positions. In JSON they are strings. */
const logPosition = () => z.string() as unknown as z.ZodType<Position, string>;

export const readModelStatus = z.object({
  name: z.string().describe('The name of the read model.'),
  version: z.string().describe('Its version: a hash over its tables, its events and the rows made of them.'),
  position: logPosition().describe('Its rows reflect every event up to this position.'),
  whole: z.boolean().describe('False while it is built from the beginning of the log; until then it answers nothing.'),
  paused: z.boolean().describe('True while it is paused: it reflects nothing newer until it is resumed.'),
  rebuiltUpTo: logPosition()
    .optional()
    .describe('How far the rebuild has come that this program does; absent without one.'),
  parkedStreams: z.array(parkedStream).describe('Streams that are left out because an event could not be applied.'),
  following: followingStatus.optional().describe('Absent where another program follows the model.'),
});
export type ReadModelStatus = z.infer<typeof readModelStatus>;

export interface ReadModels {
  readonly queries: RowQueries;
  /** Begins to follow the log with every model, until stopped: on one machine, where no other program does. */
  start(): void;
  /** Follows the log with one model until the signal is aborted. */
  follow(name: string, signal: AbortSignal): Promise<void>;
  /** Ends what is under way and closes the database. */
  stop(): Promise<void>;
  /**
   * Resolves to true when every model reflects a position, to false when the time is over earlier.
   * @throws NoSuchPosition when the log has no event there
   */
  waitFor(position: Position, timeoutMilliseconds: number): Promise<boolean>;
  status(): Promise<readonly ReadModelStatus[]>;
  /** Whether the server of the database answers. Undefined where it is part of this program. */
  server(): ServerState | undefined;
  /** Since the database was opened. Undefined where it is part of this program. */
  outages(): Outages | undefined;
  /**
   * Rebuilds a model beside the live one, and replaces that. A rebuild that was interrupted continues the next time.
   * @throws UnknownModel
   */
  rebuild(name: string, options?: RebuildOptions): Promise<void>;
  /**
   * Ends a rebuild that this program runs. The next one continues from there.
   * @returns false when there is none. @throws UnknownModel
   */
  cancelRebuild(name: string): boolean;
  /** Leaves a model as it is, whichever program follows it, until it is resumed. @throws UnknownModel */
  pause(name: string): Promise<void>;
  /** @throws UnknownModel */
  resume(name: string): Promise<void>;
  /** Takes the events that were left out of the model's parked streams. @returns those that stay parked. @throws UnknownModel */
  retry(name: string): Promise<readonly ParkedStream[]>;
  /** Brings every model to the present end of the log, and leaves it there. @throws Paused */
  catchUp(options?: RebuildOptions): Promise<void>;
  /** All rows of a model in the order of their keys, some at a time. @throws UnknownModel */
  rowsOf(name: string): AsyncIterable<object>;
  /** MD5 over all rows of a model in the order of their keys, at one instant. Equal for equal rows. @throws UnknownModel */
  digest(name: string): Promise<string>;
  /** Answers a query of an analyst on the views. @throws QueryFailed */
  analyse(query: string, options: AnalysisOptions): AsyncGenerator<RowBatch>;
  readonly names: readonly string[];
}

/** Another one for other tables or other views. */
export const allTables = hash(
  'sha256',
  JSON.stringify([models.map(liveCopy).map(({ schema }) => schema), views]),
).slice(0, 12);

interface ReadModelsOptions {
  readonly store: EventStore;
  /** Where PGlite keeps its files. Undefined: in memory. */
  readonly directory?: string;
  /** `postgres://…`: a PostgreSQL that many programs share. */
  readonly databaseUrl?: string | undefined;
  readonly activities?: Activities;
}

/**
 * Opens the read models. All their rows can be computed again from the log: a database that cannot be trusted (damaged, or
 * last written before the machine went down) is deleted and rebuilt.
 */
export async function openReadModels({
  store,
  directory,
  databaseUrl,
  activities,
}: ReadModelsOptions): Promise<ReadModels> {
  const shared = databaseUrl !== undefined;
  const opened = shared ? await openShared(databaseUrl) : await openEmbeddedDatabase(directory, allTables);
  const { dialect, closed, connect, server, outages } = opened;
  const db: Db = new Kysely({ dialect, plugins: [new ColumnNames()] });
  const renewViews = viewsOn(views, (name) => liveCopy(modelOf(name)).schema);
  const dependencies = { db, store, shared, renewViews, connect, server, outages, activities };
  try {
    await makeTables(dependencies);
    const readModels = new SqlReadModels(dependencies, closed);
    await readModels.lookAfterCopies();
    return readModels;
  } catch (error) {
    await db.destroy();
    throw opened.explained(error);
  }
}

/** The client of PostgreSQL is loaded only where there is one. */
const openShared = async (databaseUrl: string) => (await import('./engine/postgres.ts')).openPostgres(databaseUrl);

/** Whether shared tables have to begin again is decided by the program that follows the log. */
async function makeTables({ db, store, shared, renewViews }: ProjectionDependencies): Promise<void> {
  await createRegister(db);
  const now = { log: await store.identity(), head: await store.head() };
  for (const model of models) {
    if (shared) await ensureCopy(db, liveCopy(model), now);
    else await checkpointToFollow(liveCopy(model), { db, store, renewViews });
  }
  await ensureViews(db, renewViews);
}

interface Dependencies extends ProjectionDependencies {
  /** Connects to the database for an analyst, beside its other users. */
  readonly connect: (timeoutMilliseconds: number) => Promise<AnalystConnection>;
  readonly server: () => ServerState | undefined;
  readonly outages: () => Outages | undefined;
}

const MILLISECONDS_BETWEEN_LOOKS_AFTER_COPIES = 600_000;
const MILLISECONDS_UNTIL_DOUBT = 500;
const MILLISECONDS_BETWEEN_DOUBTS = 5000;
const MOST_DOUBTS_AT_ONCE = 3;

/** Read models on PGlite or PostgreSQL. */
class SqlReadModels implements ReadModels {
  readonly queries: RowQueries;
  readonly names = modelNames;
  readonly #dependencies: Dependencies;
  readonly #live: LiveCopies;
  readonly #elsewhere: PositionsElsewhere;
  readonly #rebuilds: Rebuilds;
  readonly #inTurn = callsInTurn(MOST_DOUBTS_AT_ONCE);
  readonly #stopping = new AbortController();
  readonly #runs = new Set<Promise<void>>();
  readonly #lookingAfter: NodeJS.Timeout;
  readonly #closed: () => void;
  readonly #noticing: (() => void) | undefined;

  constructor(dependencies: Dependencies, closed: () => void) {
    this.#dependencies = dependencies;
    this.#closed = closed;
    this.#live = new LiveCopies(dependencies);
    this.#elsewhere = new PositionsElsewhere(() => this.#positions());
    this.#rebuilds = new Rebuilds(dependencies, this.#stopping.signal);
    const { db, store } = dependencies;
    const nameOf: RowReader['nameOf'] = (table) => this.#live.nameOf(table);
    this.queries = queriesOn(new RowReader({ db, nameOf, mark: damageMarks(store.damages) }));
    this.#noticing = store.foreignStreams?.onFound(() => void registerForeignStreams(db, store).catch(() => {}));
    this.#lookingAfter = setInterval(
      () => void this.lookAfterCopies().catch(() => {}),
      MILLISECONDS_BETWEEN_LOOKS_AFTER_COPIES,
    ).unref();
  }

  async lookAfterCopies(): Promise<void> {
    await this.#live.lookAfter();
    const { db, store } = this.#dependencies;
    await shareForeignStreams(db, store);
  }

  start(): void {
    for (const name of this.names) void this.follow(name, this.#stopping.signal);
  }

  async follow(name: string, signal: AbortSignal): Promise<void> {
    const projection = new Projection(liveCopy(modelOf(name)), this.#dependencies);
    const { followed } = this.#live;
    followed.set(name, projection);
    try {
      await this.#awaited(projection.run(AbortSignal.any([signal, this.#stopping.signal])));
    } finally {
      if (followed.get(name) === projection) followed.delete(name);
    }
  }

  /** What has to end before the database is closed. */
  async #awaited(run: Promise<void>): Promise<void> {
    this.#runs.add(run);
    try {
      await run;
    } finally {
      this.#runs.delete(run);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#lookingAfter);
    this.#noticing?.();
    this.#stopping.abort();
    await Promise.allSettled(this.#runs);
    await this.#dependencies.db.destroy();
    this.#closed();
  }

  async waitFor(position: Position, timeoutMilliseconds: number): Promise<boolean> {
    const timeOver = new AbortController();
    const { signal } = timeOver;
    const here = this.names.flatMap((name) => this.#live.followed.get(name) ?? []);
    const elsewhere = this.names.filter((name) => !this.#live.followed.has(name));
    const reached = Promise.all([
      // A position that is lost, or made up, is refused below.
      ...here.map((projection) => projection.reached(position, signal).catch(() => new Promise(() => {}))),
      this.#reachedElsewhere(elsewhere, position, signal),
    ]);
    try {
      const result = await Promise.race([
        reached.then(() => true),
        this.#mustExist(position, signal),
        wait(timeoutMilliseconds, false, { signal }).catch(() => false),
      ]);
      return result;
    } finally {
      timeOver.abort();
    }
  }

  /**
   * A position that is reached soon costs no question. However many wait, a few ask at a time. The log may lose it meanwhile, so it
   * is asked for again. @throws NoSuchPosition
   */
  async #mustExist(position: Position, signal: AbortSignal): Promise<never> {
    for (let pause = MILLISECONDS_UNTIL_DOUBT; !signal.aborted; pause = MILLISECONDS_BETWEEN_DOUBTS) {
      await wait(pause, undefined, { signal }).catch(() => {});
      const isNowhere = await this.#inTurn(
        async () => !signal.aborted && (await this.#dependencies.store.placeAt(position)).kind === 'none',
      );
      if (isNowhere) throw new NoSuchPosition(position);
    }
    return new Promise(() => {});
  }

  /** Another program follows these, or none does yet: their checkpoints say how far they are. */
  async #reachedElsewhere(names: readonly string[], position: Position, signal: AbortSignal): Promise<void> {
    if (names.length === 0) return;
    await this.#elsewhere.reached(names, position, AbortSignal.any([signal, this.#stopping.signal]));
    await this.#live.findWhole();
  }

  async #positions(): Promise<ReadonlyMap<string, Position>> {
    const checkpoints = await this.#live.checkpoints();
    const found = models.map((model) => [model.name, checkpoints.get(liveCopy(model).schema)?.position] as const);
    return new Map(found.filter((entry): entry is [string, Position] => entry[1] !== undefined));
  }

  async status(): Promise<readonly ReadModelStatus[]> {
    const checkpoints = await this.#live.checkpoints();
    return Promise.all(models.map((model) => this.#statusOf(model, checkpoints.get(liveCopy(model).schema))));
  }

  server(): ServerState | undefined {
    return this.#dependencies.server();
  }

  outages(): Outages | undefined {
    return this.#dependencies.outages();
  }

  async #statusOf(model: VersionedModel, checkpoint: Checkpoint | undefined): Promise<ReadModelStatus> {
    const { name, version } = model;
    const { position = BEFORE_FIRST, paused = false, whole = false } = checkpoint ?? {};
    const followed = this.#live.followed.get(name);
    return {
      name,
      version,
      position: followed?.position || position,
      parkedStreams: await parkedIn(this.#dependencies.db, liveCopy(model)),
      paused,
      whole,
      rebuiltUpTo: this.#rebuilds.positionOf(name),
      following: followed?.following,
    };
  }

  async rebuild(name: string, options: RebuildOptions = {}): Promise<void> {
    await this.#awaited(this.#rebuilds.run(modelOf(name), options));
    await this.#live.findWhole();
  }

  cancelRebuild(name: string): boolean {
    return this.#rebuilds.cancel(modelOf(name).name);
  }

  async pause(name: string): Promise<void> {
    await setPaused(this.#dependencies.db, liveCopy(modelOf(name)), true);
  }

  async resume(name: string): Promise<void> {
    await setPaused(this.#dependencies.db, liveCopy(modelOf(name)), false);
  }

  retry(name: string): Promise<readonly ParkedStream[]> {
    return retryParked(liveCopy(modelOf(name)), this.#dependencies);
  }

  async catchUp(options: RebuildOptions = {}): Promise<void> {
    const target = await this.#dependencies.store.head();
    const checkpoints = await this.#live.checkpoints();
    for (const { name, schema } of models.map((model) => ({ name: model.name, ...liveCopy(model) })))
      if (checkpoints.get(schema)?.paused) throw new Paused(name);
    for (const model of models) await this.#rebuilds.bring(liveCopy(model), target, options);
    await this.#live.findWhole();
  }

  analyse(query: string, options: AnalysisOptions): AsyncGenerator<RowBatch> {
    return analyse(() => this.#dependencies.connect(options.timeoutSeconds * 1000), query, options);
  }

  async *rowsOf(name: string): AsyncGenerator<object> {
    yield* rowsOfCopy(this.#dependencies.db, liveCopy(modelOf(name)));
  }

  async digest(name: string): Promise<string> {
    return digestOf(this.#dependencies.db, liveCopy(modelOf(name)));
  }
}
