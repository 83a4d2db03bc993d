import { AppendTooLarge, EventStoreError, StoreUnavailable } from '../port.ts';

/** The account may not do that, or is none: trying again changes nothing. */
export class AccessRefused extends EventStoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('access-refused', message, options);
  }
}

/** The stream was deleted on the server, which this ledger never does. */
export class StreamGone extends EventStoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('stream-deleted', message, options);
  }
}

interface ClientError {
  readonly type?: string;
  readonly code?: number;
  readonly message?: string;
  readonly details?: string;
}

const CODES = { permissionDenied: 7, unauthenticated: 16, unavailable: 14 };

/** What no repetition would change, as an error of ours; undefined for what may go better the next time. */
export function finalError(error: unknown, maxAppendBytes: number): EventStoreError | undefined {
  if (error instanceof EventStoreError) return error;
  const { type, code, message = String(error) } = error as ClientError;
  if (type === 'maximum-append-size-exceeded')
    return new AppendTooLarge(
      `the server takes less than the ${maxAppendBytes} bytes that an append may have: ${message}`,
    );
  if (type === 'access-denied' || code === CODES.permissionDenied || code === CODES.unauthenticated)
    return new AccessRefused(`the event store refuses this account: ${message || 'access denied'}`, { cause: error });
  if (type === 'stream-deleted') return new StreamGone(message, { cause: error });
  return undefined;
}

/** The request never left: the server cannot have carried it out. (The client has two errors for it.) */
export function neverSent(error: unknown): boolean {
  const { type, code, message = '', details = message } = error as ClientError;
  if (type === 'not-leader') return true;
  return code === CODES.unavailable && /No connection established|ECONNREFUSED|name resolution/i.test(details);
}

export const unavailable = (error: unknown): StoreUnavailable =>
  new StoreUnavailable(`the event store cannot be reached: ${(error as Error).message}`, { cause: error });
