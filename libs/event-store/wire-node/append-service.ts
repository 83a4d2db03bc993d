import type { AppendReq, BatchAppendReq, DeleteReq, TombstoneReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream, ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { AppendTooLarge, type ExpectedRevision, type NewEvent, WrongExpectedRevision } from '../port.ts';
import { Batches, type WholeBatch } from './batches.ts';
import { answersAppends, type ClusterMember } from './cluster-member.ts';
import type { Denials } from './denials.ts';
import type { Faults } from './faults.ts';
import * as replies from './replies.ts';
import { expectedOf, proposedEvent, streamOf } from './requests.ts';
import { unexpected } from './server-errors.ts';
import { AccessDenied, batchErrorOf, deleteConflict, type GrpcCall, LARGEST_APPEND_BYTES, statusOf } from './status.ts';
import type { StreamWriter } from './stream-writer.ts';

interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

interface WritingNode {
  readonly writer: StreamWriter;
  readonly admit: (call: GrpcCall) => void;
  readonly writable: boolean;
  readonly faults: Faults;
  readonly denials: Denials;
  readonly member: ClusterMember;
}

/** Appends the events of clients, and deletes streams. */
export class AppendService {
  readonly #node: WritingNode;

  constructor(node: WritingNode) {
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
    const batches = new Batches((header, error) => call.write(replies.batchFailed(header, error)));
    call.on('data', (message: BatchAppendReq) => {
      const whole = batches.add(message);
      if (whole) void this.#finishBatch(call, whole);
    });
    call.on('cancelled', () => batches.clear());
    call.on('error', () => {});
    call.on('end', () => call.end());
  }

  delete(call: ServerUnaryCall<DeleteReq, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> {
    return this.#delete(call, answer, (stream, expected) => this.#node.writer.delete(stream, expected));
  }

  tombstone(call: ServerUnaryCall<TombstoneReq, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> {
    return this.#delete(call, answer, (stream, expected) => this.#node.writer.tombstone(stream, expected));
  }

  async #finishBatch(call: ServerDuplexStream<BatchAppendReq, Buffer>, { header, events }: WholeBatch): Promise<void> {
    try {
      const result = await this.#append(call, { stream: header.stream, expected: header.expected, events });
      if (result !== 'no-reply') call.write(replies.batchAppended(header, result));
    } catch (error) {
      const failure = batchErrorOf(error);
      if (failure) call.write(replies.batchFailed(header, failure));
      else call.emit('error', statusOf(error));
    }
  }

  async #append(call: GrpcCall, request: AppendRequest): Promise<replies.Appended | 'no-reply'> {
    const { stream, events, expected } = request;
    if (!this.#answers(call)) return 'no-reply';
    this.#node.denials.checkAppend(stream);
    return this.#node.faults.around(() => this.#node.writer.append(stream, events, expected), request);
  }

  async #delete(
    call: ServerUnaryCall<DeleteReq | TombstoneReq, Buffer>,
    answer: sendUnaryData<Buffer>,
    write: (stream: string, expected: ExpectedRevision) => Promise<number>,
  ): Promise<void> {
    try {
      this.#node.admit(call);
      const options = call.request.getOptions();
      if (!options) throw unexpected();
      const stream = streamOf(options.getStreamIdentifier());
      const expected = expectedOf(options, options.hasRevision() ? Number(options.getRevision()) : undefined);
      if (this.#answers(call)) answer(null, replies.deleted(await write(stream, expected)));
    } catch (error) {
      answer(statusOf(error instanceof WrongExpectedRevision ? deleteConflict(error) : error));
    }
  }

  /** @throws AccessDenied, NotLeader, ServerNotReady */
  #answers({ metadata }: GrpcCall): boolean {
    if (!this.#node.writable) throw new AccessDenied('this node serves a ledger for reading only');
    return answersAppends(this.#node.member, metadata);
  }
}

async function receive(call: ServerReadableStream<AppendReq, Buffer>): Promise<AppendRequest> {
  let stream: string | undefined;
  let expected: ExpectedRevision = 'any';
  let bytes = 0;
  const events: NewEvent[] = [];
  for await (const message of call as AsyncIterable<AppendReq>) {
    const options = message.getOptions();
    if (options) {
      stream = streamOf(options.getStreamIdentifier());
      expected = expectedOf(options, options.hasRevision() ? Number(options.getRevision()) : undefined);
    }
    const proposed = message.getProposedMessage();
    if (!proposed) continue;
    const event = proposedEvent(proposed);
    events.push(event);
    bytes += event.data.length;
    if (bytes > LARGEST_APPEND_BYTES) throw new AppendTooLarge(`${bytes} bytes`);
  }
  if (stream === undefined) throw unexpected();
  return { stream, expected, events };
}
