import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CamelCasePlugin, Kysely, sql } from 'kysely';
import { type EventStore, EventStoreError, type Position } from '#event-store/port';
import type { Db } from './engine/model.ts';
import { PgliteDialect, PgliteThread } from './engine/pglite.ts';
import { type AnyModel, createCheckpoints, emptyCopy, Projection, type ProjectionStatus } from './engine/projection.ts';
import { customers } from './models/customers.ts';
import { leads } from './models/leads.ts';
import { orders } from './models/orders.ts';
import { programmes } from './models/programmes.ts';
import { replacements } from './models/replacements.ts';
import { Queries } from './queries.ts';

const models: readonly AnyModel[] = [customers, orders, programmes, leads, replacements];

export interface ReadModels {
  readonly queries: Queries;
  /** Begins to follow the log. */
  start(): void;
  /** Ends what is under way and closes the database. */
  stop(): Promise<void>;
  /** Resolves true when every model reflects a position, false when the time is over before. */
  waitFor(position: Position, timeoutMilliseconds: number): Promise<boolean>;
  status(): readonly ProjectionStatus[];
  /** Builds a model anew beside the live one, and puts it in its place. @throws UnknownModel */
  rebuild(name: string, onProgress?: (reached: Position) => void): Promise<void>;
  /** MD5 over all rows of a model in the order of their keys. Equal for equal rows. @throws UnknownModel */
  digest(name: string): Promise<string>;
  readonly names: readonly string[];
}

export class UnknownModel extends EventStoreError {
  constructor(name: string) {
    super(
      'unknown-read-model',
      `there is no read model ${name}: there are ${models.map((model) => model.name).join(', ')}`,
    );
  }
}

export interface ReadModelsOptions {
  readonly store: EventStore;
  /** Undefined: in memory. */
  readonly directory?: string;
}

/**
 * Opens the read models. All they hold can be computed again from the log, so a database that cannot be trusted (damaged,
 * or written last before the machine went down) is thrown away and built anew.
 */
