import { z } from 'zod';
import type { Instant } from '#domain/kernel/events';
import type { EventStore } from '#event-store/port';
import { clockIsBehind } from '#gateways/clock';

/** Machines that share a log have clocks that differ by less. */
const CLOCKS_AGREE_MILLISECONDS = 60_000;

export const clockStatus = z.object({
  behindSeconds: z
    .number()
    .describe(
      'By how much the clock of this machine was set back, or is behind the last event of the log; 0 when it is not. Time stands still meanwhile, and nothing that was due happens again.',
    ),
});
export type ClockStatus = z.infer<typeof clockStatus>;

/** Whether the clock of this machine was set back, also while no program ran. */
export async function clockStatusOf(events: Pick<EventStore, 'readAll'>): Promise<ClockStatus> {
  const behind = Math.max(clockIsBehind(), behindLog(await lastRecordedAt(events)));
  return { behindSeconds: Math.round(behind / 1000) };
}

function behindLog(last: Instant | undefined): number {
  const behind = clockIsBehind(last);
  return behind > CLOCKS_AGREE_MILLISECONDS ? behind : 0;
}

async function lastRecordedAt(events: Pick<EventStore, 'readAll'>): Promise<Instant | undefined> {
  for await (const { recordedAt } of events.readAll({ direction: 'backwards', maxCount: 1 })) return recordedAt;
  return undefined;
}

/** Said when a program starts. Its own time goes on from the clock of the machine, so it may differ from what the log says. */
export async function warnIfClockWasSetBack(
  events: Pick<EventStore, 'readAll'>,
  warn: (line: string) => void,
): Promise<void> {
  const { behindSeconds } = await clockStatusOf(events);
  if (behindSeconds > 0)
    warn(`the clock of the machine is ${behindSeconds} seconds behind the last event: was it set back? See /health`);
}
