import {
  binaryEvent,
  type EventData,
  type Filter,
  type JSONType,
  jsonEvent,
  type ResolvedEvent,
  type Position as ServerPosition,
  START,
} from '@eventstore/db-client';
import { objectOf } from '../json-bytes.ts';
import { BadEvent, BEFORE_FIRST, type EventFilter, type NewEvent, type Position, type RecordedEvent } from '../port.ts';
import { numbersOf } from '../position-text.ts';

const padded = (number: bigint): string => String(number).padStart(16, '0');

/** `commit`, or `commit.prepare` where the two differ, padded so that texts sort as positions do. */
export const positionOf = ({ commit, prepare }: ServerPosition): Position =>
  (commit === prepare ? padded(commit) : `${padded(commit)}.${padded(prepare)}`) as Position;

/** @throws BadEvent */
export function serverPositionOf(position: Position): ServerPosition | typeof START {
  if (position === BEFORE_FIRST) return START;
  const place = numbersOf(position);
  if (!place) throw new BadEvent(`"${position}" is not a position of this store`);
  return place;
}

/** A byte that no JSON begins with. It marks metadata that is stored as it is. */
const RAW = 0;

/**
 * Bytes that are JSON are sent as JSON, so that the server's own tools show them; all others as they are. The client
 * parses metadata whenever it looks like JSON, so metadata that is not JSON is marked.
 */
export function eventDataOf({ id, type, data, metadata }: NewEvent): EventData {
  const meta =
    metadata.length === 0
      ? {}
      : { metadata: objectOf(metadata) ? Uint8Array.from(metadata) : Uint8Array.of(RAW, ...metadata) };
  const json = objectOf(data);
  if (json) return jsonEvent({ id, type, data: json as JSONType, ...meta });
  return binaryEvent({ id, type, data: Uint8Array.from(data), ...meta });
}

const encoder = new TextEncoder();

/**
 * @returns undefined for events of the server itself: those in `$…` streams, and the tombstone of a deleted stream, whose
 * revision is 2^63 − 1
 */
export function recordedEventOf({ event }: ResolvedEvent): RecordedEvent | undefined {
  if (!event || event.streamId.startsWith('$')) return undefined;
  const { streamId: stream, id, type, data, metadata, created, position } = event;
  const revision = Number(event.revision);
  if (!Number.isSafeInteger(revision)) return undefined;
  return {
    stream,
    revision,
    id,
    type,
    data: data instanceof Uint8Array ? data : encoder.encode(JSON.stringify(data)),
    metadata: metadataBytes(metadata),
    position: positionOf(position as ServerPosition),
    recordedAt: created.toISOString(),
  };
}

function metadataBytes(metadata: unknown): Uint8Array {
  if (metadata === undefined) return new Uint8Array(0);
  if (!(metadata instanceof Uint8Array)) return encoder.encode(JSON.stringify(metadata));
  return metadata[0] === RAW ? metadata.subarray(1) : metadata;
}

/** A dash is special only inside brackets, and there are none here. */
const SPECIAL = /[.*+?^${}()|[\]\\/]/g;
const alternatives = (names: readonly string[]): string => names.map((name) => name.replace(SPECIAL, '\\$&')).join('|');

export type ServerFilter = Pick<Filter, 'filterOn'> & ({ regex: string } | { prefixes: readonly string[] });

/**
 * The server filters by event type or by stream name, not by both. `passes` does the rest. By stream name, no event of
 * another program is sent, whatever its type is called.
 */
export function serverFilterOf(filter: EventFilter | undefined): ServerFilter {
  const { types, streamPrefixes } = filter ?? {};
  if (streamPrefixes) return { filterOn: 'streamName', prefixes: streamPrefixes };
  if (types) return { filterOn: 'eventType', regex: `^(${alternatives(types)})$` };
  return { filterOn: 'streamName', regex: '^[^$]' };
}

/** No event passes this filter: there is no need to ask the server. */
export const isEmpty = ({ types, streamPrefixes }: EventFilter = {}): boolean =>
  types?.length === 0 || streamPrefixes?.length === 0;
