import type { ExpectedRevision } from '../port.ts';
import { MEMBER_STATES, type MemberView } from './cluster-member.ts';
import { ProtobufWriter } from './protobuf.ts';
import type { ServedEvent } from './served-event.ts';
import { serverTime } from './server-clock.ts';

/** The form of ids that a client asked for. */
export type UuidForm = 'string' | 'structured';

/** Replies of the Streams service as bytes. Field numbers are those of the service definitions. */
const writer = new ProtobufWriter();
const TICKS_PER_MILLISECOND = 10_000n;

/** An event, or the link to it and what it names. */
export interface ResolvedEvent {
  readonly event: ServedEvent | undefined;
  readonly link?: ServedEvent;
  readonly position: number;
}

export function readEvent({ event, link, position }: ResolvedEvent, uuidForm: UuidForm): Buffer {
  writer.message(1, () => {
    writer.number(3, position);
    if (link) writer.message(2, () => writeEvent(link, uuidForm));
    if (event) writer.message(1, () => writeEvent(event, uuidForm));
  });
  return writer.take();
}

function writeEvent(event: ServedEvent, uuidForm: UuidForm): void {
  writer.bytes(8, event.data);
  writer.bytes(7, event.metadata);
  const created = BigInt(Date.parse(event.recordedAt)) * TICKS_PER_MILLISECOND;
  mapEntry(6, 'created', String(created));
  mapEntry(6, 'content-type', event.json ? 'application/json' : 'application/octet-stream');
  mapEntry(6, 'type', event.type);
  writer.number(5, event.position);
  writer.number(4, event.position);
  writer.number(3, event.revision);
  writer.message(2, () => writer.text(3, event.stream));
  writer.message(1, () => writeUuid(event.id, uuidForm));
}

function mapEntry(field: number, key: string, value: string): void {
  writer.message(field, () => {
    writer.text(2, value);
    writer.text(1, key);
  });
}

function writeUuid(id: string, form: UuidForm): void {
  if (form === 'string') {
    writer.text(2, id);
    return;
  }
  const digits = id.replaceAll('-', '');
  writer.message(1, () => {
    writer.number(2, BigInt(`0x${digits.slice(16)}`));
    writer.number(1, BigInt(`0x${digits.slice(0, 16)}`));
  });
}

export function confirmation(subscriptionId: string): Buffer {
  writer.message(2, () => writer.text(1, subscriptionId));
  return writer.take();
}

export function checkpoint(position: number): Buffer {
  writer.message(3, () => writePosition(position));
  return writer.take();
}

export function streamNotFound(stream: string): Buffer {
  writer.message(4, () => writer.message(1, () => writer.text(3, stream)));
  return writer.take();
}

export function firstStreamPosition(revision: number): Buffer {
  writer.number(5, revision);
  return writer.take();
}

export function lastStreamPosition(revision: number): Buffer {
  writer.number(6, revision);
  return writer.take();
}

export function caughtUp(): Buffer {
  writer.empty(8);
  return writer.take();
}

function writePosition(position: number): void {
  writer.number(2, position);
  writer.number(1, position);
}

export interface Appended {
  /** Undefined: nothing was appended to a stream that does not exist. */
  readonly revision: number | undefined;
  readonly position: number;
}

function writeAppended({ revision, position }: Appended): void {
  writer.message(3, () => writePosition(position));
  if (revision === undefined) writer.empty(2);
  else writer.number(1, revision);
}

/** The reply to an append that is not a batch. */
export function appended(result: Appended): Buffer {
  writer.message(1, () => writeAppended(result));
  return writer.take();
}

const UNSIGNED_MINUS_1 = 2n ** 64n - 1n;

/** Clients of before 2021 read the fields 1 to 5. */
export function wrongVersion(expected: ExpectedRevision, actual: number | 'no-stream'): Buffer {
  writer.message(2, () => {
    if (typeof expected === 'number') writer.number(8, expected);
    else writer.empty({ any: 9, 'stream-exists': 10, 'no-stream': 11 }[expected]);
    if (actual === 'no-stream') writer.empty(7);
    else writer.number(6, actual);
    if (expected === 'stream-exists') writer.empty(5);
    else if (expected === 'any') writer.empty(4);
    else writer.number(3, expected === 'no-stream' ? UNSIGNED_MINUS_1 : expected);
    if (actual === 'no-stream') writer.empty(2);
    else writer.number(1, actual);
  });
  return writer.take();
}

