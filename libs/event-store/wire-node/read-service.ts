import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { BEFORE_FIRST, type EventStore, type Position, type RecordedEvent } from '../port.ts';
import * as replies from './replies.ts';
import { type ReadRequest, readRequestOf } from './requests.ts';
import { type GrpcCall, statusOf } from './status.ts';

/** Answers reads and subscriptions of clients from a store. */
export class ReadService {
  readonly #store: EventStore;
  readonly #admit: (call: GrpcCall) => void;
  readonly #closing: AbortSignal;

  constructor(store: EventStore, admit: (call: GrpcCall) => void, closing: AbortSignal) {
    this.#store = store;
    this.#admit = admit;
    this.#closing = closing;
  }

  async read(call: ServerWritableStream<ReadReq, Buffer>): Promise<void> {
    const over = new AbortController();
    call.on('cancelled', () => over.abort());
    const signal = AbortSignal.any([over.signal, this.#closing]);
    try {
      this.#admit(call);
      const request = readRequestOf(call.request);
      for await (const reply of this.#replies(request, signal)) {
        if (signal.aborted) break;
        if (!call.write(reply)) await once(call, 'drain', { signal });
      }
      call.end();
    } catch (error) {
      if (!signal.aborted) call.emit('error', statusOf(error));
      else if (this.#closing.aborted) call.emit('error', { code: status.UNAVAILABLE, details: 'shutting down' });
    }
  }

  #replies(request: ReadRequest, signal: AbortSignal): AsyncIterable<Buffer> {
    if (request.stream === undefined)
      return request.subscribe ? this.#followAll(request, signal) : this.#readAll(request, signal);
    return request.subscribe
      ? this.#followStream(request, request.stream, signal)
      : this.#readStream(request, request.stream, signal);
  }

  async *#readStream({ from, backwards, count, uuidForm }: ReadRequest, stream: string, signal: AbortSignal) {
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

  /** Forwards at a position, backwards before it. Position 0 is before the first event. */
  async *#readAll({ from, backwards, count, uuidForm }: ReadRequest, signal: AbortSignal) {
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

  /** The log of a server begins with an event of the server itself. Its id identifies the log. */
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

  async *#followAll({ from, filter, uuidForm }: ReadRequest, signal: AbortSignal) {
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

  async *#followStream({ from, uuidForm }: ReadRequest, stream: string, signal: AbortSignal) {
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
}

const positionOf = (number: number): Position =>
  number === 0 ? BEFORE_FIRST : (String(number).padStart(16, '0') as Position);
