import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { ServerError } from './server-errors.ts';

const MILLISECONDS_BETWEEN_LOOKS = 100;

/** The replies of one call, written no faster than its client reads them. */
export class Outgoing {
  readonly #call: ServerWritableStream<unknown, Buffer>;
  readonly #signal: AbortSignal;
  readonly #idleMilliseconds: number;
  /** Asked while the client does not read. It throws when the client shall be dropped. */
  whileBlocked: () => Promise<void> = async () => {};

  constructor(call: ServerWritableStream<unknown, Buffer>, signal: AbortSignal, idleMilliseconds: number) {
    this.#call = call;
    this.#signal = signal;
    this.#idleMilliseconds = idleMilliseconds;
  }

  /** @returns a promise only when the client has to read first. @throws ServerError, or when the call is over */
  write(reply: Buffer): Promise<void> | undefined {
    return this.#call.write(reply) ? undefined : this.#drained();
  }

  /** Answers nothing, until the call is over or idle for too long. */
  async nothing(): Promise<never> {
    await wait(this.#idleMilliseconds, undefined, { signal: this.#signal });
    throw idle(this.#idleMilliseconds);
  }

  async #drained(): Promise<void> {
    let isDrained = false;
    const drain = once(this.#call, 'drain', { signal: this.#signal }).then(() => {
      isDrained = true;
    });
    drain.catch(() => {});
    const since = performance.now();
    for (;;) {
      const look = new AbortController();
      await Promise.race([drain, wait(MILLISECONDS_BETWEEN_LOOKS, undefined, look).catch(() => {})]);
      look.abort();
      if (isDrained) return;
      if (performance.now() - since > this.#idleMilliseconds) throw idle(this.#idleMilliseconds);
      await this.whileBlocked();
    }
  }
}

const idle = (milliseconds: number): ServerError =>
  new ServerError(status.DEADLINE_EXCEEDED, `Nothing was read for ${milliseconds / 1000} seconds.`);

/** Frees a call whose client does not read: its last replies would wait for ever. */
export function cutOff(call: ServerWritableStream<unknown, Buffer>): void {
  const { stream } = (call as unknown as { call?: { stream?: ServerHttp2Stream } }).call ?? {};
  if (stream && stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL);
}
