import { type History, replayHistory } from '#audit/history';
import type { Instant } from '#domain/kernel/events';
import type { FamilyName } from '#domain/ledger';
import { hashOfEvent } from '#event-store/event-hash';
import type { QueryTools } from './query-tools.ts';

export interface HistoryRequest {
  /** The last instant to count. Absent: to the end. */
  readonly at?: Instant | undefined;
}

/** All that happened to a stream, replayed and checked. @returns undefined when nothing had happened yet */
export const historyOf = <Name extends FamilyName>(
  { events, vault }: QueryTools,
  stream: `${Name}-${string}`,
  { at }: HistoryRequest,
): Promise<History | undefined> => replayHistory({ events, vault }, stream, { hashOf: hashOfEvent, ...(at && { at }) });
