import { Metadata, status } from '@grpc/grpc-js';
import {
  AppendTooLarge,
  BadEvent,
  DamagedEvent,
  EventStoreError,
  type ExpectedRevision,
  OutcomeUnknown,
  WrongExpectedRevision,
} from '../port.ts';
import { NotLeader } from './not-leader.ts';
import type { BatchError } from './replies.ts';
import { BadRequest, ServerError, StreamDeleted } from './server-errors.ts';

/** A call of a client, as far as it says who makes it. */
export interface GrpcCall {
  readonly metadata: Metadata;
}

/** The account may not do that, or the node serves for reading only. */
export class AccessDenied extends EventStoreError {
  constructor(message: string) {
    super('access-denied', message);
  }
}

/** The node has no leader at present. */
export class ServerNotReady extends EventStoreError {
  constructor() {
    super('not-ready', 'Server Is Not Ready');
  }
}

/** Data that one append may have. A server does not count metadata and names. */
export const LARGEST_APPEND_BYTES = 1024 * 1024;

export function batchErrorOf(error: unknown): BatchError | undefined {
  if (error instanceof WrongExpectedRevision) return { kind: 'WrongExpectedVersion', actual: error.actual };
  if (error instanceof AppendTooLarge) return { kind: 'MaximumAppendSizeExceeded', bytes: LARGEST_APPEND_BYTES };
  if (error instanceof AccessDenied) return { kind: 'AccessDenied' };
  if (error instanceof OutcomeUnknown) return { kind: 'Timeout' };
  if (error instanceof StreamDeleted) return { kind: 'StreamDeleted', stream: error.stream };
  if (error instanceof BadRequest || error instanceof BadEvent) return { kind: 'BadRequest', message: error.message };
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
  if (error instanceof BadRequest) return statusOf(error.alone());
  if (error instanceof ServerError) return { code: error.status, details, metadata: trailers(error.trailers) };
  if (error instanceof AccessDenied)
    return { code: status.PERMISSION_DENIED, details, metadata: trailers({ exception: 'access-denied' }) };
  if (error instanceof AppendTooLarge) return tooLarge();
  if (error instanceof NotLeader) {
    const { host, port } = error.leader;
    const leader = { 'leader-endpoint-host': host, 'leader-endpoint-port': String(port) };
    return { code: status.NOT_FOUND, details, metadata: trailers({ exception: 'not-leader', ...leader }) };
  }
  if (error instanceof BadEvent) return { code: status.INVALID_ARGUMENT, details };
  if (error instanceof DamagedEvent) return { code: status.DATA_LOSS, details };
  if (error instanceof OutcomeUnknown) return { code: status.ABORTED, details };
  return { code: status.UNAVAILABLE, details };
}

function tooLarge(): Status {
  const limit = { 'maximum-append-size': String(LARGEST_APPEND_BYTES) };
  const metadata = trailers({ exception: 'maximum-append-size-exceeded', ...limit });
  return {
    code: status.INVALID_ARGUMENT,
    details: `Maximum Append Size of ${LARGEST_APPEND_BYTES} Exceeded.`,
    metadata,
  };
}

/** How a server writes the expected revision of a stream that was to be deleted. */
const numberOf = (expected: ExpectedRevision): number =>
  typeof expected === 'number' ? expected : { 'no-stream': -1, any: -2, 'stream-exists': -4 }[expected];

export function deleteConflict({ stream, expected, actual }: WrongExpectedRevision): ServerError {
  const versions = { expected: numberOf(expected), actual: actual === 'no-stream' ? -1 : actual };
  return new ServerError(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${versions.expected}, Actual version: ${versions.actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(versions.expected),
      'actual-version': String(versions.actual),
    },
  );
}

function trailers(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(values)) metadata.set(key, value);
  return metadata;
}
