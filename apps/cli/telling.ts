import { checkEnvironment, sendsTelemetry } from '#apps/settings';
import type { Telling } from '#apps/telling';

/** A command tells what it does where somebody asked for it. Otherwise nothing of it is loaded: commands start quickly. */
export async function tellingOfCommand(): Promise<Telling | undefined> {
  if (process.env.LEADGER_LOG_LEVEL === undefined && !sendsTelemetry()) return undefined;
  checkEnvironment();
  return (await import('#apps/telling')).beginTelling('cli');
}
