import { setTimeout as wait } from 'node:timers/promises';
import { Kysely, sql } from 'kysely';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { BEFORE_FIRST, type EventStore, type Position } from '#event-store/port';
import { type AnalysisOptions, type Answer, analyse, type Connection } from './analysis.ts';
import { views } from './analytics.ts';
import {
  type AnyModel,
  type Copy,
  checkpointsOf,
  createRegister,
  dropOldCopies,
  ensureCopy,
  ensureViews,
  liveCopy,
  nextCopy,
  type ParkedStream,
  parkedIn,
  setPaused,
  switchCopies,
  useCopies,
} from './engine/copies.ts';
import { openEmbeddedDatabase } from './engine/embedded-database.ts';
import type { Db } from './engine/model.ts';
import { ColumnNames } from './engine/names.ts';
import { openPostgres } from './engine/postgres.ts';
import { Projection, type ProjectionNeeds, placeOf } from './engine/projection.ts';
import { retryParked } from './engine/retry.ts';
import { viewsOn } from './engine/views.ts';
import { customers } from './models/customers.ts';
import { histories } from './models/histories.ts';
import { leads } from './models/leads.ts';
import { mails } from './models/mails.ts';
import { orders } from './models/orders.ts';
import { programmes } from './models/programmes.ts';
import { replacements } from './models/replacements.ts';
import { sales } from './models/sales.ts';
import { tickets } from './models/tickets.ts';
import { webhooks } from './models/webhooks.ts';
import { Queries } from './queries.ts';

const models: readonly AnyModel[] = [
  customers,
  orders,
  programmes,
  leads,
  replacements,
  tickets,
  mails,
  webhooks,
  histories,
  sales,
];

export interface ReadModelStatus {
  readonly name: string;
  readonly version: number;
  /** Everything up to here is in the tables. */
  readonly position: Position;
  readonly parked: readonly ParkedStream[];
  /** Whoever follows it waits until it is resumed. */
  readonly paused: boolean;
  /** False while it is built from the beginning of the log: until then it answers nothing. */
  readonly whole: boolean;
  /** How far a rebuild has come that this program does beside it. */
  readonly rebuiltUpTo: Position | undefined;
  /** Where this program follows the model. */
  readonly following: FollowingStatus | undefined;
}

export interface FollowingStatus {
  /** Of the last try. */
  readonly lastError: string | undefined;
  /** Over the last ten seconds. */
  readonly eventsPerSecond: number;
  /** Since the program began. */
  readonly eventsTaken: number;
}

export interface ReadModels {
  readonly queries: Queries;
  /** Begins to follow the log with every model, until stopped: on one machine, where nobody else does. */
  start(): void;
  /** Follows the log with one model until the signal says otherwise. */
  follow(name: string, signal: AbortSignal): Promise<void>;
  /** Ends what is under way and closes the database. */
  stop(): Promise<void>;
  /** Resolves true when every model reflects a position, false when the time is over before. */
  waitFor(position: Position, timeoutMilliseconds: number): Promise<boolean>;
  status(): Promise<readonly ReadModelStatus[]>;
  /**
   * Builds a model anew beside the live one, and puts it in its place. Cut short, it goes on where it was the next time.
   * @throws UnknownModel
   */
  rebuild(name: string, options?: RebuildOptions): Promise<void>;
  /**
   * Ends a rebuild that this program does. The next one goes on from there.
   * @returns false when there is none. @throws UnknownModel
   */
  cancelRebuild(name: string): boolean;
  /** Leaves a model as it is, whoever follows it, until it is resumed. @throws UnknownModel */
  pause(name: string): Promise<void>;
  /** @throws UnknownModel */
  resume(name: string): Promise<void>;
  /** Takes what was left out of the model's parked streams. @returns those that stay parked. @throws UnknownModel */
  retry(name: string): Promise<readonly ParkedStream[]>;
  /** Brings every model up to where the log ends now, and lets it rest there. @throws Paused */
  catchUp(options?: RebuildOptions): Promise<void>;
  /** All rows of a model in the order of their keys, some at a time. @throws UnknownModel */
  rowsOf(name: string): AsyncIterable<object>;
  /** MD5 over all rows of a model in the order of their keys, at one instant. Equal for equal rows. @throws UnknownModel */
  digest(name: string): Promise<string>;
  /** What analysts ask of the views. @throws QueryFailed */
  analyse(query: string, options: AnalysisOptions): AsyncGenerator<Answer>;
  readonly names: readonly string[];
}