export async function openReadModels({ store, directory }: ReadModelsOptions): Promise<ReadModels> {
  const thread = await openDatabase(directory);
  const db: Db = new Kysely({
    dialect: new PgliteDialect(thread),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  try {
    await createCheckpoints(db);
    const projections = new Map<string, Projection>();
    for (const model of models) projections.set(model.name, await resume(model, { db, store }));
    return new PgliteReadModels(db, store, projections, () => directory && leaveCleanly(directory));
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

class PgliteReadModels implements ReadModels {
  readonly queries: Queries;
  readonly names = models.map(({ name }) => name);
  readonly #db: Db;
  readonly #store: EventStore;
  readonly #projections: Map<string, Projection>;
  readonly #closed: () => void;
  #started = false;

  constructor(db: Db, store: EventStore, projections: Map<string, Projection>, closed: () => void) {
    this.#db = db;
    this.#store = store;
    this.#projections = projections;
    this.#closed = closed;
    this.queries = new Queries(db, (model) => this.#projection(model).schema);
  }

  start(): void {
    this.#started = true;
    for (const projection of this.#projections.values()) projection.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#projections.values()].map((projection) => projection.stop()));
    await this.#db.destroy();
    this.#closed();
  }

  async waitFor(position: Position, timeoutMilliseconds: number): Promise<boolean> {
    const timeOver = new AbortController();
    const { signal } = timeOver;
    const reached = Promise.all(
      [...this.#projections.values()].map((projection) => projection.reached(position, signal)),
    );
    const result = await Promise.race([
      reached.then(() => true),
      wait(timeoutMilliseconds, false, { signal }).catch(() => false),
    ]);
    timeOver.abort();
    return result;
  }

  status = () => [...this.#projections.values()].map((projection) => projection.status());

  async rebuild(name: string, onProgress: (reached: Position) => void = () => {}): Promise<void> {
    const live = this.#projection(name);
    const schema = otherSchema(live.schema);
    const copy = await emptyCopy(live.model, schema, { db: this.#db, store: this.#store });
    copy.start();
    const progress = setInterval(() => onProgress(copy.status().position), 500);
    try {
      await copy.reached(await this.#store.head());
      // The last events before the switch: both are at rest then, and at the same place.
      await live.stop();
      await copy.reached(live.status().position);
      await copy.stop();
    } finally {
      clearInterval(progress);
    }
    const { position } = copy.status();
    await saveLive({ db: this.#db, store: this.#store }, live.model, schema, position);
    const projection = new Projection(live.model, schema, position, { db: this.#db, store: this.#store });
    this.#projections.set(name, projection);
    if (this.#started) projection.start();
    onProgress(position);
    await sql`DROP SCHEMA IF EXISTS ${sql.id(live.schema)} CASCADE`.execute(this.#db);
  }

  async digest(name: string): Promise<string> {
    const { model, schema } = this.#projection(name);
    const digests: string[] = [];
    for (const { name, key } of model.tables) {
      const from = sql.table(`${schema}.${name}`);
      const column = sql.ref(key);
      const { rows } = await sql<{ digest: string }>`
        SELECT md5(coalesce(string_agg(t::text, E'\n' ORDER BY ${column} COLLATE "C"), '')) AS digest FROM ${from} AS t
      `.execute(this.#db);
      digests.push((rows[0] as { digest: string }).digest);
    }
    return digests.join('-');
  }

  #projection(name: string): Projection {
    const projection = this.#projections.get(name);
    if (!projection) throw new UnknownModel(name);
    return projection;
  }
}

/** The live copy of a model, where this version of the program can go on with it; an empty one otherwise. */
async function resume(model: AnyModel, needs: { db: Db; store: EventStore }): Promise<Projection> {
  const { db, store } = needs;
  const log = await store.identity();
  const saved = (await db.selectFrom('checkpoints').selectAll().where('model', '=', model.name).executeTakeFirst()) as
    | { version: number; schema: string; position: Position; log: string }
    | undefined;
  const head = await store.head();
  const reason = saved && reasonToBeginAnew(saved, { model, log, head });
  if (saved && reason === undefined) return new Projection(model, saved.schema, saved.position, needs);
  if (reason) console.warn(`leadger: the read model ${model.name} is built anew: ${reason}`);
  const schema = saved ? otherSchema(saved.schema) : `${model.name}_a`;
  const projection = await emptyCopy(model, schema, needs);
  await saveLive(needs, model, schema, projection.status().position);
  if (saved) await sql`DROP SCHEMA IF EXISTS ${sql.id(saved.schema)} CASCADE`.execute(db);
  return projection;
}

function reasonToBeginAnew(
  saved: { version: number; position: Position; log: string },
  { model, log, head }: { model: AnyModel; log: string; head: Position },
): string | undefined {
  if (saved.version !== model.version) return `it was of version ${saved.version}, this is version ${model.version}`;
  if (saved.log !== log) return 'it followed another log than this one';
  if (saved.position > head) return 'it is ahead of the log, which was restored from an older copy';
  return undefined;
}

async function saveLive(
  { db, store }: { db: Db; store: EventStore },
  model: AnyModel,
  schema: string,
  position: Position,
): Promise<void> {
  const live = { version: model.version, schema, position, log: await store.identity() };
  await db
    .insertInto('checkpoints')
    .values({ model: model.name, ...live })
    .onConflict((conflict) => conflict.column('model').doUpdateSet(live))
    .execute();
}

const otherSchema = (schema: string): string => `${schema.slice(0, -2)}${schema.endsWith('_a') ? '_b' : '_a'}`;

/**
 * PGlite writes without fsync: after a crash of the program its files are whole, after a crash of the machine they may be
 * anything. A mark tells in which life of the machine they were written last.
 */
async function openDatabase(directory: string | undefined): Promise<PgliteThread> {
  if (directory === undefined) return PgliteThread.start(undefined);
  const files = join(directory, 'pglite');
  if (existsSync(files) && writtenBeforeTheMachineWentDown(directory)) {
    console.warn(`leadger: the machine went down while ${files} was written: it is built anew from the log`);
    rmSync(files, { recursive: true });
  }
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'in-use'), lifeOfTheMachine());
  try {
    return await PgliteThread.start(files);
  } catch (error) {
    console.warn(`leadger: ${files} cannot be opened (${(error as Error).message}): it is built anew from the log`);
    rmSync(files, { recursive: true, force: true });
    return PgliteThread.start(files);
  }
}

function writtenBeforeTheMachineWentDown(directory: string): boolean {
  const mark = join(directory, 'in-use');
  return existsSync(mark) && readFileSync(mark, 'utf8') !== lifeOfTheMachine();
}

const leaveCleanly = (directory: string): void => rmSync(join(directory, 'in-use'), { force: true });

/** Where the system does not tell, no two lives are the same: better built anew too often than trusted once too often. */
function lifeOfTheMachine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  } catch {
    return crypto.randomUUID();
  }
}
