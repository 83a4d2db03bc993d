import type { EventStoreDBClient, ResolvedEvent } from '@eventstore/db-client';
import type { CutMessage, Position, StreamCut } from '../port.ts';
import { cutsOf } from '../stream-metadata.ts';
import { CAUGHT_UP, subscribe } from './catch-up.ts';
import { finalError } from './failures.ts';
import { positionOf } from './translation.ts';

const METADATA = '$metadata';
const TOMBSTONE = '$streamDeleted';
const METADATA_STREAM = '$$';

/** `$tb` of a deleted stream is 2^63 - 1, which is no number of JavaScript. */
const DELETED = 2 ** 53;

/**
 * What was done to streams after a position, and what is being done: the server writes an event of its own about each.
 * @throws AccessRefused, and the client's errors when the connection breaks
 */
export async function* cutsAfter(
  client: EventStoreDBClient,
  after: Position,
  over: AbortSignal,
): AsyncGenerator<CutMessage> {
  const subscription = subscribe(client, after, { types: [METADATA, TOMBSTONE] });
  const stop = () => subscription.destroy();
  over.addEventListener('abort', stop);
  let position = after;
  try {
    for await (const notice of subscription) {
      if (notice === CAUGHT_UP) yield { kind: 'caught-up', position };
      else {
        position = positionIn(notice) ?? position;
        const cut = 'checkpoint' in notice ? undefined : cutIn(notice);
        if (cut) yield cut;
        yield { kind: 'checkpoint', position };
      }
    }
    if (!over.aborted) throw new Error('the server ended the subscription');
  } catch (error) {
    if (!over.aborted) throw finalError(error) ?? error;
  } finally {
    over.removeEventListener('abort', stop);
    subscription.unsubscribe().catch(() => {});
  }
}

type Notice = Parameters<typeof positionIn>[0];

function positionIn(notice: { checkpoint: Parameters<typeof positionOf>[0] } | ResolvedEvent): Position | undefined {
  if ('checkpoint' in notice) return positionOf(notice.checkpoint);
  return notice.event?.position && positionOf(notice.event.position);
}

function cutIn({ event }: Exclude<Notice, { checkpoint: unknown }>): StreamCut | undefined {
  if (event?.type === TOMBSTONE) return { kind: 'cut', stream: event.streamId, how: 'tombstoned' };
  if (!event?.streamId.startsWith(METADATA_STREAM)) return undefined;
  return { kind: 'cut', stream: event.streamId.slice(METADATA_STREAM.length), how: howOf(event.data) };
}

function howOf(data: unknown): StreamCut['how'] {
  const { $tb = 0, $maxCount, $maxAge } = cutsOf(data);
  if ($tb >= DELETED) return 'deleted';
  return $tb > 0 || $maxCount !== undefined || $maxAge !== undefined ? 'cut' : 'uncut';
}