/** The parts of a batch append that its reply needs. */
export interface BatchHeader {
  readonly correlationId: string;
  readonly uuidForm: UuidForm;
  readonly stream: string;
  readonly expected: ExpectedRevision;
}

export function batchAppended(batch: BatchHeader, result: Appended): Buffer {
  writeBatchEnd(batch);
  writer.message(3, () => writeAppended(result));
  writer.message(1, () => writeUuid(batch.correlationId, batch.uuidForm));
  return writer.take();
}

export type BatchError =
  | { readonly kind: 'WrongExpectedVersion'; readonly actual: number | 'no-stream' }
  | { readonly kind: 'MaximumAppendSizeExceeded'; readonly bytes: number }
  | { readonly kind: 'StreamDeleted'; readonly stream: string }
  | { readonly kind: 'BadRequest'; readonly message: string }
  | { readonly kind: 'AccessDenied' | 'Timeout' | 'Unknown' };

/** The gRPC status codes of failed batches. */
const CODES: Readonly<Record<BatchError['kind'], number>> = {
  WrongExpectedVersion: 6,
  StreamDeleted: 5,
  BadRequest: 3,
  MaximumAppendSizeExceeded: 3,
  AccessDenied: 7,
  Timeout: 4,
  Unknown: 2,
};

export function batchFailed(batch: BatchHeader, error: BatchError): Buffer {
  writeBatchEnd(batch);
  writer.message(2, () => {
    writer.message(3, () => {
      writer.message(2, () => writeErrorDetails(batch, error));
      writer.text(1, `type.googleapis.com/event_store.client.${error.kind}`);
    });
    writer.text(2, error.kind);
    writer.number(1, CODES[error.kind]);
  });
  writer.message(1, () => writeUuid(batch.correlationId, batch.uuidForm));
  return writer.take();
}

function writeErrorDetails({ expected }: BatchHeader, error: BatchError): void {
  if (error.kind === 'MaximumAppendSizeExceeded') writer.number(1, error.bytes);
  if (error.kind === 'StreamDeleted') writer.message(1, () => writer.text(3, error.stream));
  if (error.kind === 'BadRequest') writer.text(1, error.message);
  if (error.kind !== 'WrongExpectedVersion') return;
  if (typeof expected === 'number') writer.number(3, expected);
  else writer.empty({ any: 4, 'stream-exists': 5, 'no-stream': 6 }[expected]);
  if (error.actual === 'no-stream') writer.empty(2);
  else writer.number(1, error.actual);
}

function writeBatchEnd({ stream, expected }: BatchHeader): void {
  if (typeof expected === 'number') writer.number(5, expected);
  else writer.empty({ 'no-stream': 6, any: 7, 'stream-exists': 8 }[expected]);
  writer.message(4, () => writer.text(3, stream));
}

export function supportedMethods(version: string, methods: readonly (readonly [service: string, method: string])[]) {
  writer.text(2, version);
  for (const [service, method] of methods.toReversed())
    writer.message(1, () => {
      writer.text(2, service);
      writer.text(1, method);
    });
  return writer.take();
}

export function deleted(position: number): Buffer {
  writer.message(1, () => writePosition(position));
  return writer.take();
}

/** The answer to a client that asks for the nodes of a cluster. */
export function gossip(members: readonly MemberView[]): Buffer {
  const now = BigInt(serverTime()) * TICKS_PER_MILLISECOND;
  for (const { host, port, instanceId, state, isAlive } of members.toReversed())
    writer.message(1, () => {
      writer.message(5, () => {
        writer.number(2, port);
        writer.text(1, host);
      });
      writer.number(4, isAlive ? 1 : 0);
      writer.number(3, MEMBER_STATES[state]);
      writer.number(2, now);
      writer.message(1, () => writeUuid(instanceId, 'string'));
    });
  return writer.take();
}
