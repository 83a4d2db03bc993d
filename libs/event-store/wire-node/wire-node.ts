import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import * as serverFeatures from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import * as streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { AppendReq, BatchAppendReq, ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import {
  type AppendResult,
  AppendTooLarge,
  BadEvent,
  BEFORE_FIRST,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  OutcomeUnknown,
  type Position,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../port.ts';
import { type Fault, Faults } from './faults.ts';
import { NotLeader } from './not-leader.ts';
import { expectedOf, nameOf, proposedEvent, type ReadOrder, readOrderOf, uuidOf } from './orders.ts';
import * as replies from './replies.ts';

export interface WireNodeOptions {
  readonly store: EventStore;
  /** 0: any that is free. */
  readonly port?: number;
  /** Default: loopback only. */
  readonly host?: string;
  /** Without it every append is refused. */
  readonly writable?: boolean;
  /** PEM. Without it nothing is encrypted. */
  readonly tls?: { readonly certificate: Buffer; readonly privateKey: Buffer };
  /** The one account there is; without it whoever comes is let in. */
  readonly account?: { readonly user: string; readonly password: string };
}

export interface WireNode {
  readonly port: number;
  /** For clients: `esdb://…?tls=false`. */
  readonly connectionString: string;
  /** For tests: what the next append does instead of what it should. Several wait in line. */
  misbehave(fault: Fault): void;
  /** For tests: all connections end at once, and clients may come back. */
  dropConnections(): void;
  /** The store stays open. */
  close(): Promise<void>;
}

/** What the node calls itself. Clients ask for versions before they use what is newer. */
const VERSION = '24.10.0.0 leadger';
const LARGEST_MESSAGE_BYTES = 17 * 1024 * 1024;

/**
 * A node that speaks EventStoreDB's protocol over an event store of ours: Streams (read, append, batch append,
 * subscriptions) and ServerFeatures. Any client of EventStoreDB can read and follow the ledger of one machine.
 */
export async function startWireNode({
  store,
  port = 0,
  host = '127.0.0.1',
  writable = false,
  tls,
  account,
}: WireNodeOptions) {
  const node = new Node(store, writable, account);
  const server = new Server({ 'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES });
  server.addService(answeringBytes(streams.StreamsService), {
    read: (call: ServerWritableStream<ReadReq, Buffer>) => void node.read(call),
    append: (call: ServerReadableStream<AppendReq, Buffer>, answer: sendUnaryData<Buffer>) =>
      void node.append(call, answer),
    batchAppend: (call: ServerDuplexStream<BatchAppendReq, Buffer>) => node.batchAppend(call),
  });
  server.addService(answeringBytes(serverFeatures.ServerFeaturesService), {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<Buffer>) =>
      answer(null, replies.supportedMethods(VERSION, METHODS)),
  });
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.privateKey }])
    : ServerCredentials.createInsecure();
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${host}:${port}`, credentials, (error, actual) => (error ? reject(error) : resolve(actual))),
  );
  const address = `${host}:${bound}`;
  return {
    port: bound,
    connectionString: `esdb://${address}?tls=${tls !== undefined}`,
    misbehave: (fault) => node.faults.add(fault),
    dropConnections: () => server.drain(address, 0),
    async close() {
      node.close();
      server.forceShutdown();
    },
  } satisfies WireNode;
}

const METHODS = ['read', 'append', 'batchappend'].map(
  (method) => ['event_store.client.streams.streams', method] as const,
);

/** The service with replies that are bytes already: encoding them through objects is what takes a server its time. */
function answeringBytes(service: object): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service as ServiceDefinition).map(([name, method]) => [
      name,
      { ...method, responseSerialize: (bytes: Buffer) => bytes },
    ]),
  );
}

class Node {
  readonly faults = new Faults();
  readonly #store: EventStore;
  readonly #writable: boolean;
  readonly #authorization: string | undefined;
  readonly #closing = new AbortController();

  constructor(store: EventStore, writable: boolean, account: WireNodeOptions['account']) {
    this.#store = store;
    this.#writable = writable;
    this.#authorization = account && `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}`;
  }

  /** @throws AccessDenied */
  #letIn({ metadata }: { readonly metadata: Metadata }): void {
    if (this.#authorization === undefined || metadata.get('authorization')[0] === this.#authorization) return;
    throw new AccessDenied('this node knows no such account');
  }

  close(): void {
    this.#closing.abort();
    this.faults.clear();
  }

