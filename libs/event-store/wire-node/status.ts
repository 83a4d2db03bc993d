import { Metadata, status } from '@grpc/grpc-js';
import {
  AppendTooLarge,
  BadEvent,
  DamagedEvent,
  EventStoreError,
  OutcomeUnknown,
  WrongExpectedRevision,
} from '../port.ts';
import { NotLeader } from './not-leader.ts';
import type { BatchError } from './replies.ts';

/** A call of a client, as far as it says who makes it. */
export interface GrpcCall {
  readonly metadata: Metadata;
}

/** The account is wrong, or the node serves for reading only. */
export class AccessDenied extends EventStoreError {
  constructor(message: string) {
    super('access-denied', message);
  }
}

const MAXIMUM_APPEND_SIZE = 1024 * 1024;

export function batchErrorOf(error: unknown): BatchError | undefined {
  if (error instanceof WrongExpectedRevision) return { kind: 'WrongExpectedVersion', actual: error.actual };
  if (error instanceof AppendTooLarge) return { kind: 'MaximumAppendSizeExceeded', bytes: MAXIMUM_APPEND_SIZE };
  if (error instanceof AccessDenied) return { kind: 'AccessDenied' };
  if (error instanceof OutcomeUnknown) return { kind: 'Timeout' };
  if (error instanceof BadEvent) return { kind: 'Unknown' };
  return undefined;
}

interface Status {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** An error as a status with the trailers that EventStoreDB sends. */
export function statusOf(error: unknown): Status {
  const details = error instanceof Error ? error.message : String(error);
  if (error instanceof AccessDenied)
    return { code: status.PERMISSION_DENIED, details, metadata: trailers('access-denied') };
  if (error instanceof AppendTooLarge) {
    const metadata = trailers('maximum-append-size-exceeded', { 'maximum-append-size': String(MAXIMUM_APPEND_SIZE) });
    return { code: status.INVALID_ARGUMENT, details, metadata };
  }
  if (error instanceof NotLeader) {
    const { host, port } = error.leader;
    const metadata = trailers('not-leader', { 'leader-endpoint-host': host, 'leader-endpoint-port': String(port) });
    return { code: status.NOT_FOUND, details, metadata };
  }
  if (error instanceof BadEvent) return { code: status.INVALID_ARGUMENT, details };
  if (error instanceof DamagedEvent) return { code: status.DATA_LOSS, details };
  if (error instanceof OutcomeUnknown) return { code: status.ABORTED, details };
  return { code: status.UNAVAILABLE, details };
}

function trailers(exception: string, more: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  metadata.set('exception', exception);
  for (const [key, value] of Object.entries(more)) metadata.set(key, value);
  return metadata;
}
