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
    throw new NothingRead(this.#idleMilliseconds);
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
      if (performance.now() - since > this.#idleMilliseconds) throw new NothingRead(this.#idleMilliseconds);
      await this.whileBlocked();
    }
  }
}

class NothingRead extends ServerError {
  constructor(milliseconds: number) {
    super(status.DEADLINE_EXCEEDED, `Nothing was read for ${milliseconds / 1000} seconds.`);
  }
}

/** Frees a call that has ended, if its client does not read the last replies. Otherwise they would wait for ever. */
export function freeWhenIdle(call: ServerWritableStream<unknown, Buffer>, milliseconds: number, why?: unknown): void {
  const { stream } = (call as unknown as { call?: { stream?: ServerHttp2Stream } }).call ?? {};
  if (!stream || stream.closed) return;
  const free = () => stream.close(constants.NGHTTP2_CANCEL);
  if (why instanceof NothingRead && stream.writableLength > 0) free();
  else stream.setTimeout(milliseconds, free);
}
