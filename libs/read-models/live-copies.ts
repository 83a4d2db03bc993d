import { type Checkpoint, checkpointsOf, dropOldCopies, liveCopy, useCopies } from './engine/copies.ts';
import type { AnyTable } from './engine/model.ts';
import { isOfLog } from './engine/place.ts';
import type { Projection, ProjectionDependencies } from './engine/projection.ts';
import { BeingBuilt } from './errors.ts';
import { modelOf, models, modelWith } from './models.ts';

/** No other version is in use on a database that one program has to itself. */
const SECONDS_UNTIL_OLD_COPIES_GO = { shared: 24 * 3600, alone: 0 };

const schemas = models.map((model) => liveCopy(model).schema);

/** The copies that this program reads: which of them are whole, and where their tables are. */
export class LiveCopies {
  readonly #dependencies: ProjectionDependencies;
  /** The projections of this program, by the name of the model. */
  readonly followed = new Map<string, Projection>();
  /** As the database said when it was read last. */
  #whole: ReadonlySet<string> = new Set();

  constructor(dependencies: ProjectionDependencies) {
    this.#dependencies = dependencies;
  }

  /** Registers that these copies are in use, finds out which are whole, and drops those of other versions. */
  async lookAfter(): Promise<void> {
    const { db, shared } = this.#dependencies;
    await useCopies(db, schemas);
    await this.findWhole();
    const { [shared ? 'shared' : 'alone']: seconds } = SECONDS_UNTIL_OLD_COPIES_GO;
    for (const model of models) await dropOldCopies(db, model, seconds);
  }

  async findWhole(): Promise<void> {
    const log = await this.#dependencies.store.identity();
    const checkpoints = await this.checkpoints();
    const whole = new Set<string>();
    for (const model of models) {
      const checkpoint = checkpoints.get(liveCopy(model).schema);
      if (checkpoint?.whole && (await isOfLog(checkpoint, log, this.#dependencies))) whole.add(model.name);
    }
    this.#whole = whole;
  }

  checkpoints(): Promise<ReadonlyMap<string, Checkpoint>> {
    return checkpointsOf(this.#dependencies.db, schemas);
  }

  /** The qualified name of a table. @throws BeingBuilt */
  nameOf(table: AnyTable): string {
    const model = modelWith(table);
    if (!(this.followed.get(model)?.whole ?? this.#whole.has(model))) {
      // Another program may have finished it: the next query will know.
      this.findWhole().catch(() => {});
      throw new BeingBuilt(model);
    }
    return `${liveCopy(modelOf(model)).schema}.${table.name}`;
  }
}
