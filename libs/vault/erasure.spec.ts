import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import type { Sealed } from '#domain/kernel/events';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { close } from './boxes.ts';
import { copyKeys } from './copy-keys.ts';
import { ErasureIncomplete } from './key-store.ts';
import { openVault } from './key-vault.ts';
import { PersonErased, type Vault } from './vault.ts';

let directory: string;
let vault: Vault;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
  vault = await openVault({ directory });
});
afterEach(async () => {
  await vault.close();
  rmSync(directory, { recursive: true });
});

const sealFor = (subjects: readonly string[]): Promise<Sealed[]> =>
  Promise.all(subjects.map((subject) => vault.seal(subject, 'note', subject)));

/** What must be gone: the part of each wrapped key that is different from all others. */
function encryptedKeys(): ReadonlyMap<string, Buffer> {
  const keys = new Database(join(directory, 'keys.sqlite'), { readonly: true });
  const rows = keys
    .prepare<[], { subject: string; wrapped: Buffer }>('SELECT subject, wrapped FROM keys WHERE wrapped IS NOT NULL')
    .all();
  keys.close();
  return new Map(rows.map(({ subject, wrapped }) => [subject, wrapped.subarray(-48, -16)]));
}

/** Of these bytes, how many are in any file of the directory. */
function onDisk(searched: Iterable<Buffer>): number {
  const wanted = new Set([...searched].map((bytes) => bytes.toString('latin1')));
  const content = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'latin1'));
  const found = [...wanted].filter((bytes) => content.some((text) => text.includes(bytes)));
  return found.length;
}

const persons = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `lead-${from + index}`);

it('no byte of a destroyed key is left in any file, whatever was added and destroyed before', async () => {
  await sealFor(persons(0, 1500));
  await sealFor(persons(1500, 3000));
  const before = encryptedKeys();
  expect(onDisk(before.values())).toBe(3000);
  // In an order of their own, so that the pages of the database are half empty in between.
  const erased = persons(0, 3000).filter((_, number) => (number * 7919) % 10 < 6);
  for (let at = 0; at < erased.length; at += 300)
    await Promise.all(erased.slice(at, at + 300).map((one) => vault.erase(one)));
  await sealFor(persons(3000, 3500));
  const gone = erased.map((subject) => before.get(subject) as Buffer);
  expect(onDisk(gone)).toBe(0);
  expect(onDisk(before.values())).toBe(3000 - erased.length);
});

it('an erased person gets no new key, also if there never was one', async () => {
  const [box] = (await sealFor(['lead-1'])) as [Sealed];
  await vault.erase('lead-1');
  await vault.erase('lead-2');
  for (const subject of ['lead-1', 'lead-2']) {
    await expect(vault.seal(subject, 'note', 'again')).rejects.toThrow(PersonErased);
    await expect(vault.seal(subject, 'note', 'again')).rejects.toMatchObject({ code: 'person-erased' });
  }
  await vault.close();
  vault = await openVault({ directory });
  await expect(vault.seal('lead-2', 'note', 'again')).rejects.toThrow(PersonErased);
  expect(await vault.open(box)).toBeUndefined();
});

it('who seals for a person while the person is erased gets a box that never opens, or an error', async () => {
  const boxes: Sealed[] = [];
  const sealing = persons(0, 50).map(async (subject) => boxes.push(await vault.seal(subject, 'note', 1)));
  const erasing = persons(0, 50).map((subject) => vault.erase(subject));
  const results = await Promise.allSettled(sealing);
  await Promise.all(erasing);
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(PersonErased);
  for (const box of boxes) expect(await vault.open(box)).toBeUndefined();
  for (const subject of persons(0, 50)) await expect(vault.seal(subject, 'note', 2)).rejects.toThrow(PersonErased);
});

