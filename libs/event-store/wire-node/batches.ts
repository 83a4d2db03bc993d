import type { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { NewEvent } from '../port.ts';
import type { BatchError, BatchHeader } from './replies.ts';
import { expectedOf, nameOf, proposedEvent, streamOf, uuidOf } from './requests.ts';
import { serverTime } from './server-clock.ts';
import { BadRequest } from './server-errors.ts';
import { LARGEST_APPEND_BYTES } from './status.ts';

export interface WholeBatch {
  readonly header: BatchHeader;
  readonly events: readonly NewEvent[];
}

interface Batch {
  readonly header: BatchHeader;
  readonly events: NewEvent[];
  readonly deadline: number;
  bytes: number;
  timer?: NodeJS.Timeout;
}

type Options = NonNullable<ReturnType<BatchAppendReq['getOptions']>>;

/** The batches of one call that have begun and are not whole yet. */
export class Batches {
  readonly #incomplete = new Map<string, Batch>();
  readonly #refuse: (header: BatchHeader, error: BatchError) => void;

  constructor(refuse: (header: BatchHeader, error: BatchError) => void) {
    this.#refuse = refuse;
  }

  /** @returns the batch when this message completes it. A batch that is refused is forgotten */
  add(message: BatchAppendReq): WholeBatch | undefined {
    const { id, form } = uuidOf(message.getCorrelationId());
    const header = { correlationId: id, uuidForm: form };
    try {
      const options = message.getOptions();
      if (options && !this.#begin(header, options)) return undefined;
      const batch = this.#incomplete.get(id);
      if (!batch || !this.#addEvents(batch, message)) return undefined;
      if (message.getIsFinal()) return this.#forget(id);
      batch.timer ??= setTimeout(() => this.#expire(id), batch.deadline - serverTime());
      return undefined;
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.#forget(id);
      const stream = nameOf(message.getOptions()?.getStreamIdentifier());
      this.#refuse({ ...header, stream, expected: 'any' }, { kind: 'BadRequest', message: error.message });
      return undefined;
    }
  }

  clear(): void {
    for (const id of this.#incomplete.keys()) this.#forget(id);
  }

  #begin(call: Pick<BatchHeader, 'correlationId' | 'uuidForm'>, options: Options): boolean {
    const revision = options.hasStreamPosition() ? Number(options.getStreamPosition()) : undefined;
    const stream = streamOf(options.getStreamIdentifier());
    const header = { ...call, stream, expected: expectedOf(options, revision) };
    const deadline = deadlineOf(options);
    if (deadline <= serverTime()) {
      this.#refuse(header, { kind: 'Timeout' });
      return false;
    }
    this.#incomplete.set(call.correlationId, { header, events: [], deadline, bytes: 0 });
    return true;
  }

  #addEvents(batch: Batch, message: BatchAppendReq): boolean {
    for (const proposed of message.getProposedMessagesList()) {
      const event = proposedEvent(proposed);
      batch.events.push(event);
      batch.bytes += event.data.length;
    }
    if (batch.bytes <= LARGEST_APPEND_BYTES) return true;
    this.#forget(batch.header.correlationId);
    this.#refuse(batch.header, { kind: 'MaximumAppendSizeExceeded', bytes: LARGEST_APPEND_BYTES });
    return false;
  }

  #expire(id: string): void {
    const batch = this.#forget(id);
    if (batch) this.#refuse(batch.header, { kind: 'Timeout' });
  }

  #forget(id: string): Batch | undefined {
    const batch = this.#incomplete.get(id);
    clearTimeout(batch?.timer);
    this.#incomplete.delete(id);
    return batch;
  }
}

/** No batch waits longer for the rest of it. */
const LONGEST_MILLISECONDS = 60_000;

/** When the batch is not written any more, in milliseconds since 1970. */
function deadlineOf(options: Options): number {
  const latest = serverTime() + LONGEST_MILLISECONDS;
  return Math.min(latest, options.getDeadline()?.toDate().getTime() ?? latest);
}
