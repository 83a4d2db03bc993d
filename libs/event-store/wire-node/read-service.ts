import { randomUUID } from 'node:crypto';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { EventStore } from '../port.ts';
import type { Denials } from './denials.ts';
import type { Manners } from './manners.ts';
import { freeWhenIdle, Outgoing } from './outgoing.ts';
import * as replies from './replies.ts';
import { type ReadRequest, readRequestOf } from './requests.ts';
import { type ServedEvent, TOMBSTONE_TYPE } from './served-event.ts';
import { NoRecordThere, type ServedLog } from './served-log.ts';
import type { ServedStreams, StreamState } from './served-streams.ts';
import { failedRead, StreamDeleted, tooSlow, unexpected } from './server-errors.ts';
import { type GrpcCall, statusOf } from './status.ts';

interface ReadingNode {
  readonly store: EventStore;
  readonly log: ServedLog;
  readonly streams: ServedStreams;
  readonly manners: Manners;
  readonly admit: (call: GrpcCall) => void;
  readonly denials: Denials;
  readonly closing: AbortSignal;
}

type StreamRequest = ReadRequest & { readonly stream: string };

/** So many new events wait for a subscriber before it counts as too slow. */
const LIVE_BUFFER = 64;

/** Answers reads and subscriptions of clients. */
export class ReadService {
  readonly #node: ReadingNode;

  constructor(node: ReadingNode) {
    this.#node = node;
  }

  async read(call: ServerWritableStream<ReadReq, Buffer>): Promise<void> {
    const { admit, closing, manners } = this.#node;
    const over = new AbortController();
    call.on('cancelled', () => over.abort());
    const signal = AbortSignal.any([over.signal, closing]);
    try {
      admit(call);
      const out = new Outgoing(call, signal, manners.idleMilliseconds);
      await this.#answer(readRequestOf(call.request), out, signal);
      if (!closing.aborted) {
        call.end();
        freeWhenIdle(call, manners.idleMilliseconds);
      } else call.emit('error', { code: status.UNAVAILABLE, details: 'shutting down' });
    } catch (error) {
      if (!signal.aborted) {
        call.emit('error', statusOf(error));
        freeWhenIdle(call, manners.idleMilliseconds, error);
      } else if (closing.aborted) call.emit('error', { code: status.UNAVAILABLE, details: 'shutting down' });
    }
  }

