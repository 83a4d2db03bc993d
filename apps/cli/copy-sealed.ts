import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NoCopy } from '#audit/copy-log';
import type { Counts } from '#audit/present-seals';
import { copySealed, mustBeRewritable } from '#audit/sealed-copy';
import { decode } from '#domain/codec';
import { isAddress, withoutPasswords } from '#domain/kernel/connection-string';
import { counted } from '#domain/kernel/counted';
import type { Instant } from '#domain/kernel/events';
import { originStream } from '#domain/logs/log-origin';
import { markWhole, openDataDirectory, partOf } from '#event-store/data-directory';
import { BEFORE_FIRST, type EventStore } from '#event-store/port';
import { CommandHandler } from '#requests/command-handler';
import { beginRewriting, finishRewriting } from '#requests/log-origin';
import { erasedIn } from '#requests/vault-link';
import { copyKeys, mustTakeKeysInDirectory } from '#vault/copy-keys';
import { openVault } from '#vault/key-vault';
import { copyMasterKey } from '#vault/master-key';
import type { Vault } from '#vault/vault';
import { keysOf, openEvents, openForReading, openTogether, type StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { type CopyOptions, mustBeApart } from './copy.ts';
import { printLines } from './print.ts';
import { Progress } from './progress.ts';
import { noteCounts } from './telling.ts';

/**
 * Makes a store of an older version anew, with its keys: the log in the forms of this version, with all personal texts
 * sealed. The copy is a log of its own, which names the other one. Until it is whole, no program opens it. A copy that is
 * refused leaves nothing in its target.
 * @throws CommandFailed, NoCopy, CannotOpenStore, DamagedEvent
 */
export async function copySealedStore(options: CopyOptions): Promise<void> {
  const to = targetOf(options);
  const { source, target, close } = await openTogether(async (keep) => {
    // While a program uses the original, its log grows.
    keep(openDataDirectory(options.from));
    const { events: source, vault } = keep(await openForReading({ directory: options.from, checked: true }));
    await mustBeRewritable(source, vault);
    if (to.directory !== undefined) {
      await mustTakeKeysInDirectory(partOf(options.from, 'keys'), partOf(to.directory, 'keys'));
      keep(openDataDirectory(to.directory));
    }
    return { source, target: keep(await openEvents({ ...to, completes: true })) };
  });
  try {
    await rewrite(source, target, { ...options, to: withoutPasswords(options.to) }, to);
    // From here on the log itself says that it is whole, whatever was begun in the directory before.
    if (to.directory !== undefined) markWhole(to.directory);
  } finally {
    await close();
  }
}

function targetOf({ from, to, keysTo }: CopyOptions): StoreLocation {
  if (isAddress(from)) throw new CommandFailed('--seal needs a log in a data directory (--from)');
  if (!existsSync(join(from, 'events'))) throw new CommandFailed(`there are no events in ${from}`);
  mustBeApart(from, to);
  if (isAddress(to) !== (keysTo !== undefined))
    throw new CommandFailed('--keys-to is for a copy on a server, and a copy on a server needs it');
  return isAddress(to) ? { eventStoreDb: to, databaseUrl: keysTo } : { directory: to };
}

async function rewrite(source: EventStore, target: EventStore, { from, to: name }: CopyOptions, to: StoreLocation) {
  const [first, last] = [await instantIn(source, 'forwards'), await instantIn(source, 'backwards')];
  if (!first || !last) throw new CommandFailed(`there are no events in ${from}`);
  const identity = await source.identity();
  const commands = new CommandHandler(target);
  await mustBeNewOrHalf(target, commands, identity, name);
  // Keys first: where they are refused, the log of the target is not begun.
  const keys = await copyKeysOf(from, to, await erasedIn(source));
  await beginRewriting(commands, identity, first);
  noteCounts({ keys });
  printLines(`${counted(keys, 'key is', 'keys are')} in the copy`);
  const vault = await openVault({ ...keysOf(to), mustExist: true });
  try {
    const events = await copyEvents(source, target, vault, `from ${from} to ${name}`);
    await finishRewriting(commands, events, last);
  } finally {
    await vault.close();
  }
}

async function instantIn(log: EventStore, direction: 'forwards' | 'backwards'): Promise<Instant | undefined> {
  for await (const event of log.readAll({ direction, maxCount: 1 })) return decode(event).data.at;
  return undefined;
}

/** A copy that was interrupted is continued. @throws NoCopy */
async function mustBeNewOrHalf(target: EventStore, { streams }: CommandHandler, identity: string, name: string) {
  if ((await target.head()) === BEFORE_FIRST) return;
  const { from, finished } = (await streams.read<'log'>(originStream)).state;
  if (from !== identity)
    throw new NoCopy(`there is another log in ${name}: choose a new directory, or an empty server`);
  if (finished) throw new NoCopy(`the copy in ${name} is whole already`);
}

/** Also the master key, where it is a file and the copy has a directory for it. */
function copyKeysOf(from: string, to: StoreLocation, erased: ReadonlySet<string>): Promise<number> {
  const keys = { ...keysOf({ directory: from }), erased };
  if (to.directory !== undefined) copyMasterKey(partOf(from, 'keys'), partOf(to.directory, 'keys'));
  return copyKeys(keys, keysOf(to), () => {});
}

async function copyEvents(source: EventStore, target: EventStore, vault: Vault, way: string): Promise<number> {
  const start = performance.now();
  const progress = new Progress((events) => counted(events, 'event'));
  const { copied, compared, counts, renamed } = await copySealed(source, target, vault, (events) =>
    progress.update(events),
  );
  progress.end();
  noteCounts({ copied, compared, ...counts });
  const seconds = (performance.now() - start) / 1000;
  printLines(
    `${counted(copied, 'event')} copied ${way} in ${seconds.toFixed(1)} s`,
    ...tellCounts(counts),
    ...[...renamed].map(
      ([actor, id]) => `the actor "${actor}" is now ${id}: note whose id it is, the copy does not say it`,
    ),
    `${counted(compared, 'event is', 'events are')} in the copy, and all say the same as in the original`,
  );
  return compared;
}

const tellCounts = ({ sealed, bound, erased, unreadable }: Counts): string[] => [
  [
    counted(sealed, 'text that was plain is sealed', 'texts that were plain are sealed'),
    counted(bound, 'box is bound to its person', 'boxes are bound to their person'),
    counted(erased, 'of an erased person is left out', 'of erased persons are left out'),
  ].join(', '),
  ...(unreadable === 0
    ? []
    : [
        counted(
          unreadable,
          'box has no key, or is damaged: it is copied as it is',
          'boxes have no key, or are damaged: they are copied as they are',
        ),
      ]),
];