export interface RebuildOptions {
  /** Where one model has come to. */
  readonly onProgress?: (name: string, reached: Position) => void;
  /** Aborted, it rejects with the signal's reason and leaves the live model as it is. */
  readonly signal?: AbortSignal;
}

export class UnknownModel extends LeadgerError {
  constructor(name: string) {
    super(
      'unknown-read-model',
      `there is no read model ${name}: there are ${models.map((model) => model.name).join(', ')}`,
    );
  }
}

/** The model is being built, and was never whole yet. */
export class BeingBuilt extends LeadgerError {
  constructor(name: string) {
    super('read-model-being-built', `the read model ${name} is being built from the log: ask again`);
  }
}

/** One rebuild of a model at a time. */
export class AlreadyRebuilding extends LeadgerError {
  constructor(name: string) {
    super('already-rebuilding', `the read model ${name} is being rebuilt already`);
  }
}

export class RebuildCancelled extends LeadgerError {
  constructor(name: string) {
    super('rebuild-cancelled', `the rebuild of ${name} was cancelled: the next one goes on from there`);
  }
}

/** What was paused stays as it is until somebody resumes it. */
export class Paused extends LeadgerError {
  constructor(name: string) {
    super('read-model-paused', `the read model ${name} is paused, and rests where it is until it is resumed`);
  }
}

export interface ReadModelsOptions {
  readonly store: EventStore;
  /** Of PGlite. Undefined: in memory. */
  readonly directory?: string;
  /** `postgres://…`: a PostgreSQL that many programs share. */
  readonly databaseUrl?: string | undefined;
}

/**
 * Opens the read models. All they hold can be computed again from the log, so a database that cannot be trusted (damaged,
 * or written last before the machine went down) is thrown away and built anew.
 */
