import type { AppendReq, BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream, ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import { type EventStore, type ExpectedRevision, type NewEvent, WrongExpectedRevision } from '../port.ts';
import type { Faults } from './faults.ts';
import * as replies from './replies.ts';
import { expectedOf, nameOf, proposedEvent, uuidOf } from './requests.ts';
import { AccessDenied, batchErrorOf, type GrpcCall, statusOf } from './status.ts';

interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** Appends the events of clients to a store. */
export class AppendService {
  readonly #store: EventStore;
  readonly #admit: (call: GrpcCall) => void;
  readonly #writable: boolean;
  readonly #faults: Faults;

  constructor(store: EventStore, admit: (call: GrpcCall) => void, writable: boolean, faults: Faults) {
    this.#store = store;
    this.#admit = admit;
    this.#writable = writable;
    this.#faults = faults;
  }

  async append(call: ServerReadableStream<AppendReq, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> {
    try {
      this.#admit(call);
      const result = await this.#append(await receive(call));
      if (result !== 'no-reply') answer(null, replies.appended(result));
    } catch (error) {
      if (error instanceof WrongExpectedRevision) answer(null, replies.wrongVersion(error.expected, error.actual));
      else answer(statusOf(error));
    }
  }

  /** One call carries many batches, each in one message or more. Replies come in any order. */
  batchAppend(call: ServerDuplexStream<BatchAppendReq, Buffer>): void {
    try {
      this.#admit(call);
    } catch (error) {
      call.emit('error', statusOf(error));
      return;
    }
    const incomplete = new Map<string, Batch>();
    call.on('data', (message: BatchAppendReq) => {
      const complete = addTo(incomplete, message);
      if (complete) void this.#finishBatch(call, complete);
    });
    call.on('error', () => {});
    call.on('end', () => call.end());
  }

  async #finishBatch(call: ServerDuplexStream<BatchAppendReq, Buffer>, { header, events }: Batch): Promise<void> {
    try {
      const result = await this.#append({ stream: header.stream, expected: header.expected, events });
      if (result !== 'no-reply') call.write(replies.batchAppended(header, result));
    } catch (error) {
      const failure = batchErrorOf(error);
      if (failure) call.write(replies.batchFailed(header, failure, (error as Error).message));
      else call.emit('error', statusOf(error));
    }
  }

  async #append({ stream, events, expected }: AppendRequest): Promise<replies.Appended | 'no-reply'> {
    if (!this.#writable) throw new AccessDenied('this node serves a ledger for reading only');
    const appendToStore = async () => {
      const { revision, position } = await this.#store.append(stream, events, expected);
      return { revision, position: Number(position) };
    };
    return this.#faults.around(appendToStore, { stream, expected });
  }
}

async function receive(call: ServerReadableStream<AppendReq, Buffer>): Promise<AppendRequest> {
  let stream = '';
  let expected: ExpectedRevision = 'any';
  const events: NewEvent[] = [];
  for await (const message of call as AsyncIterable<AppendReq>) {
    const options = message.getOptions();
    if (options) {
      stream = nameOf(options.getStreamIdentifier());
      expected = expectedOf(options, options.hasRevision() ? Number(options.getRevision()) : undefined);
    }
    const proposed = message.getProposedMessage();
    if (proposed) events.push(proposedEvent(proposed));
  }
  return { stream, expected, events };
}

interface Batch {
  readonly header: replies.BatchHeader;
  readonly events: NewEvent[];
}

/** @returns the batch when this message completes it; it then is no longer among the incomplete ones */
function addTo(incomplete: Map<string, Batch>, message: BatchAppendReq): Batch | undefined {
  const { id, form } = uuidOf(message.getCorrelationId());
  const options = message.getOptions();
  if (options) {
    const stream = nameOf(options.getStreamIdentifier());
    const revision = options.hasStreamPosition() ? Number(options.getStreamPosition()) : undefined;
    const header = { correlationId: id, uuidForm: form, stream, expected: expectedOf(options, revision) };
    incomplete.set(id, { header, events: [] });
  }
  const batch = incomplete.get(id);
  batch?.events.push(...message.getProposedMessagesList().map(proposedEvent));
  if (!message.getIsFinal()) return undefined;
  incomplete.delete(id);
  return batch;
}