  async #answer(request: ReadRequest, out: Outgoing, signal: AbortSignal): Promise<void> {
    this.#node.denials.checkRead(request.stream);
    if (request.stream === undefined)
      return request.subscribe ? this.#followAll(request, out, signal) : this.#readAll(request, out, signal);
    const ofStream = { ...request, stream: request.stream };
    return request.subscribe ? this.#followStream(ofStream, out, signal) : this.#readStream(ofStream, out, signal);
  }

  async #readAll(request: ReadRequest, out: Outgoing, signal: AbortSignal): Promise<void> {
    const { from, backwards, count, filter } = request;
    const { log } = this.#node;
    // A server looks for nothing, again and again.
    if (count === 0) return out.nothing();
    let left = count;
    try {
      const events = backwards ? log.backwards({ from, filter, signal }) : log.forwards({ from, filter, signal });
      for await (const event of events) {
        if (signal.aborted) return;
        const written = this.#send(event, request, out);
        if (written) await written;
        left -= 1;
        if (left === 0) return;
      }
    } catch (error) {
      throw error instanceof NoRecordThere ? failedRead(filter ? 'FilteredReadAllResult' : 'ReadAllResult') : error;
    }
  }

  async #readStream(request: StreamRequest, out: Outgoing, signal: AbortSignal): Promise<void> {
    const { stream, from, backwards, count, withEnds } = request;
    if (count === 0 || (from === 'end' && !backwards)) throw failedRead('ReadStreamResult');
    const state = await this.#node.streams.stateOf(stream);
    if (!state.isTombstoned && (state.last < 0 || state.isDeleted)) {
      await out.write(replies.streamNotFound(stream));
      return;
    }
    const first = from === 'start' ? 0 : from === 'end' ? state.last : from;
    const firstSeen = withEnds && !backwards ? firstPosition(state, first, count) : undefined;
    if (firstSeen !== undefined) await out.write(replies.firstStreamPosition(firstSeen));
    const direction = backwards ? 'backwards' : 'forwards';
    const events = this.#node.streams.read(stream, state, { from: first, direction, maxCount: count, signal });
    for await (const event of events) await this.#send(event, request, out);
    if (withEnds) await out.write(replies.lastStreamPosition(state.last));
  }

  async #followAll(request: ReadRequest, out: Outgoing, signal: AbortSignal): Promise<void> {
    const { from, filter, checkpointInterval } = request;
    const { log } = this.#node;
    const messages = log.follow({ from, filter, signal });
    let isConfirmed = false;
    let isLive = false;
    let checkpointAt: number | undefined;
    let seen = 0;
    this.#dropIfSlow(
      out,
      () => isLive,
      () => seen,
    );
    try {
      for await (const message of messages) {
        if (signal.aborted) return;
        // A subscription is confirmed when it can begin where it shall: with its first message.
        if (!isConfirmed) await out.write(replies.confirmation(randomUUID()));
        isConfirmed = true;
        if (message.kind === 'caught-up') {
          if (!isLive) await out.write(replies.caughtUp());
          isLive = true;
          continue;
        }
        seen = message.seen;
        const written = message.kind === 'event' ? this.#send(message.event, request, out) : undefined;
        if (written) await written;
        checkpointAt ??= seen;
        if (!filter || seen - checkpointAt < checkpointInterval) continue;
        checkpointAt = seen;
        await out.write(replies.checkpoint(message.kind === 'event' ? message.event.position : message.position));
      }
    } catch (error) {
      throw error instanceof NoRecordThere ? unexpected() : error;
    }
  }

  async #followStream(request: StreamRequest, out: Outgoing, signal: AbortSignal): Promise<void> {
    const { stream, from } = request;
    const { store, streams, log } = this.#node;
    const after = await store.head();
    const state = await streams.stateOf(stream);
    if (state.isTombstoned) throw new StreamDeleted(stream);
    await out.write(replies.confirmation(randomUUID()));
    // What is hidden begins behind the end, as in a deleted stream: what comes is seen all the same.
    const first = Math.min(state.first, state.last + 1);
    let next = from === 'start' ? first : from === 'end' ? state.last + 1 : from + 1;
    const direction = 'forwards' as const;
    for await (const event of streams.read(stream, state, { from: next, direction, signal })) {
      await this.#send(event, request, out);
      next = Number(event.revision) + 1;
    }
    let isLive = state.last >= 0;
    if (isLive) await out.write(replies.caughtUp());
    let seen = Number(after);
    this.#dropIfSlow(
      out,
      () => isLive,
      () => seen,
    );
    for await (const message of store.subscribe({ after, filter: { streamPrefixes: [stream] }, signal })) {
      if (message.kind === 'event') {
        seen = Number(message.event.position);
        if (message.event.stream !== stream || message.event.revision < next) continue;
        await this.#send(log.served(message.event), request, out);
        if (message.event.type === TOMBSTONE_TYPE) throw new StreamDeleted(stream);
        next = message.event.revision + 1;
      } else {
        seen = Number(message.position);
        // A stream that does not exist yet is caught up with after its first events.
        if (message.kind === 'checkpoint' || isLive || next === 0) continue;
        isLive = true;
        await out.write(replies.caughtUp());
      }
    }
  }

  #dropIfSlow(out: Outgoing, isLive: () => boolean, seen: () => number): void {
    const { log, manners } = this.#node;
    if (!manners.dropsSlowSubscribers) return;
    out.whileBlocked = async () => {
      if (isLive() && (await log.head()) - seen() > LIVE_BUFFER) throw tooSlow();
    };
  }

  #send(event: ServedEvent, { resolveLinks, uuidForm }: ReadRequest, out: Outgoing): Promise<void> | undefined {
    if (resolveLinks && event.type === '$>') return this.#sendTarget(event, uuidForm, out);
    return out.write(replies.readEvent({ event, position: event.position }, uuidForm));
  }

  async #sendTarget(link: ServedEvent, uuidForm: replies.UuidForm, out: Outgoing): Promise<void> {
    const target = await this.#node.streams.target(link);
    const resolved = target === 'no link' ? { event: link } : { event: target, link };
    await out.write(replies.readEvent({ ...resolved, position: link.position }, uuidForm));
  }
}

const EVENTS_PER_PAGE_OF_SERVER = 32;

/** What a server says before the events, when its first page has none. */
function firstPosition({ first, last }: StreamState, from: number, count: number): number | undefined {
  const page = Math.min(count, EVENTS_PER_PAGE_OF_SERVER);
  if (from > last || first > last) return from === last + 1 ? undefined : last + 1;
  return first < from + page ? undefined : first;
}
