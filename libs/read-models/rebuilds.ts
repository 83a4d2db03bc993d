import { BEFORE_FIRST, NoSuchPosition, type Position } from '#event-store/port';
import { type Copy, liveCopy, nextCopy, switchCopies, type VersionedModel } from './engine/copies.ts';
import { checkpointToFollow } from './engine/place.ts';
import { Projection, type ProjectionDependencies } from './engine/projection.ts';
import { AlreadyRebuilding, RebuildCancelled } from './errors.ts';

export interface RebuildOptions {
  /** Called with the position of the model that is being built. */
  readonly onProgress?: (name: string, reached: Position) => void;
  /** Aborted, it rejects with the signal's reason and leaves the live model as it is. */
  readonly signal?: AbortSignal;
}

const MILLISECONDS_BETWEEN_PROGRESS = 500;

interface Rebuild {
  readonly cancelled: AbortController;
  position: Position;
}

/** The rebuilds that this program runs, by the name of the model. */
export class Rebuilds {
  readonly #dependencies: ProjectionDependencies;
  readonly #stopping: AbortSignal;
  readonly #running = new Map<string, Rebuild>();

  constructor(dependencies: ProjectionDependencies, stopping: AbortSignal) {
    this.#dependencies = dependencies;
    this.#stopping = stopping;
  }

  positionOf(name: string): Position | undefined {
    return this.#running.get(name)?.position;
  }

  /** @throws AlreadyRebuilding, RebuildCancelled */
  async run(model: VersionedModel, { onProgress, signal }: RebuildOptions): Promise<void> {
    const { name } = model;
    if (this.#running.has(name)) throw new AlreadyRebuilding(name);
    const rebuild: Rebuild = { cancelled: new AbortController(), position: BEFORE_FIRST };
    this.#running.set(name, rebuild);
    try {
      await this.#buildNext(model, {
        signal: AbortSignal.any([rebuild.cancelled.signal, ...(signal ? [signal] : [])]),
        onProgress: (of, position) => {
          rebuild.position = position;
          onProgress?.(of, position);
        },
      });
    } finally {
      this.#running.delete(name);
    }
  }

  cancel(name: string): boolean {
    const rebuild = this.#running.get(name);
    rebuild?.cancelled.abort(new RebuildCancelled(name));
    return rebuild !== undefined;
  }

  async #buildNext(model: VersionedModel, options: RebuildOptions): Promise<void> {
    const { db, store, renewViews } = this.#dependencies;
    let target: Position | undefined = await store.head();
    while (target !== undefined) {
      await this.bring(nextCopy(model), target, options);
      // Nothing follows it while it is switched: a follower would find it missing and begin another.
      target = (await switchCopies(db, model, renewViews)) && (await this.#placeOfLive(model));
    }
  }

  /** Where the rebuild has to get before it can replace the live copy. That one may stand where the log has lost its end. */
  async #placeOfLive(model: VersionedModel): Promise<Position> {
    await checkpointToFollow(liveCopy(model), this.#dependencies);
    return this.#dependencies.store.head();
  }

  /**
   * Brings a copy to a position, or to the present end of a log that was restored meanwhile and has it no more.
   * @throws the reason of the signal
   */
  async bring(copy: Copy, target: Position, { onProgress, signal }: RebuildOptions): Promise<void> {
    const over = new AbortController();
    const projection = new Projection(copy, this.#dependencies);
    const run = projection.run(AbortSignal.any([over.signal, this.#stopping, ...(signal ? [signal] : [])]));
    const report = () => onProgress?.(copy.model.name, projection.position);
    const progress = setInterval(report, MILLISECONDS_BETWEEN_PROGRESS);
    try {
      await Promise.race([this.#reached(projection, target), run]);
    } finally {
      clearInterval(progress);
      over.abort();
      await run;
    }
    signal?.throwIfAborted();
    this.#stopping.throwIfAborted();
    report();
  }

  async #reached(projection: Projection, target: Position): Promise<void> {
    try {
      await projection.reached(target);
    } catch (error) {
      if (!(error instanceof NoSuchPosition)) throw error;
      await this.#reached(projection, await this.#dependencies.store.head());
    }
  }
}