describe('while another program reads', () => {
  let reader: ChildProcess;
  afterEach(() => reader.kill('SIGKILL'));

  /** Starts a program that reads the keys, and keeps its transaction open or not. */
  async function startReader(transaction: 'BEGIN' | 'SELECT 1'): Promise<void> {
    const program = `
      const { default: Database } = await import('better-sqlite3');
      const keys = new Database(${JSON.stringify(join(directory, 'keys.sqlite'))}, { readonly: true });
      keys.exec('${transaction}');
      console.log(keys.prepare('SELECT count(*) FROM keys').pluck().get());
      setInterval(() => {}, 1000);`;
    reader = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const _ of createInterface({ input: reader.stdout as NodeJS.ReadableStream })) break;
  }

  it('a person is erased from every file, if that program is between two reads', async () => {
    await sealFor(persons(0, 100));
    const key = encryptedKeys().get('lead-7') as Buffer;
    await startReader('SELECT 1');
    await vault.erase('lead-7');
    expect(onDisk([key])).toBe(0);
  });

  it('an erasure fails while its transaction keeps the bytes; nobody else waits; repeated, it is complete', async () => {
    await sealFor(persons(0, 100));
    const key = encryptedKeys().get('lead-7') as Buffer;
    const [box] = (await sealFor(['lead-7'])) as [Sealed];
    await startReader('BEGIN');
    const erasing = vault.erase('lead-7').then(
      () => 'erased',
      (error) => error,
    );
    const others = sealFor(persons(100, 200)).then(() => 'sealed');
    expect(await Promise.race([erasing, others])).toBe('sealed');
    expect(await erasing).toBeInstanceOf(ErasureIncomplete);
    expect((await erasing).message).toContain(directory);
    expect(onDisk([key])).toBe(1);
    expect(await vault.open(box)).toBeUndefined();
    await expect(vault.seal('lead-7', 'note', 1)).rejects.toThrow(PersonErased);

    const ended = new Promise((resolve) => reader.once('exit', resolve));
    reader.kill('SIGKILL');
    await ended;
    await vault.erase('lead-7');
    expect(onDisk([key])).toBe(0);
  });
});

it('after keys were restored from an older backup, erasures are applied again', async () => {
  const boxes = await sealFor(persons(0, 30));
  await vault.close();
  const backup = readFileSync(join(directory, 'keys.sqlite'));
  vault = await openVault({ directory });
  await sealFor(['lead-new']);
  const erased = ['lead-3', 'lead-4', 'lead-new'];
  for (const subject of erased) await vault.erase(subject);
  expect(await vault.eraseAgain(erased)).toBe(0);

  await vault.close();
  rmSync(join(directory, 'keys.sqlite'));
  writeFileSync(join(directory, 'keys.sqlite'), backup, { mode: 0o600 });
  vault = await openVault({ directory });
  expect(await vault.open(boxes[3] as Sealed)).toBe('lead-3');
  const restored = [...encryptedKeys()].filter(([subject]) => erased.includes(subject)).map(([, key]) => key);
  expect(await vault.eraseAgain(erased)).toBe(2);
  expect(await vault.eraseAgain(erased)).toBe(0);
  expect(onDisk(restored)).toBe(0);
  expect(await Promise.all(boxes.slice(3, 6).map((box) => vault.open(box)))).toEqual([undefined, undefined, 'lead-5']);
  await expect(vault.seal('lead-new', 'note', 1)).rejects.toThrow(PersonErased);
});

it('who was erased stays so for who opens an older backup with the erasures of the log, and for copies', async () => {
  const boxes = await sealFor(persons(0, 3));
  await vault.close();
  const erased = new Set(['lead-1', 'lead-never']);
  const reader = await openVault({ directory, erased, readOnly: true });
  expect(await Promise.all(boxes.map((box) => reader.open(box)))).toEqual(['lead-0', undefined, 'lead-2']);
  expect(await reader.keysOfErased()).toBe(1);
  await reader.close();
  const target = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
  const masterKey = readFileSync(join(directory, 'master.key'));
  writeFileSync(join(target, 'master.key'), masterKey, { mode: 0o600 });
  await copyKeys({ directory, erased }, { directory: target }, () => {});
  const copy = await openVault({ directory: target });
  expect(await Promise.all(boxes.map((box) => copy.open(box)))).toEqual(['lead-0', undefined, 'lead-2']);
  expect([...(await copy.destroyedSubjects())].sort()).toEqual([...erased]);
  await copy.close();
  rmSync(target, { recursive: true });
  vault = await openVault({ directory });
  expect(await vault.destroyedSubjects()).toEqual([]);
});

it('counts keys that are missing, which destroyed ones are not', async () => {
  const boxes = await sealFor(persons(0, 5));
  await vault.erase('lead-1');
  const keyIds = boxes.map(({ keyId }) => keyId);
  expect(await vault.missingAmong(keyIds)).toEqual([]);
  expect(await vault.missingAmong([...keyIds, 'never', 'of-another-vault'])).toEqual(['never', 'of-another-vault']);
  expect(await vault.missingAmong([])).toEqual([]);
});