  async read(call: ServerWritableStream<ReadReq, Buffer>): Promise<void> {
    const over = new AbortController();
    call.on('cancelled', () => over.abort());
    const signal = AbortSignal.any([over.signal, this.#closing.signal]);
    try {
      this.#letIn(call);
      const order = readOrderOf(call.request);
      for await (const reply of this.#replies(order, signal)) {
        if (signal.aborted) break;
        if (!call.write(reply)) await once(call, 'drain', { signal });
      }
      call.end();
    } catch (error) {
      if (!signal.aborted) call.emit('error', statusOf(error));
      else if (this.#closing.signal.aborted) call.emit('error', { code: status.UNAVAILABLE, details: 'shutting down' });
    }
  }

  #replies(order: ReadOrder, signal: AbortSignal): AsyncIterable<Buffer> {
    if (order.stream === undefined)
      return order.subscribe ? this.#followAll(order, signal) : this.#readAll(order, signal);
    return order.subscribe
      ? this.#followStream(order, order.stream, signal)
      : this.#readStream(order, order.stream, signal);
  }

  async *#readStream({ from, backwards, count, uuidForm }: ReadOrder, stream: string, signal: AbortSignal) {
    let found = false;
    const options = { direction: backwards ? ('backwards' as const) : ('forwards' as const), maxCount: count, signal };
    const first = from === undefined || from === 'end' ? {} : { from };
    for await (const event of this.#store.readStream(stream, { ...options, ...first })) {
      found = true;
      yield replies.readEvent(event, uuidForm);
    }
    if (!found && !(await this.#exists(stream))) yield replies.streamNotFound(stream);
  }

  async #exists(stream: string): Promise<boolean> {
    for await (const _ of this.#store.readStream(stream, { maxCount: 1 })) return true;
    return false;
  }

  /** Forwards at a position, backwards before it. Position 0 stands before the first event. */
  async *#readAll({ from, backwards, count, uuidForm }: ReadOrder, signal: AbortSignal) {
    if (from === 'end' && !backwards) return;
    if (count === 0) return;
    if (!backwards && !from) yield replies.readEvent(await this.#firstEvent(), uuidForm);
    const at = typeof from === 'number' ? from : undefined;
    if (backwards && at === 0) return;
    const after = at === undefined ? {} : { after: positionOf(backwards ? at : Math.max(at - 1, 0)) };
    const direction = backwards ? 'backwards' : 'forwards';
    const left = !backwards && !from ? count - 1 : count;
    for await (const event of this.#store.readAll({ direction, maxCount: left, signal, ...after }))
      yield replies.readEvent(event, uuidForm);
  }

  /** A server's log begins with an event of its own, by whose id one log is told from another. */
  async #firstEvent(): Promise<RecordedEvent> {
    return {
      stream: '$identity',
      revision: 0,
      id: await this.#store.identity(),
      type: '$identity',
      data: new Uint8Array(0),
      metadata: new Uint8Array(0),
      position: '0' as Position,
      recordedAt: new Date(0).toISOString(),
    };
  }

  async *#followAll({ from, filter, uuidForm }: ReadOrder, signal: AbortSignal) {
    yield replies.confirmation(randomUUID());
    const after = from === 'end' ? await this.#store.head() : positionOf(from ?? 0);
    const options = { after, signal, ...(filter?.ofStore && { filter: filter.ofStore }) };
    let live = false;
    for await (const message of this.#store.subscribe(options)) {
      if (message.kind === 'event') {
        if (!filter || filter.passes(message.event)) yield replies.readEvent(message.event, uuidForm);
      } else if (message.kind === 'caught-up') {
        if (!live) yield replies.caughtUp();
        live = true;
      } else if (filter) yield replies.checkpoint(Number(message.position));
    }
  }

  async *#followStream({ from, uuidForm }: ReadOrder, stream: string, signal: AbortSignal) {
    yield replies.confirmation(randomUUID());
    let next = from === 'end' ? await this.#lengthOf(stream) : from === undefined ? 0 : from + 1;
    let live = false;
    const options = { after: await this.#store.head(), filter: { streamPrefixes: [stream] }, signal };
    for await (const message of this.#store.subscribe(options)) {
      if (message.kind === 'event' && message.event.stream !== stream) continue;
      for await (const event of this.#store.readStream(stream, { from: next, signal })) {
        yield replies.readEvent(event, uuidForm);
        next = event.revision + 1;
      }
      if (message.kind === 'caught-up' && !live) {
        live = true;
        yield replies.caughtUp();
      }
    }
  }

  async #lengthOf(stream: string): Promise<number> {
    for await (const { revision } of this.#store.readStream(stream, { direction: 'backwards', maxCount: 1 }))
      return revision + 1;
    return 0;
  }

  async append(call: ServerReadableStream<AppendReq, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> {
    let stream = '';
    let expected: ExpectedRevision = 'any';
    const events: NewEvent[] = [];
    try {
      this.#letIn(call);
      for await (const request of call as AsyncIterable<AppendReq>) {
        const options = request.getOptions();
        if (options) {
          stream = nameOf(options.getStreamIdentifier());
          expected = expectedOf(options, options.hasRevision() ? Number(options.getRevision()) : undefined);
        }
        const proposed = request.getProposedMessage();
        if (proposed) events.push(proposedEvent(proposed));
      }
      const outcome = await this.#appendUnlessFaulty(stream, events, expected);
      if (outcome === 'silence') return;
      answer(null, replies.appended(outcome));
    } catch (error) {
      if (error instanceof WrongExpectedRevision) answer(null, replies.wrongVersion(expected, error.actual));
      else answer(statusOf(error));
    }
  }

  batchAppend(call: ServerDuplexStream<BatchAppendReq, Buffer>): void {
    try {
      this.#letIn(call);
    } catch (error) {
      call.emit('error', statusOf(error));
      return;
    }
    const open = new Map<string, { batch: replies.Batch; events: NewEvent[] }>();
    call.on('data', (request: BatchAppendReq) => {
      const { id, form } = uuidOf(request.getCorrelationId());
      const options = request.getOptions();
      if (options) {
        const stream = nameOf(options.getStreamIdentifier());
        const position = options.hasStreamPosition() ? Number(options.getStreamPosition()) : undefined;
        const expected = expectedOf(options, position);
        open.set(id, { batch: { correlationId: id, uuidForm: form, stream, expected }, events: [] });
      }
      const entry = open.get(id);
      if (!entry) return;
      for (const proposed of request.getProposedMessagesList()) entry.events.push(proposedEvent(proposed));
      if (!request.getIsFinal()) return;
      open.delete(id);
      void this.#finishBatch(call, entry.batch, entry.events);
    });
    call.on('error', () => {});
    call.on('end', () => call.end());
  }

  async #finishBatch(call: ServerDuplexStream<BatchAppendReq, Buffer>, batch: replies.Batch, events: NewEvent[]) {
    try {
      const outcome = await this.#appendUnlessFaulty(batch.stream, events, batch.expected);
      if (outcome !== 'silence') call.write(replies.batchAppended(batch, outcome));
    } catch (error) {
      const failure = batchErrorOf(error);
      if (failure) call.write(replies.batchFailed(batch, failure, (error as Error).message));
      else call.emit('error', statusOf(error));
    }
  }

  async #appendUnlessFaulty(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<replies.Appended | 'silence'> {
    if (!this.#writable) throw new AccessDenied('this node serves a ledger for reading only');
    const appendIt = async () => repliedResult(await this.#store.append(stream, events, expected));
    return this.faults.around(appendIt, { stream, expected });
  }
}

/** This node was started for reading, or for others. */
class AccessDenied extends Error {}

const repliedResult = ({ revision, position }: AppendResult): replies.Appended => ({
  revision,
  position: Number(position),
});

const positionOf = (number: number): Position =>
  number === 0 ? BEFORE_FIRST : (String(number).padStart(16, '0') as Position);

function batchErrorOf(error: unknown): replies.BatchError | undefined {
  if (error instanceof WrongExpectedRevision) return { kind: 'WrongExpectedVersion', actual: error.actual };
  if (error instanceof AppendTooLarge) return { kind: 'MaximumAppendSizeExceeded', bytes: 1024 * 1024 };
  if (error instanceof AccessDenied) return { kind: 'AccessDenied' };
  if (error instanceof OutcomeUnknown) return { kind: 'Timeout' };
  if (error instanceof BadEvent) return { kind: 'Unknown' };
  return undefined;
}

/** An error as a status with the trailers that EventStoreDB sends. */
function statusOf(error: unknown): { code: status; details: string; metadata?: Metadata } {
  const details = error instanceof Error ? error.message : String(error);
  const exception = (name: string, more: Readonly<Record<string, string>> = {}): Metadata => {
    const metadata = new Metadata();
    metadata.set('exception', name);
    for (const [key, value] of Object.entries(more)) metadata.set(key, value);
    return metadata;
  };
  if (error instanceof AccessDenied)
    return { code: status.PERMISSION_DENIED, details, metadata: exception('access-denied') };
  if (error instanceof AppendTooLarge) {
    const metadata = exception('maximum-append-size-exceeded', { 'maximum-append-size': String(1024 * 1024) });
    return { code: status.INVALID_ARGUMENT, details, metadata };
  }
  if (error instanceof NotLeader) {
    const { host, port } = error.leader;
    const metadata = exception('not-leader', { 'leader-endpoint-host': host, 'leader-endpoint-port': String(port) });
    return { code: status.NOT_FOUND, details, metadata };
  }
  if (error instanceof BadEvent) return { code: status.INVALID_ARGUMENT, details };
  if (error instanceof OutcomeUnknown) return { code: status.ABORTED, details };
  return { code: status.UNAVAILABLE, details };
}
