import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyLog } from '#audit/copy-log';
import { createForOwnerOnly } from '#event-store/owner-only';
import { CommandHandler } from '#requests/command-handler';
import { beginRewriting, finishRewriting } from '#requests/log-origin';
import { startEventStoreDb } from '#test/event-stores/event-stores';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { openEvents } from '#wiring/stores';
import { cli, Program, serve } from './program.ts';

const temporary = mkdtempSync(join(tmpdir(), 'leadger-refused-'));
const [store, other, rewritten, rotating, proven] = ['store', 'other', 'rewritten', 'rotating', 'proven'].map((name) =>
  join(temporary, name),
) as [string, string, string, string, string];
const at = '2026-05-01T10:00:00.000Z';
beforeAll(async () => {
  createForOwnerOnly();
  for (const directory of [store, other]) {
    expect(await (await serve(directory)).program.stop()).toMatchObject({ code: 0 });
    rmSync(join(directory, 'read-models'), { recursive: true });
  }
  cpSync(store, rotating, { recursive: true });
  cpSync(join(other, 'keys', 'master.key'), join(rotating, 'keys', 'master.key.next'));
  cpSync(store, rewritten, { recursive: true });
  await change(rewritten, async (events) => {
    await beginRewriting(new CommandHandler(events), 'the-original', at);
    await finishRewriting(new CommandHandler(events), 1, at);
  });
  cpSync(store, proven, { recursive: true });
  const bytes = (data: object) => new TextEncoder().encode(JSON.stringify(data));
  await change(proven, (events) =>
    events.append(
      'checkpoint-1',
      [{ id: crypto.randomUUID(), type: 'CheckpointSigned', data: bytes({ at }), metadata: bytes({}) }],
      'any',
    ),
  );
});
afterAll(() => rmSync(temporary, { recursive: true }));

async function change(directory: string, work: (events: Awaited<ReturnType<typeof openEvents>>) => Promise<unknown>) {
  const events = await openEvents({ directory });
  await work(events);
  await events.close();
}

/** Every file; of those of keys the bytes, too. A directory that was locked may get the files that say so. */
const filesIn = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(({ name }) => !/^(lock\.sqlite|format\.json)$|-(wal|shm)$/.test(name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, /keys\/master\.key/.test(path) ? readFileSync(path, 'utf8') : ''])
    .toSorted();

let made = 0;
/** A directory with parts of stores. */
function target(parts: Readonly<Record<string, string>>): string {
  made += 1;
  const directory = join(temporary, `target-${made}`);
  for (const [part, from] of Object.entries(parts)) cpSync(from, join(directory, part), { recursive: true });
  return directory;
}
const fileOf = (text: string): string => {
  made += 1;
  writeFileSync(join(temporary, `file-${made}.csv`), text);
  return join(temporary, `file-${made}.csv`);
};

const sealing = (from: string, to: string) => ['copy', '--seal', '--from', from, '--to', to];

describe('a command that is refused leaves nothing behind', () => {
  const refused: readonly [string, () => readonly string[], RegExp][] = [
    ['copy --seal of a log that was rewritten', () => sealing(rewritten, target({})), /this log was rewritten already/],
    ['copy --seal of a log that is proven', () => sealing(proven, target({})), /it cannot be rewritten any more/],
    [
      'copy --seal while the master key is replaced',
      () => sealing(rotating, target({})),
      /the master key is being replaced/,
    ],
    [
      'copy --seal to another log',
      () => sealing(store, target({ events: join(other, 'events') })),
      /there is another log in/,
    ],
    [
      'copy --seal to the keys of another store',
      () => sealing(store, target({ keys: join(other, 'keys') })),
      /another master key/,
    ],
    [
      'copy --seal to other keys under the same master key',
      () => sealing(store, target({ keys: join(other, 'keys'), 'keys/master.key': join(store, 'keys', 'master.key') })),
      /is not the one that these keys are wrapped with/,
    ],
    [
      'copy to another log',
      () => ['copy', '--from', store, '--to', target({ events: join(other, 'events') })],
      /they differ in/,
    ],
    [
      'keys rotate without keys',
      () => [
        'keys',
        'rotate',
        '--data',
        target({ events: join(store, 'events'), 'format.json': join(store, 'format.json') }),
      ],
      /holds no keys/,
    ],
    [
      'keys rotate with another master key',
      () => ['keys', 'rotate', '--data', target({ '': store, 'keys/master.key': join(other, 'keys', 'master.key') })],
      /the master key is not the one/,
    ],
    [
      'import of a file whose columns are unknown',
      () => ['import', 'leads', fileOf('colour,size\nred,9\n'), '--data', target({})],
      /colour/,
    ],
    [
      'query that is no query',
      () => ['query', 'DROP TABLE x', '--data', target({}), '--output', join(temporary, 'answer.csv')],
      /there is no store/,
    ],
  ];
  test.each(refused)('%s', async (_, parameters, why) => {
    const command = parameters();
    const before = filesIn(temporary);
    const { code, stderr } = await cli(...command);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(why) });
    expect(stderr).toMatch(/^[^\n]*\n$/);
    expect(filesIn(temporary)).toEqual(before);
  });
});

describeWithPostgres('a copy to servers that is refused', () => {
  test('leaves no keys in the database', async () => {
    const [events, database] = [await startEventStoreDb(), await freshDatabase()];
    await change(other, (log) => copyLog(log, events.log));
    for (const more of [[], ['--seal']]) {
      const copying = ['copy', ...more, '--from', store, '--to', events.connectionString, '--keys-to', database.url];
      const key = readFileSync(join(store, 'keys', 'master.key'), 'utf8').trim();
      const { code, stderr } = await new Program('cli', copying, { LEADGER_MASTER_KEY: key }).ended;
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/another log in|they differ in/) });
      expect(await database.query("SELECT to_regclass('vault.keys') AS keys")).toEqual([{ keys: null }]);
    }
    await events.close();
    await database.drop();
  });
});
