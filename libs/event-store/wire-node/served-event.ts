import { objectOf } from '../json-bytes.ts';
import type { RecordedEvent } from '../port.ts';
import type { Positions } from './positions.ts';

/** An event as clients see it. */
export interface ServedEvent extends Omit<RecordedEvent, 'position' | 'revision' | 'hash'> {
  readonly position: number;
  readonly revision: number | bigint;
  readonly json: boolean;
}

/** The event that says that a stream will never exist again. */
export const TOMBSTONE_TYPE = '$streamDeleted';
/** The revision that every client knows as that of a tombstone. */
const TOMBSTONE_REVISION = 2n ** 63n - 1n;

export function servedEvent(event: RecordedEvent, positions: Positions): ServedEvent {
  const position = positions.of({ number: Number(event.position), isSystem: false });
  const json = event.json ?? objectOf(event.data) !== undefined;
  const revision = event.type === TOMBSTONE_TYPE ? TOMBSTONE_REVISION : event.revision;
  return { ...event, position, revision, json };
}

/** The log of a server begins with an event of the server itself. Its id identifies the log. */
export const firstEvent = (id: string): ServedEvent => ({
  ...systemEvent('$$$scavenges', '$metadata', id),
  position: 0,
  revision: 0,
  recordedAt: new Date(0).toISOString(),
});

const STATISTICS = systemEvent('$stats-0.0.0.0:2113', '$statsCollected', '');

/** Passes for every statistics event alike, so that a filter can be asked about all of them at once. */
export const anyStatistics: Pick<ServedEvent, 'stream' | 'type'> = STATISTICS;

/** The server's own event after an event of the store. It is the same whenever it is read. */
export function statisticsAfter(event: RecordedEvent, positions: Positions): ServedEvent {
  const number = Number(event.position);
  const id = `${number.toString(16).padStart(8, '0').slice(-8)}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  const position = positions.of({ number, isSystem: true });
  return { ...STATISTICS, id, position, revision: number, recordedAt: event.recordedAt };
}

function systemEvent(stream: string, type: string, id: string) {
  return { stream, type, id, json: true, data: Buffer.from('{}'), metadata: new Uint8Array(0) };
}
