import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { copyLog } from '#audit/copy-log';
import { isAddress, withoutPasswords } from '#domain/kernel/connection-string';
import { counted } from '#domain/kernel/counted';
import { halfCopyIn, markHalfCopy, markWhole, openDataDirectory } from '#event-store/data-directory';
import type { EventStore } from '#event-store/port';
import { erasedIn } from '#requests/vault-link';
import { copyKeys } from '#vault/copy-keys';
import { foreignEventsOf, keysOf, openEvents, openForReading, openTogether } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { linesAbout } from './foreign-events.ts';
import { printLines } from './print.ts';
import { Progress } from './progress.ts';
import { noteCounts } from './telling.ts';

export interface CopyOptions {
  /** A data directory, or an `esdb://…` URL. */
  readonly from: string;
  readonly to: string;
  /** The target of the keys of personal data, when the log goes to a server: `postgres://…`. */
  readonly keysTo?: string;
}

/**
 * Copies a whole log with the same order and ids, and compares both logs afterwards. An interrupted copy continues the
 * next time. Keys are copied before the first event, so that no event is without its key, and after the target was found to
 * be the beginning of the original, so that a copy that is refused leaves nothing there.
 * @throws CommandFailed, NoCopy when the target holds other events, CannotOpenStore when a program uses the target or the
 * original is not whole, DamagedEvent
 */
export async function copy(options: CopyOptions): Promise<void> {
  await mustBePossible(options);
  const { from, to, keysTo } = options;
  const { source, target, close } = await openTogether(async (keep) => {
    const source = keep(await open(from, { readOnly: true, checked: true }));
    if (!isAddress(from)) await readThrough(source);
    // A store that runs could not write any more after others had written to its log.
    if (!isAddress(to)) keep(openDataDirectory(to));
    return { source, target: keep(await open(to, { completes: isHalf(to) })) };
  });
  try {
    const beforeFirst = async () => {
      if (!isAddress(to)) markHalfCopy(to, await source.identity());
      if (keysTo !== undefined) await copyKeysOf(from, to, keysTo, await erasedIn(source));
    };
    await copyEvents(source, target, `from ${withoutPasswords(from)} to ${withoutPasswords(to)}`, beforeFirst);
    if (!isAddress(to)) markWhole(to);
    if (isAddress(from)) printLines(...linesAbout(await foreignEventsOf({ eventStoreDb: from })));
  } finally {
    await close();
  }
}

/** Only a plain copy is continued here: one with `--seal` says in its log that it is half. */
const isHalf = (to: string): boolean => !isAddress(to) && halfCopyIn(to) !== undefined;

async function mustBePossible({ from, to, keysTo }: CopyOptions): Promise<void> {
  if (!isAddress(from) && !existsSync(join(from, 'events'))) throw new CommandFailed(`there are no events in ${from}`);
  mustBeApart(from, to);
  if (!isAddress(from) && existsSync(join(from, 'format.json'))) openDataDirectory(from, { readOnly: true });
  if (keysTo === undefined) return;
  if (isAddress(from) || !isAddress(to))
    throw new CommandFailed('--keys-to needs a log in a data directory (--from) that is copied to a server (--to)');
  // A log is of no use with the keys of another one.
  await (await openForReading({ directory: from })).close();
}

/** Who destroys the original must not destroy the copy. @throws CommandFailed */
export function mustBeApart(from: string, to: string): void {
  if (from === to) throw new CommandFailed(`${from} cannot be copied to itself`);
  if (isAddress(from) || isAddress(to)) return;
  const [original, target] = [placeOf(from), placeOf(to)];
  if (original === target) throw new CommandFailed(`${from} cannot be copied to itself`);
  if (isInside(target, original) || isInside(original, target))
    throw new CommandFailed(`one of ${from} and ${to} is inside the other: choose another directory for the copy`);
}

/** Without symbolic links, also of a directory that does not exist yet. */
function placeOf(path: string): string {
  const whole = resolve(path);
  return existsSync(whole) ? realpathSync(whole) : join(placeOf(dirname(whole)), basename(whole));
}

const isInside = (path: string, directory: string): boolean => path.startsWith(join(directory, sep));

async function copyKeysOf(from: string, to: string, keysTo: string, erased: ReadonlySet<string>): Promise<void> {
  const location = { eventStoreDb: to, databaseUrl: keysTo };
  const keys = await copyKeys({ ...keysOf({ directory: from }), erased }, keysOf(location), () => {});
  noteCounts({ keys });
  printLines(`${counted(keys, 'key is', 'keys are')} in the database`);
}

async function copyEvents(
  source: EventStore,
  target: EventStore,
  way: string,
  beforeFirst: () => Promise<unknown>,
): Promise<void> {
  const start = performance.now();
  const progress = new Progress((events) => counted(events, 'event'));
  const onProgress = (events: number) => progress.update(events);
  const { copied, compared } = await copyLog(source, target, { onProgress, beforeFirst });
  progress.end();
  noteCounts({ copied, compared });
  const seconds = (performance.now() - start) / 1000;
  printLines(
    `${counted(copied, 'event')} copied ${way} in ${seconds.toFixed(1)} s`,
    `${counted(compared, 'event is', 'events are')} in the copy, and all are equal to the original`,
  );
}

/** Before the target is made: of a log that is damaged, nothing is left there. @throws DamagedEvent */
async function readThrough(source: EventStore): Promise<void> {
  for await (const _ of source.readAll());
}

const open = (
  location: string,
  options: { readOnly?: boolean; checked?: boolean; completes?: boolean } = {},
): Promise<EventStore> =>
  isAddress(location) ? openEvents({ eventStoreDb: location }) : openEvents({ directory: location, ...options });