describe('a key that is missing, of an erased person', () => {
  const lose = () => {
    const keys = new Database(join(directory, 'keys.sqlite'));
    keys.exec('DELETE FROM keys');
    keys.close();
  };

  it('counts as destroyed once it is given up, and a person may have lost several', async () => {
    const [first, other] = (await sealFor(['lead-1', 'lead-2'])) as [Sealed, Sealed];
    await vault.close();
    lose();
    vault = await openVault({ directory });
    const [second] = (await sealFor(['lead-1'])) as [Sealed];
    for (const box of [first, other]) await expect(vault.open(box)).rejects.toThrow('is not in this vault');
    await vault.giveUp([first, second].map(({ keyId }) => ({ keyId, subject: 'lead-1' })));
    // A key that is there is not destroyed by it.
    expect([await vault.open(first), await vault.open(second)]).toEqual([undefined, 'lead-1']);
    await vault.erase('lead-1');
    await vault.lookAgain();
    expect([await vault.open(second), vault.keysMissed]).toEqual([undefined, 1]);
    expect(await vault.missingAmong([first, second, other].map(({ keyId }) => keyId))).toEqual([other.keyId]);
    await expect(vault.seal('lead-1', 'note', 1)).rejects.toThrow(PersonErased);
  });

  it('is known afterwards as the key of its subject; a mark of who never had a key names none', async () => {
    const [box] = (await sealFor(['lead-1'])) as [Sealed];
    await vault.close();
    lose();
    vault = await openVault({ directory });
    await vault.giveUp([{ keyId: box.keyId, subject: 'lead-1' }]);
    await vault.erase('lead-never');
    expect(await vault.destroyedAmong(['lead-1', 'lead-never', 'lead-2'])).toEqual(
      new Map([
        ['lead-1', box.keyId],
        ['lead-never', undefined],
      ]),
    );
  });

  it('is given up for who only reads until the vault is closed', async () => {
    const [box] = (await sealFor(['lead-1'])) as [Sealed];
    await vault.close();
    lose();
    const reader = await openVault({ directory, readOnly: true });
    await reader.giveUp([{ keyId: box.keyId, subject: 'lead-1' }]);
    expect([await reader.open(box), await reader.missingAmong([box.keyId])]).toEqual([undefined, []]);
    await reader.close();
    vault = await openVault({ directory });
    expect(await vault.missingAmong([box.keyId])).toEqual([box.keyId]);
  });
});

describe('keys of the version before', () => {
  const key = (byte: number) => Buffer.alloc(32, byte);
  const wrapped = (keyId: string, byte: number) => close(key(1), key(byte), keyId);

  /** As that version wrote them: a person who was erased could come back with another key. */
  function writeKeysOfBefore(): void {
    rmSync(join(directory, 'keys.sqlite'));
    const keys = new Database(join(directory, 'keys.sqlite'));
    keys.exec(`
      CREATE TABLE keys (key_id TEXT PRIMARY KEY, subject TEXT NOT NULL, wrapped BLOB) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX one_key_of_a_subject ON keys (subject) WHERE wrapped IS NOT NULL;
      CREATE TABLE secrets (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;`);
    const add = keys.prepare('INSERT INTO keys VALUES (?, ?, ?)');
    for (const [keyId, subject, value] of [
      ['k1', 'lead-1', wrapped('k1', 11)],
      ['k2', 'lead-2', null],
      ['k3', 'lead-3', null],
      ['k4', 'lead-3', wrapped('k4', 14)],
      ['k5', 'lead-4', null],
      ['k6', 'lead-4', null],
    ])
      add.run(keyId, subject, value);
    keys.prepare('INSERT INTO secrets VALUES (?, ?)').run('matching-secret', wrapped('matching-secret', 2));
    keys.close();
  }
  const boxOf = (keyId: string, byte: number): Sealed => ({
    keyId,
    box: close(key(byte), Buffer.from(`"${keyId}"`), keyId).toString('base64'),
  });

  beforeEach(async () => {
    await vault.close();
    writeKeysOfBefore();
  });

  it('open as they are for reading, and for writing in the new form', async () => {
    const other = await openVault({ directory: join(directory, 'other'), matchingSecret: key(2) });
    const { fingerprint } = other;
    await other.close();
    for (const readOnly of [true, false, true]) {
      vault = await openVault({ directory, masterKey: key(1), readOnly, mustExist: true });
      expect(vault.fingerprint).toBe(fingerprint);
      const opened = [
        boxOf('k1', 11),
        boxOf('k2', 12),
        boxOf('k3', 13),
        boxOf('k4', 14),
        boxOf('k5', 15),
        boxOf('k6', 16),
      ];
      expect(await Promise.all(opened.map((box) => vault.open(box)))).toEqual([
        'k1',
        undefined,
        undefined,
        'k4',
        undefined,
        undefined,
      ]);
      if (!readOnly) {
        expect((await vault.seal('lead-1', 'note', 1)).keyId).toBe('k1');
        expect((await vault.seal('lead-3', 'note', 1)).keyId).toBe('k4');
        for (const subject of ['lead-2', 'lead-4'])
          await expect(vault.seal(subject, 'note', 1)).rejects.toThrow(PersonErased);
      }
      await vault.close();
    }
    vault = await openVault();
  });

  it('leave nothing behind when they are erased', async () => {
    const before = [...encryptedKeys().values()];
    expect(onDisk(before)).toBe(2);
    vault = await openVault({ directory, masterKey: key(1) });
    for (const subject of ['lead-1', 'lead-3']) await vault.erase(subject);
    expect(onDisk(before)).toBe(0);
  });
});

