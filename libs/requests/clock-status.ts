import { z } from 'zod';
import { decode } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import type { EventStore, RecordedEvent } from '#event-store/port';
import { clockIsBehind } from '#gateways/clock';

export const clockStatus = z.object({
  behindSeconds: z
    .number()
    .describe(
      'By how much the clock of this machine was set back, or is behind what the log has seen; 0 when it is not. Nothing that was done is done again.',
    ),
});
type ClockStatus = z.infer<typeof clockStatus>;

/** Whether the clock of this machine was set back, also while no program ran. */
export async function clockStatusOf(events: Pick<EventStore, 'readAll'>): Promise<ClockStatus> {
  return statusAfter(await lastInstant(events));
}

/** The same by what this program has seen of the log so far: for when the log does not answer in time. */
export const clockStatusSoFar = (): ClockStatus => statusAfter(undefined);

function statusAfter(seen: Instant | undefined): ClockStatus {
  return { behindSeconds: Math.round(clockIsBehind(seen) / 1000) };
}

/** Said when a program starts: its time goes on from the clock of the machine, and so may be earlier than the log. */
export async function warnIfClockWasSetBack(
  events: Pick<EventStore, 'readAll'>,
  warn: (line: string) => void,
): Promise<void> {
  const { behindSeconds } = await clockStatusOf(events);
  if (behindSeconds > 0)
    warn(`the clock of the machine is ${behindSeconds} seconds behind the last event: was it set back?`);
}

async function lastInstant(events: Pick<EventStore, 'readAll'>): Promise<Instant | undefined> {
  for await (const last of events.readAll({ direction: 'backwards', maxCount: 1 })) return recordedAt(last);
  return undefined;
}

/** By the program that decided it, whose time never went back. The store notes the clock of its machine, as it is. */
function recordedAt(event: RecordedEvent): Instant {
  try {
    return decode(event).cause.recordedAt ?? event.recordedAt;
  } catch {
    return event.recordedAt;
  }
}
