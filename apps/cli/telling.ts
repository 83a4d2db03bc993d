import { randomUUID } from 'node:crypto';
import { sendsTelemetry } from '#apps/settings';
import type { Telling } from '#apps/telling';
import { type Activities, type ActivityKey, activityTime, type Ending, reasonToTell } from '#domain/kernel/activities';
import { whenStoppedAtLast } from './stopped.ts';

interface Told extends Telling {
  readonly about: ActivityKey & { readonly name: string };
  readonly startedAt: number;
  /** What was done, in numbers. */
  counts: Readonly<Record<string, number>>;
}

/** The command that runs: there is one in a program. */
let told: Told | undefined;

/**
 * A command tells when it begins and how it ends, and what it does meanwhile, where somebody asked for it. Otherwise nothing of it is
 * loaded: commands start quickly.
 */
export async function tellBeginning(name: string): Promise<void> {
  if (process.env.LEADGER_LOG_LEVEL === undefined && !sendsTelemetry()) return;
  const startedAt = activityTime();
  const telling = await (await import('#apps/telling')).beginTelling('cli');
  const id = randomUUID();
  told = { ...telling, about: { kind: 'cli', name, id, correlationId: id }, startedAt, counts: {} };
  whenStoppedAtLast((signal) => tellEnding({ outcome: 'failed', reason: `stopped by ${signal}` }));
  told.log.info({ ...told.about, outcome: 'begun' }, `${name}: begun`);
}

/** For the line that tells its end: how many things were changed, without anything personal. */
export function noteCounts(counts: Readonly<Record<string, number>>): void {
  if (told) told.counts = { ...told.counts, ...counts };
}

/** To be given to the stores that the command opens. */
export const activitiesOfCommand = (): { activities?: Activities } => (told ? { activities: told.activities } : {});

/** @param error why it failed */
export const tellEnd = (error?: unknown): Promise<void> =>
  tellEnding(error === undefined ? { outcome: 'done' } : { outcome: 'failed', reason: reasonToTell(error) });

async function tellEnding(ending: Ending): Promise<void> {
  if (!told) return;
  const { about, startedAt, counts, activities, telemetry } = told;
  const exitCode = process.exitCode ? { exitCode: Number(process.exitCode) } : {};
  activities.tell({ ...about, ...ending, startedAt, endedAt: activityTime(), details: { ...counts, ...exitCode } });
  await telemetry?.stop();
}