describeWithPostgres('erasure in a PostgreSQL that programs share', () => {
  const masterKey = Buffer.alloc(32, 1);
  const opened: Vault[] = [];
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  const open = async () => {
    const program = await openVault({ databaseUrl: database.url, masterKey });
    opened.push(program);
    return program;
  };
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(async () => {
    for (const program of opened.splice(0)) await program.close();
    await database.drop();
  });

  it('is obeyed by every program at once, also for who never had a key, and however many seal meanwhile', async () => {
    const [one, other] = [await open(), await open()];
    await one.erase('lead-never');
    await expect(other.seal('lead-never', 'note', 1)).rejects.toThrow(PersonErased);
    const sealing = persons(0, 200).map((subject) => other.seal(subject, 'note', 1));
    const erasing = persons(0, 200).map((subject) => one.erase(subject));
    const boxes = (await Promise.allSettled(sealing)).flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    await Promise.all(erasing);
    const later = await open();
    for (const box of boxes) expect(await later.open(box)).toBeUndefined();
    for (const subject of persons(0, 200)) await expect(other.seal(subject, 'note', 2)).rejects.toThrow(PersonErased);
    expect(await database.query('SELECT 1 FROM vault.keys WHERE wrapped IS NOT NULL')).toEqual([]);
  });

  it('is applied again to keys that came back, and missing keys are counted', async () => {
    const program = await open();
    const boxes = await Promise.all(persons(0, 5).map((subject) => program.seal(subject, 'note', subject)));
    await database.query('CREATE TABLE backup AS SELECT * FROM vault.keys');
    await program.erase('lead-1');
    expect(await program.eraseAgain(['lead-1'])).toBe(0);
    await database.query('DELETE FROM vault.keys');
    await database.query('INSERT INTO vault.keys SELECT * FROM backup');
    const reader = await openVault({ databaseUrl: database.url, masterKey, erased: new Set(['lead-1']) });
    opened.push(reader);
    expect(await reader.open(boxes[1] as Sealed)).toBeUndefined();
    expect(await reader.keysOfErased()).toBe(1);
    expect(await program.eraseAgain(['lead-1', 'lead-later'])).toBe(1);
    expect([...(await program.destroyedSubjects())].sort()).toEqual(['lead-1', 'lead-later']);
    expect(await Promise.all(boxes.map((box) => program.open(box)))).toEqual(
      persons(0, 5).map((subject) => (subject === 'lead-1' ? undefined : subject)),
    );
    await expect(program.seal('lead-later', 'note', 1)).rejects.toThrow(PersonErased);
    await program.giveUp([
      { keyId: 'lost', subject: 'lead-1' },
      { keyId: 'lost-too', subject: 'lead-9' },
    ]);
    expect(await reader.missingAmong(['lost', 'lost-too'])).toEqual([]);
    await expect(reader.seal('lead-9', 'note', 1)).rejects.toThrow(PersonErased);
    expect(await program.missingAmong([...boxes.map(({ keyId }) => keyId), 'never'])).toEqual(['never']);
  });

  it('of the version before is kept, and a person who came back keeps the later key', async () => {
    await database.query(`
      CREATE SCHEMA vault;
      CREATE TABLE vault.keys (key_id text PRIMARY KEY, subject text NOT NULL, wrapped bytea);
      CREATE UNIQUE INDEX one_key_of_a_subject ON vault.keys (subject) WHERE wrapped IS NOT NULL;
      CREATE TABLE vault.secrets (name text PRIMARY KEY, wrapped bytea NOT NULL);
      INSERT INTO vault.keys VALUES ('k1', 'lead-1', NULL), ('k2', 'lead-2', NULL), ('k4', 'lead-2', NULL),
        ('k3', 'lead-2', '\\x${close(masterKey, Buffer.alloc(32, 9), 'k3').toString('hex')}')`);
    const programs = await Promise.all([open(), open()]);
    for (const program of programs) {
      await expect(program.seal('lead-1', 'note', 1)).rejects.toThrow(PersonErased);
      expect((await program.seal('lead-2', 'note', 1)).keyId).toBe('k3');
      expect(await program.open({ keyId: 'k2', box: '' })).toBeUndefined();
    }
  });
});
