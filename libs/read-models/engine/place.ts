import { isThere, newestThere } from '#event-store/landmarks';
import { BEFORE_FIRST, type EventStore, type Landmark, type Position } from '#event-store/port';
import {
  type Checkpoint,
  type Copy,
  checkpointOf,
  emptyCopy,
  ensureCopy,
  landmarksIn,
  moveCheckpointBack,
  takeEmptyCopy,
} from './copies.ts';
import type { Db } from './model.ts';
import type { RenewViews } from './views.ts';

interface Stores {
  readonly db: Db;
  readonly store: EventStore;
  readonly renewViews: RenewViews;
}

/**
 * The checkpoint of a copy. A copy that does not exist is made. One whose last event is not in the log any more is emptied: it
 * followed another log, or this one was restored from an older copy. One that only passed what was lost goes back.
 */
export async function checkpointToFollow(copy: Copy, { db, store, renewViews }: Stores): Promise<Checkpoint> {
  const log = await store.identity();
  await ensureCopy(db, copy, { log, head: await store.head() });
  await takeEmptyCopy(db, copy, { log, head: await store.head() });
  const checkpoint = (await checkpointOf(db, copy)) as Checkpoint;
  const reason = await reasonToBeginAnew(checkpoint, log, { db, store });
  if (reason !== undefined) {
    console.warn(`leadger: the read model ${copy.model.name} is rebuilt: ${reason}`);
    await emptyCopy(db, copy, { log, head: await store.head() }, renewViews);
    return (await checkpointOf(db, copy)) as Checkpoint;
  }
  const position = await placeToContinue(checkpoint, await landmarksIn(db, checkpoint.log), store);
  if (position === checkpoint.position) return checkpoint;
  await moveCheckpointBack(db, copy, checkpoint, position);
  return (await checkpointOf(db, copy)) as Checkpoint;
}

/**
 * Whether a copy was made of this log. Other versions, and programs that were started on an empty log, name it by another event:
 * then the last events of the copies tell that bear the same name.
 */
export async function isOfLog({ log, seen }: Checkpoint, now: string, { db, store }: Pick<Stores, 'db' | 'store'>) {
  if (log === now || (seen && (await isThere(store, seen)))) return true;
  return (await newestThere(store, await landmarksIn(db, log))).there !== undefined;
}

async function reasonToBeginAnew(
  checkpoint: Checkpoint,
  now: string,
  stores: Pick<Stores, 'db' | 'store'>,
): Promise<string | undefined> {
  const { seen } = checkpoint;
  if (seen && !(await isThere(stores.store, seen)))
    return `the log has no event ${seen.id} any more: an older copy of it was restored, or it is another log`;
  return (await isOfLog(checkpoint, now, stores)) ? undefined : 'it followed another log than this one';
}

/**
 * The position of a checkpoint, or an earlier one where the log was cut before it. A read model that took no event lately has
 * only passed events of others. The last events of all read models tell for it how far the log is the same.
 */
async function placeToContinue(
  { position, seen }: Checkpoint,
  landmarks: readonly Landmark[],
  store: EventStore,
): Promise<Position> {
  if (position === (seen?.position ?? BEFORE_FIRST)) return position;
  const { there = BEFORE_FIRST, isCut } = await newestThere(store, landmarks);
  if (there >= position) return position;
  return isCut || (await store.placeAt(position)).kind === 'none' ? there : position;
}
