import {
  AccessRefused,
  AppendTooLarge,
  DEFAULT_LIMITS,
  EventStoreError,
  StoreUnavailable,
  StreamAccessRefused,
} from '../port.ts';

/** What stands in the way of a connection and does not mend by itself: a certificate, TLS, the connection string. */
export class CannotConnect extends EventStoreError {
  constructor(message: string) {
    super('cannot-connect', message);
  }
}

/** The stream was deleted on the server, which this ledger never does. */
class StreamDeleted extends EventStoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('stream-deleted', message, options);
  }
}

/** The server reads only from positions at which an event begins. At another one a read fails, each time again. */
export class PositionRefused extends EventStoreError {
  constructor(options?: ErrorOptions) {
    super('no-such-position', 'the server refuses the position of a read', options);
  }
}

interface ClientError {
  readonly type?: string;
  readonly code?: number;
  readonly message?: string;
  readonly details?: string;
}

const CODES = { cancelled: 1, unknown: 2, permissionDenied: 7, unauthenticated: 16, unavailable: 14 };

/** What a server answers to much that it did not expect. To a look at one position, it is a no: it is no outage. */
export const isUnexpectedByServer = (error: unknown): boolean => {
  const { code, message = '' } = error as ClientError;
  return code === CODES.unknown && message.includes('Exception was thrown by handler');
};

/** An error of ours for what no repetition would change; undefined for what may succeed the next time. */
export function finalError(error: unknown): EventStoreError | undefined {
  if (error instanceof EventStoreError) return error;
  const { type, code, message = String(error) } = error as ClientError;
  if (type === 'maximum-append-size-exceeded')
    return new AppendTooLarge(
      `the server accepts less than the ${DEFAULT_LIMITS.maxAppendBytes} bytes that an append may have: ${message}`,
    );
  if (type === 'access-denied' || code === CODES.permissionDenied || code === CODES.unauthenticated)
    return new AccessRefused(`the event store refuses this account: ${message || 'access denied'}`, { cause: error });
  if (code === CODES.unknown && message.includes('ReadAllResult: Error')) return new PositionRefused({ cause: error });
  const [, damage] = /^15 DATA_LOSS: (.*)/s.exec(message) ?? [];
  if (damage !== undefined) return new EventStoreError('damaged-event', damage, { cause: error });
  if (type === 'stream-deleted') return new StreamDeleted(message, { cause: error });
  return undefined;
}

/** The account is known, and may not do that to this stream. */
export function refusedFor(stream: string, error: unknown): unknown {
  if (!(error instanceof AccessRefused) || isAccountRefused(error)) return error;
  return new StreamAccessRefused(stream, { cause: error });
}

/** The server does not know the account, or not with this password: it refuses all that is asked. */
export function isAccountRefused(error: unknown): boolean {
  const final = finalError(error);
  return final instanceof AccessRefused && (final.cause as ClientError | undefined)?.code === CODES.unauthenticated;
}

export const isAccessRefused = (error: unknown): boolean => finalError(error) instanceof AccessRefused;

/** Returns when a repetition may help. @throws the error otherwise, as one of ours */
export function throwIfFinal(error: unknown): void {
  const final = finalError(error);
  if (final && (final instanceof AccessRefused || !(final instanceof StoreUnavailable))) throw final;
}

/** The client connects again by itself. After other failures its connection may be one that never answers. */
export function isConnectionLost(error: unknown): boolean {
  const { type, code } = error as ClientError;
  return code === CODES.unavailable || code === CODES.cancelled || type === 'not-leader';
}

/** The request was never sent: the server cannot have carried it out. (The client has two errors for it.) */
export function neverSent(error: unknown): boolean {
  if (error instanceof StoreUnavailable) return true;
  const { type, code, message = '', details = message } = error as ClientError;
  if (type === 'not-leader') return true;
  return code === CODES.unavailable && /No connection established|ECONNREFUSED|name resolution/i.test(details);
}

export const unavailable = (error: unknown): StoreUnavailable =>
  new StoreUnavailable(`the event store cannot be reached: ${(error as Error).message}`, { cause: error });