export async function openReadModels({ store, directory, databaseUrl }: ReadModelsOptions): Promise<ReadModels> {
  const shared = databaseUrl !== undefined;
  const { dialect, closed, connect } = shared ? openPostgres(databaseUrl) : await openEmbeddedDatabase(directory);
  const db: Db = new Kysely({ dialect, plugins: [new ColumnNames()] });
  try {
    await createRegister(db);
    const now = { log: await store.identity(), head: await store.head() };
    const renewViews = viewsOn(views, (name) => liveCopy(modelOf(name)).schema);
    for (const model of models) {
      // Whether shared tables are to begin anew is for whoever follows the log to say.
      if (shared) await ensureCopy(db, liveCopy(model), now);
      else await placeOf(liveCopy(model), { db, store, renewViews });
    }
    await ensureViews(db, renewViews);
    const readModels = new SqlReadModels({ db, store, shared, renewViews, connect }, closed);
    await readModels.lookAfterCopies();
    return readModels;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

interface Needs extends ProjectionNeeds {
  /** To the database, beside what is under way there. */
  readonly connect: (timeoutMilliseconds: number) => Promise<Connection>;
}

/** On a database that nobody else has, no other version is in use. */
const SECONDS_UNTIL_OLD_COPIES_GO = { shared: 24 * 3600, alone: 0 };
const MILLISECONDS_BETWEEN_LOOKS_AFTER_COPIES = 600_000;
const MILLISECONDS_BETWEEN_PROGRESS = 500;
const MILLISECONDS_BETWEEN_LOOKS = 20;

class SqlReadModels implements ReadModels {
  readonly queries: Queries;
  readonly names = models.map(({ name }) => name);
  readonly #needs: Needs;
  /** What this program follows itself, by name. */
  readonly #followed = new Map<string, Projection>();
  readonly #rebuilds = new Map<string, { readonly cancelled: AbortController; position: Position }>();
  /** As far as the database said when it was asked last. */
  #whole: ReadonlySet<string> = new Set();
  readonly #stopping = new AbortController();
  readonly #runs = new Set<Promise<void>>();
  readonly #lookingAfter: NodeJS.Timeout;
  readonly #closed: () => void;

  constructor(needs: Needs, closed: () => void) {
    this.#needs = needs;
    this.#closed = closed;
    this.queries = new Queries(needs.db, (name) => this.#schemaToRead(name));
    this.#lookingAfter = setInterval(
      () => void this.lookAfterCopies().catch(() => {}),
      MILLISECONDS_BETWEEN_LOOKS_AFTER_COPIES,
    ).unref();
  }

  /** Says which copies are in use here, finds out which are whole, and drops those of earlier versions. */
  async lookAfterCopies(): Promise<void> {
    const { db, shared } = this.#needs;
    await useCopies(
      db,
      models.map((model) => liveCopy(model).schema),
    );
    await this.#findWhole();
    const { [shared ? 'shared' : 'alone']: seconds } = SECONDS_UNTIL_OLD_COPIES_GO;
    for (const model of models) await dropOldCopies(db, model, seconds);
  }

  async #findWhole(): Promise<void> {
    const log = await this.#needs.store.identity();
    const checkpoints = await this.#checkpoints();
    const whole = models.filter((model) => {
      const checkpoint = checkpoints.get(liveCopy(model).schema);
      return checkpoint?.whole && checkpoint.log === log;
    });
    this.#whole = new Set(whole.map(({ name }) => name));
  }

  #checkpoints = () =>
    checkpointsOf(
      this.#needs.db,
      models.map((model) => liveCopy(model).schema),
    );

  /** @throws BeingBuilt */
  #schemaToRead(name: string): string {
    if (!(this.#followed.get(name)?.whole ?? this.#whole.has(name))) {
      // Perhaps another program has finished it: the next question will tell.
      this.#findWhole().catch(() => {});
      throw new BeingBuilt(name);
    }
    return liveCopy(modelOf(name)).schema;
  }

  start(): void {
    for (const name of this.names) void this.follow(name, this.#stopping.signal);
  }

  async follow(name: string, signal: AbortSignal): Promise<void> {
    const projection = new Projection(liveCopy(modelOf(name)), this.#needs);
    this.#followed.set(name, projection);
    try {
      await this.#minded(projection.run(AbortSignal.any([signal, this.#stopping.signal])));
    } finally {
      if (this.#followed.get(name) === projection) this.#followed.delete(name);
    }
  }

  /** What has to be over before the database is closed. */
  async #minded(run: Promise<void>): Promise<void> {
    this.#runs.add(run);
    try {
      await run;
    } finally {
      this.#runs.delete(run);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#lookingAfter);
    this.#stopping.abort();
    await Promise.allSettled(this.#runs);
    await this.#needs.db.destroy();
    this.#closed();
  }

  async waitFor(position: Position, timeoutMilliseconds: number): Promise<boolean> {
    const timeOver = new AbortController();
    const { signal } = timeOver;
    const here = this.names.flatMap((name) => this.#followed.get(name) ?? []);
    const elsewhere = this.names.filter((name) => !this.#followed.has(name));
    const reached = Promise.all([
      ...here.map((projection) => projection.reached(position, signal)),
      this.#reachedElsewhere(elsewhere, position, signal),
    ]);
    const result = await Promise.race([
      reached.then(() => true),
      wait(timeoutMilliseconds, false, { signal }).catch(() => false),
    ]);
    timeOver.abort();
    return result;
  }

  /** Another program follows these, or nobody does yet: what it has done is told by the checkpoints. */
  async #reachedElsewhere(names: readonly string[], position: Position, signal: AbortSignal): Promise<void> {
    const schemas = names.map((name) => liveCopy(modelOf(name)).schema);
    while (schemas.length > 0 && !signal.aborted && !this.#stopping.signal.aborted) {
      const checkpoints = await checkpointsOf(this.#needs.db, schemas);
      if (schemas.every((schema) => (checkpoints.get(schema)?.position ?? BEFORE_FIRST) >= position))
        return this.#findWhole();
      await wait(MILLISECONDS_BETWEEN_LOOKS, undefined, { signal }).catch(() => {});
    }
  }

  async status(): Promise<readonly ReadModelStatus[]> {
    const checkpoints = await this.#checkpoints();
    return Promise.all(
      models.map(async (model) => {
        const { name, version } = model;
        const copy = liveCopy(model);
        const { position = BEFORE_FIRST, paused = false, whole = false } = checkpoints.get(copy.schema) ?? {};
        const followed = this.#followed.get(name);
        return {
          name,
          version,
          position: followed?.position || position,
          parked: await parkedIn(this.#needs.db, copy),
          paused,
          whole,
          rebuiltUpTo: this.#rebuilds.get(name)?.position,
          following: followed && {
            lastError: followed.lastError,
            eventsPerSecond: followed.taken.perSecond,
            eventsTaken: followed.taken.total,
          },
        };
      }),
    );
  }

  async rebuild(name: string, { onProgress, signal }: RebuildOptions = {}): Promise<void> {
    const model = modelOf(name);
    if (this.#rebuilds.has(name)) throw new AlreadyRebuilding(name);
    const rebuild = { cancelled: new AbortController(), position: BEFORE_FIRST };
    const options = {
      signal: AbortSignal.any([rebuild.cancelled.signal, ...(signal ? [signal] : [])]),
      onProgress: (of: string, position: Position) => {
        rebuild.position = position;
        onProgress?.(of, position);
      },
    };
    this.#rebuilds.set(name, rebuild);
    try {
      await this.#minded(this.#buildAnew(model, options));
    } finally {
      this.#rebuilds.delete(name);
    }
  }

  async #buildAnew(model: AnyModel, options: RebuildOptions): Promise<void> {
    const { db, store, renewViews } = this.#needs;
    let target: Position | undefined = await store.head();
    while (target !== undefined) {
      await this.#bring(nextCopy(model), target, options);
      // At rest while it is switched: whoever followed it would find it gone, and begin another.
      target = (await switchCopies(db, model, renewViews)) && (await store.head());
    }
    await this.#findWhole();
  }

  cancelRebuild(name: string): boolean {
    const rebuild = this.#rebuilds.get(modelOf(name).name);
    rebuild?.cancelled.abort(new RebuildCancelled(name));
    return rebuild !== undefined;
  }

  async pause(name: string): Promise<void> {
    await setPaused(this.#needs.db, liveCopy(modelOf(name)), true);
  }

  async resume(name: string): Promise<void> {
    await setPaused(this.#needs.db, liveCopy(modelOf(name)), false);
  }

  retry(name: string): Promise<readonly ParkedStream[]> {
    return retryParked(liveCopy(modelOf(name)), this.#needs);
  }

  async catchUp(options: RebuildOptions = {}): Promise<void> {
    const target = await this.#needs.store.head();
    const checkpoints = await this.#checkpoints();
    for (const { name, schema } of models.map((model) => ({ name: model.name, ...liveCopy(model) })))
      if (checkpoints.get(schema)?.paused) throw new Paused(name);
    for (const model of models) await this.#bring(liveCopy(model), target, options);
    await this.#findWhole();
  }

  /** Brings a copy up to a position. @throws what the signal was aborted with */
  async #bring(copy: Copy, target: Position, { onProgress, signal }: RebuildOptions): Promise<void> {
    const over = new AbortController();
    const projection = new Projection(copy, this.#needs);
    const run = projection.run(AbortSignal.any([over.signal, this.#stopping.signal, ...(signal ? [signal] : [])]));
    const tell = () => onProgress?.(copy.model.name, projection.position);
    const progress = setInterval(tell, MILLISECONDS_BETWEEN_PROGRESS);
    try {
      await Promise.race([projection.reached(target), run]);
    } finally {
      clearInterval(progress);
      over.abort();
      await run;
    }
    signal?.throwIfAborted();
    this.#stopping.signal.throwIfAborted();
    tell();
  }

  analyse(query: string, options: AnalysisOptions): AsyncGenerator<Answer> {
    return analyse(() => this.#needs.connect(options.timeoutSeconds * 1000), query, options);
  }

  async *rowsOf(name: string): AsyncGenerator<object> {
    const { model, schema } = liveCopy(modelOf(name));
    for (const { name, key } of model.tables) {
      const column = sql<string>`${sql.ref(key)} COLLATE "C"`;
      let last: string | undefined;
      do {
        let query = this.#needs.db.selectFrom(`${schema}.${name}`).selectAll().orderBy(column).limit(ROWS_AT_ONCE);
        if (last !== undefined) query = query.where(sql<boolean>`${column} > ${last}`);
        const rows = await query.execute();
        yield* rows;
        last = rows.length < ROWS_AT_ONCE ? undefined : (rows.at(-1) as Record<string, string>)[key];
      } while (last !== undefined);
    }
  }

  digest(name: string): Promise<string> {
    const { model, schema } = liveCopy(modelOf(name));
    const atOneInstant = this.#needs.db.transaction().setIsolationLevel('repeatable read');
    return atOneInstant.execute(async (tx) => {
      const digests: string[] = [];
      for (const { name, key } of model.tables) {
        const from = sql.table(`${schema}.${name}`);
        const column = sql.ref(key);
        // Of rows' digests, not of rows: no text can be longer than 1 GB.
        const { rows } = await sql<{ digest: string }>`
          SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY ${column} COLLATE "C"), '')) AS digest FROM ${from} AS t
        `.execute(tx);
        digests.push((rows[0] as { digest: string }).digest);
      }
      return digests.join('-');
    });
  }
}

const ROWS_AT_ONCE = 1000;

/** @throws UnknownModel */
function modelOf(name: string): AnyModel {
  const model = models.find((one) => one.name === name);
  if (!model) throw new UnknownModel(name);
  return model;
}
