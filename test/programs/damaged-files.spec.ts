import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Program, serve } from './program.ts';

/*
 * Whatever is wrong with the files of a store, every command and every program ends with one line that says so, and in
 * which directory.
 */

let temporary: string;
let whole: string;
let customerId: string;
const damaged = () => join(temporary, 'damaged');
const copied = () => join(temporary, 'copied');

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-damaged-'));
  whole = join(temporary, 'whole');
  const { program, url } = await serve(whole);
  const customer = { storeId: 'main', businessAssociation: 'ABC', timeZone: 'UTC', email: 'ada@example.org' };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/customers`, { method: 'POST', headers, body: JSON.stringify(customer) });
  ({ customerId } = (await answer.json()) as { customerId: string });
  expect(await program.stop()).toMatchObject({ code: 0 });
});
afterAll(() => rm(temporary, { recursive: true }));

const fileOf = (name: 'events' | 'keys') => join(damaged(), name, `${name}.sqlite`);

/** The log's file alone: what is in the write-ahead log beside it is moved into it first. */
function cutOff(bytes: number): void {
  change('PRAGMA wal_checkpoint(TRUNCATE)');
  truncateSync(fileOf('events'), bytes);
}

function zeroPageOf(name: 'events' | 'keys', table: string): void {
  const database = new Database(fileOf(name));
  const page = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table) as number;
  const size = database.pragma('page_size', { simple: true }) as number;
  database.close();
  const file = openSync(fileOf(name), 'r+');
  writeSync(file, Buffer.alloc(size), 0, size, (page - 1) * size);
  closeSync(file);
}

function change(sql: string): void {
  const database = new Database(fileOf('events'));
  database.exec(sql);
  database.close();
}

const commands = {
  verify: () => ['cli', 'verify', '--data', damaged()],
  timeline: () => ['cli', 'timeline', 'customer', customerId, '--data', damaged()],
  export: () => ['cli', 'export', '--data', damaged()],
  'export --opened': () => ['cli', 'export', '--opened', '--data', damaged()],
  copy: () => ['cli', 'copy', '--from', damaged(), '--to', copied()],
  'copy --seal': () => ['cli', 'copy', '--seal', '--from', damaged(), '--to', copied()],
  'keys rotate': () => ['cli', 'keys', 'rotate', '--data', damaged()],
  start: () => ['standalone', '--data', damaged(), '--port', '0'],
} as const;
type Command = keyof typeof commands;

const end = ([name, ...parameters]: readonly string[]) => new Program(name as 'cli' | 'standalone', parameters).ended;

const readers: Command[] = ['verify', 'timeline', 'export', 'copy'];
const table: [damage: string, damageIt: () => void, says: RegExp, commands: Command[]][] = [
  [
    'a zeroed page in the log',
    () => zeroPageOf('events', 'events'),
    /\/events is damaged$/,
    [...readers, 'copy --seal', 'start'],
  ],
  ['a log that was cut off', () => cutOff(9000), /\/events is damaged$/, readers],
  [
    'an emptied log',
    () => cutOff(0),
    /\/events holds a database that was emptied: its tables are missing$/,
    [...readers, 'keys rotate'],
  ],
  [
    'an event that was recorded at no possible instant',
    () => change('UPDATE events SET recorded_at = 9000000000000000000 WHERE position = 2'),
    /the log is damaged: revision \d+ of [-a-z0-9]+, at position 0*2, was recorded at no possible instant$/,
    ['verify', 'export', 'copy', 'copy --seal'],
  ],
  [
    'an event whose bytes are no JSON',
    () => change("UPDATE events SET data = x'7b' WHERE position = 2"),
    /: [-a-z0-9]+@\d+ \([A-Za-z]+\) cannot be read: /,
    ['export'],
  ],
  [
    'an event with other bytes than were written',
    () => change("UPDATE events SET data = x'7b' WHERE position = 2"),
    /: [-a-z0-9]+@\d+ is damaged: it is not what was written$/,
    ['copy', 'copy --seal'],
  ],
  [
    'a zeroed page in the keys',
    () => zeroPageOf('keys', 'keys'),
    /\/keys is damaged$/,
    ['verify', 'export --opened', 'keys rotate', 'start'],
  ],
  [
    'a zeroed page of secrets in the keys',
    () => zeroPageOf('keys', 'secrets'),
    /\/keys is damaged$/,
    ['verify', 'keys rotate', 'start'],
  ],
];

describe.each(table)('%s', (_, damageIt, says, names) => {
  test.each(names)('%s says so in one line', async (name) => {
    for (const place of [damaged(), copied()]) rmSync(place, { recursive: true, force: true });
    execFileSync('cp', ['-a', whole, damaged()]);
    damageIt();
    const { code, stderr } = await end(commands[name]());
    expect(stderr).toMatch(/^leadger: [^\n]*\n$/);
    expect(stderr.trimEnd()).toMatch(says);
    expect(code).toBe(1);
  });
});

test.each([
  ['a link that leads nowhere', () => join(temporary, 'link'), /\/link cannot be created: /],
  ['an empty name', () => '', /'' cannot be created: /],
  ['a place below a file', () => join(temporary, 'file', 'copy'), /\/copy is not a directory/],
])('a copy to %s says so in one line', async (_, placeOf, says) => {
  rmSync(join(temporary, 'link'), { force: true });
  writeFileSync(join(temporary, 'file'), '');
  symlinkSync(join(temporary, 'none', 'there'), join(temporary, 'link'));
  const { code, stderr } = await end(['cli', 'copy', '--from', whole, '--to', placeOf()]);
  expect(stderr).toMatch(/^leadger: [^\n]*\n$/);
  expect(stderr).toMatch(says);
  expect(code).toBe(1);
});
