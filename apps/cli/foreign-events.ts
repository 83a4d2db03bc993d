import { counted } from '#domain/kernel/counted';
import type { ForeignEvents } from '#event-store/foreign-events';

/** What others wrote into the log, in words; nothing where the ledger is alone. */
export function linesAbout({ events, namedLikeOurs }: ForeignEvents): readonly string[] {
  if (events === 0) return [];
  return [
    `${counted(events, 'event of another program is', 'events of other programs are')} in the same log and not read`,
    ...namedLikeOurs.map((stream) => `the stream ${stream} is named like one of the ledger, and others wrote to it`),
  ];
}
