import type { AppendReq, BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream, ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import { type EventStore, type ExpectedRevision, type NewEvent, WrongExpectedRevision } from '../port.ts';
import { answersAppends, type ClusterMember } from './cluster-member.ts';
import type { Faults } from './faults.ts';
import * as replies from './replies.ts';
import { expectedOf, nameOf, proposedEvent, uuidOf } from './requests.ts';
import { AccessDenied, batchErrorOf, type GrpcCall, statusOf } from './status.ts';

interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

interface AppendingNode {
  readonly store: EventStore;
  readonly admit: (call: GrpcCall) => void;
  readonly writable: boolean;
  readonly faults: Faults;
  readonly member: ClusterMember;
}

/** Appends the events of clients to a store. */
export class AppendService {
  readonly #node: AppendingNode;

  constructor(node: AppendingNode) {
    this.#node = node;
  }

  async append(call: ServerReadableStream<AppendReq, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> {
    try {
      this.#node.admit(call);
      const result = await this.#append(call, await receive(call));
      if (result !== 'no-reply') answer(null, replies.appended(result));
    } catch (error) {
      if (error instanceof WrongExpectedRevision) answer(null, replies.wrongVersion(error.expected, error.actual));
      else answer(statusOf(error));
    }
  }

  /** One call carries many batches, each in one message or more. Replies come in any order. */
  batchAppend(call: ServerDuplexStream<BatchAppendReq, Buffer>): void {
    try {
      this.#node.admit(call);
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
      const result = await this.#append(call, { stream: header.stream, expected: header.expected, events });
      if (result !== 'no-reply') call.write(replies.batchAppended(header, result));
    } catch (error) {
      const failure = batchErrorOf(error);
      if (failure) call.write(replies.batchFailed(header, failure, (error as Error).message));
      else call.emit('error', statusOf(error));
    }
  }

  async #append(call: GrpcCall, request: AppendRequest): Promise<replies.Appended | 'no-reply'> {
    const { store, writable, faults, member } = this.#node;
    const { stream, events, expected } = request;
    if (!writable) throw new AccessDenied('this node serves a ledger for reading only');
    if (!answersAppends(member, call.metadata)) return 'no-reply';
    const appendToStore = async () => {
      const { revision, position } = await store.append(stream, events, expected);
      return { revision, position: Number(position) };
    };
    return faults.around(appendToStore, { stream, expected });
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
