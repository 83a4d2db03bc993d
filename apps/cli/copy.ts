import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { copyLog } from '#audit/copy-log';
import type { EventStore } from '#event-store/port';
import { copyKeys } from '#vault/vault';
import { keysOf, openEvents } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { Progress, thousands } from './progress.ts';

const isUrl = (place: string): boolean => /^[a-z]+(\+discover)?:\/\//.test(place);

export interface CopyOptions {
  /** A data directory, or an `esdb://…` URL. */
  readonly from: string;
  readonly to: string;
  /** Where the keys of personal data go, when the log goes to a server: `postgres://…`. */
  readonly keysTo?: string;
}

/**
 * Copies a whole log, order and ids kept, and compares both sides afterwards. Cut short, it goes on where it was. The
 * keys go first, so that no event is anywhere without its key.
 * @throws CommandFailed, NoCopy when the target holds something else
 */
export async function copy({ from, to, keysTo }: CopyOptions): Promise<void> {
  if (!isUrl(from) && !existsSync(join(from, 'events'))) throw new CommandFailed(`there are no events in ${from}`);
  if (keysTo !== undefined) {
    if (isUrl(from) || !isUrl(to)) throw new CommandFailed('keys go from a data directory to a database');
    const place = { eventStoreDb: to, databaseUrl: keysTo };
    const keys = await copyKeys(keysOf({ directory: from }), keysOf(place), () => {});
    console.log(`${thousands(keys)} keys are in the database`);
  }
  const source = await open(from, { readOnly: true });
  let target: EventStore | undefined;
  try {
    target = await open(to);
    const start = performance.now();
    const progress = new Progress((events) => `${thousands(events)} events`);
    const { copied, compared } = await copyLog(source, target, (events) => progress.update(events));
    progress.end();
    const seconds = (performance.now() - start) / 1000;
    console.log(`${thousands(copied)} events copied from ${from} to ${to} in ${seconds.toFixed(1)} s
${thousands(compared)} events are there now, and each is what it is on the other side`);
  } finally {
    await source.close();
    await target?.close();
  }
}

const open = (place: string, options: { readOnly?: boolean } = {}): Promise<EventStore> =>
  isUrl(place) ? openEvents({ eventStoreDb: place }) : openEvents({ directory: place, ...options });
