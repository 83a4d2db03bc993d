import type { ForeignEvents } from '#event-store/foreign-events';
import { thousands } from './progress.ts';

/** What others wrote into the log, in words; nothing where the ledger is alone. */
export function linesAbout({ events, namedLikeOurs }: ForeignEvents): readonly string[] {
  if (events === 0) return [];
  return [
    `${thousands(events)} events of other programs are in the same log: they are not read`,
    ...namedLikeOurs.map((stream) => `the stream ${stream} is named like one of the ledger, and others wrote to it`),
  ];
}
