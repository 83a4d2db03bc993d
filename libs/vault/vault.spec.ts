import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { type Sealed, unsealed } from '#domain/kernel/events';
import { CannotOpenStore, StoreUnavailable } from '#event-store/port';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { close, KEY_BYTES } from './boxes.ts';
import { copyKeys } from './copy-keys.ts';
import { openVault } from './key-vault.ts';
import { BoxDamaged, KeyMissing, PersonErased, type Vault } from './vault.ts';

describe('the vault', () => {
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

  const reopen = async (options: Parameters<typeof openVault>[0] = {}) => {
    await vault.close();
    vault = await openVault({ directory, ...options });
  };
  const bytesOnDisk = () => Buffer.concat(readdirSync(directory).map((name) => readFileSync(join(directory, name))));

  it('opens what it sealed, also after a restart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.jsonValue(), async (subject, value) => {
        const box = await vault.seal(subject, 'note', value);
        expect(JSON.stringify(await vault.open(box))).toBe(JSON.stringify(value));
      }),
      { numRuns: 50 },
    );
    const box = await vault.seal('lead-1', 'note', { firstName: 'Zoë' });
    await reopen();
    expect(await vault.open(box)).toEqual({ firstName: 'Zoë' });
  });

  it('seals the same value differently each time, and shows nothing of it', async () => {
    const boxes = await Promise.all([
      vault.seal('lead-1', 'note', 'Rosalind'),
      vault.seal('lead-1', 'note', 'Rosalind'),
    ]);
    expect(boxes[0]?.box).not.toBe(boxes[1]?.box);
    expect(boxes[0]?.keyId).toBe(boxes[1]?.keyId);
    expect(Buffer.from((boxes[0] as Sealed).box, 'base64').toString('latin1')).not.toContain('Rosalind');
    expect(bytesOnDisk().includes('Rosalind')).toBe(false);
  });

  it('erases one person for ever, and nobody else', async () => {
    const [erased, other] = [await vault.seal('lead-1', 'note', 1), await vault.seal('lead-2', 'note', 2)];
    await vault.erase('lead-1');
    expect([await vault.open(erased), await vault.open(other)]).toEqual([undefined, 2]);
    await reopen();
    expect([await vault.open(erased), await vault.open(other)]).toEqual([undefined, 2]);
    await expect(vault.seal('lead-1', 'note', 3)).rejects.toThrow(PersonErased);
    expect(await vault.open(erased)).toBeUndefined();
  });

  it('gives a person the same key each time, by number or address, and another key for each kind', async () => {
    const telephone = vault.personKey('telephone', '+12125550142');
    expect(telephone).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(vault.personKey('email', '+12125550142')).not.toBe(telephone);
    await reopen();
    expect(vault.personKey('telephone', '+12125550142')).toBe(telephone);
    const stranger = await openVault();
    expect(stranger.personKey('telephone', '+12125550142')).not.toBe(telephone);
    await stranger.close();
  });

  it('refuses a box that was changed, moved to another key, or whose key it never had', async () => {
    const [box, other] = [await vault.seal('lead-1', 'note', 1), await vault.seal('lead-2', 'note', 2)];
    const bytes = Buffer.from(box.box, 'base64');
    bytes[15] = (bytes[15] as number) ^ 1;
    await expect(vault.open({ ...box, box: bytes.toString('base64') })).rejects.toThrow(BoxDamaged);
    await expect(vault.open({ ...box, box: other.box })).rejects.toThrow(BoxDamaged);
    await expect(vault.open({ ...box, box: '' })).rejects.toThrow(BoxDamaged);
    await expect(vault.open({ ...box, purpose: 'name' })).rejects.toThrow(BoxDamaged);
    await expect(vault.open({ keyId: box.keyId, box: box.box })).rejects.toThrow(BoxDamaged);
    await expect(vault.open({ ...box, keyId: 'never' })).rejects.toThrow(KeyMissing);
    await expect(vault.open({ ...box, box: '' })).rejects.toMatchObject({ code: 'box-damaged' });
    await expect(vault.open({ ...box, keyId: 'never' })).rejects.toMatchObject({ code: 'key-missing' });
  });

  it('refuses a box when its key was given to another person', async () => {
    const box = await vault.seal('lead-1', 'note', 1);
    await vault.close();
    const keys = new Database(join(directory, 'keys.sqlite'));
    keys.exec("UPDATE keys SET subject = 'lead-2'");
    keys.close();
    vault = await openVault({ directory });
    await expect(vault.open(box)).rejects.toThrow(BoxDamaged);
  });

  it.each([
    ['that of another person', "wrapped = (SELECT wrapped FROM keys WHERE subject = 'lead-2')"],
    ['cut', 'wrapped = substr(wrapped, 1, 20)'],
    ['empty', "wrapped = x''"],
    ['under a master key that never was', "wrapped = CAST(x'02ffffffffffffffff' || substr(wrapped, 10) AS BLOB)"],
  ])('says that a key is damaged, and counts it: it is %s', async (_, change) => {
    const [box, other] = [await vault.seal('lead-1', 'note', 1), await vault.seal('lead-2', 'note', 2)];
    await vault.close();
    const keys = new Database(join(directory, 'keys.sqlite'));
    keys.exec(`UPDATE keys SET ${change} WHERE subject = 'lead-1'`);
    keys.close();
    vault = await openVault({ directory });
    await expect(vault.open(box)).rejects.toThrow(BoxDamaged);
    await expect(vault.seal('lead-1', 'note', 3)).rejects.toThrow(BoxDamaged);
    expect([await vault.open(other), vault.keysDamaged]).toEqual([2, 1]);
    expect(await vault.damagedAmong([box.keyId, other.keyId, 'never'])).toEqual([box.keyId]);
    expect(await vault.missingAmong([box.keyId, other.keyId, 'never'])).toEqual(['never']);
    expect(await vault.destroyedSubjects()).toEqual([]);
    await vault.erase('lead-1');
    expect([await vault.open(box), await vault.destroyedSubjects()]).toEqual([undefined, ['lead-1']]);
    await vault.lookAgain();
    expect([vault.keysDamaged, vault.keysMissed]).toEqual([0, 1]);
    expect(await vault.eraseAgain(['lead-1'])).toBe(0);
  });

  it('opens boxes and texts of older versions, which were not bound to a person', async () => {
    const key = Buffer.alloc(KEY_BYTES, 9);
    const master = Buffer.from(readFileSync(join(directory, 'master.key'), 'utf8'), 'base64');
    await vault.close();
    const keys = new Database(join(directory, 'keys.sqlite'));
    const wrapped = close(master, key, 'an-old-id');
    expect(wrapped).toHaveLength(60);
    keys.prepare('INSERT INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?)').run('an-old-id', 'lead-1', wrapped);
    keys.close();
    vault = await openVault({ directory });
    const box = close(key, Buffer.from('"of before"'), 'an-old-id').toString('base64');
    expect(await vault.open({ keyId: 'an-old-id', box })).toBe('of before');
    await expect(vault.open({ keyId: 'an-old-id', purpose: 'note', box })).rejects.toThrow(BoxDamaged);
    expect((await vault.seal('lead-1', 'note', 1)).keyId).toBe('an-old-id');
    expect(await vault.open(unsealed('a text of before'))).toBe('a text of before');
  });

  it('cannot be opened without its master key', async () => {
    const file = join(directory, 'master.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const master = readFileSync(file);
    await expect(openVault({ directory, masterKey: new Uint8Array(32) })).rejects.toThrow(CannotOpenStore);
    writeFileSync(file, 'no key');
    await expect(openVault({ directory })).rejects.toThrow('holds no key');
    rmSync(file);
    await expect(openVault({ directory })).rejects.toThrow('is missing');
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, master);
    await reopen();
  });

  it('opened for reading only, opens boxes but does not seal or erase', async () => {
    const box = await vault.seal('lead-1', 'note', 1);
    await reopen({ readOnly: true });
    expect(await vault.open(box)).toBe(1);
    await expect(vault.seal('lead-2', 'note', 1)).rejects.toThrow(StoreUnavailable);
    await expect(vault.erase('lead-1')).rejects.toThrow(StoreUnavailable);
  });

  it('keeps the key of every box that it returned when its process is killed', async () => {
    const program = `
      const { openVault } = await import(${JSON.stringify(new URL('./key-vault.ts', import.meta.url).href)});
      const vault = await openVault({ directory: ${JSON.stringify(directory)} });
      for (let number = 0; ; number += 1) console.log(JSON.stringify(await vault.seal('lead-' + number, 'note', number)));`;
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const boxes: Sealed[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      boxes.push(JSON.parse(line));
      if (boxes.length === 100) child.kill('SIGKILL');
    }
    await reopen();
    expect(await Promise.all(boxes.map((box) => vault.open(box)))).toEqual(boxes.map((_, number) => number));
    expect(boxes.length).toBeGreaterThanOrEqual(100);
  });
});

const masterKey = new Uint8Array(32).fill(7);

describeWithPostgres('the vault in a PostgreSQL that programs share', () => {
  let databaseUrl: string;
  let drop: () => Promise<void>;
  const opened: Vault[] = [];
  const open = async (options: Parameters<typeof openVault>[0] = {}) => {
    const vault = await openVault({ databaseUrl, masterKey, ...options });
    opened.push(vault);
    return vault;
  };
  beforeEach(async () => {
    ({ url: databaseUrl, drop } = await freshDatabase());
  });
  afterEach(async () => {
    for (const vault of opened.splice(0)) await vault.close();
    await drop();
  });

  it('opens boxes that another program sealed, and gives persons the same keys', async () => {
    const [one, other] = (await Promise.all([open(), open()])) as [Vault, Vault];
    expect(await other.open(await one.seal('lead-1', 'note', { firstName: 'Zoë' }))).toEqual({ firstName: 'Zoë' });
    expect(other.personKey('email', 'a@example.org')).toBe(one.personKey('email', 'a@example.org'));
  });

  it('has one key for a person, although two programs seal for them at once', async () => {
    const [one, other] = [await open(), await open()];
    const subjects = Array.from({ length: 200 }, (_, number) => `lead-${number % 50}`);
    const boxes = await Promise.all(
      subjects.flatMap((subject) => [one.seal(subject, 'note', subject), other.seal(subject, 'note', subject)]),
    );
    expect(new Set(boxes.map(({ keyId }) => keyId)).size).toBe(50);
    const values = await Promise.all(boxes.map((box) => other.open(box)));
    expect(values).toEqual(subjects.flatMap((subject) => [subject, subject]));
  });

  it('erases one person for ever, in every program that starts afterwards, and nobody else', async () => {
    const vault = await open();
    const [erased, kept] = [await vault.seal('lead-1', 'note', 1), await vault.seal('lead-2', 'note', 2)];
    await vault.erase('lead-1');
    for (const reader of [vault, await open()])
      expect([await reader.open(erased), await reader.open(kept)]).toEqual([undefined, 2]);
    for (const program of opened) await expect(program.seal('lead-1', 'note', 3)).rejects.toThrow(PersonErased);
    expect(await vault.open(erased)).toBeUndefined();
    await expect(vault.open({ ...kept, keyId: 'never' })).rejects.toThrow(KeyMissing);
  });

  it('cannot be opened without its master key, and asks for one', async () => {
    await open();
    await expect(open({ masterKey: new Uint8Array(32) })).rejects.toThrow(CannotOpenStore);
    await expect(openVault({ databaseUrl })).rejects.toThrow('LEADGER_MASTER_KEY');
  });

  it('copies all keys of one machine, those of erased persons too, any number of times', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    const embedded = await openVault({ directory, masterKey });
    const boxes = await Promise.all(['a', 'b', 'c'].map((subject) => embedded.seal(subject, 'note', subject)));
    const erased = await embedded.seal('d', 'note', 'd');
    await embedded.erase('d');
    const personKey = embedded.personKey('telephone', '+12125550142');
    await embedded.close();
    for (let times = 0; times < 2; times += 1)
      expect(await copyKeys({ directory, masterKey }, { databaseUrl, masterKey }, () => {})).toBe(4);
    const vault = await open();
    expect(await Promise.all([...boxes, erased].map((box) => vault.open(box)))).toEqual(['a', 'b', 'c', undefined]);
    expect(vault.personKey('telephone', '+12125550142')).toBe(personKey);

    const again = await openVault({ directory, masterKey });
    await again.erase('a');
    await again.close();
    await copyKeys({ directory, masterKey }, { databaseUrl, masterKey }, () => {});
    expect(await (await open()).open(boxes[0] as Sealed)).toBeUndefined();

    const stranger = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    await (await openVault({ directory: stranger, masterKey })).close();
    await expect(copyKeys({ directory: stranger, masterKey }, { databaseUrl, masterKey }, () => {})).rejects.toThrow(
      'another store',
    );
    rmSync(directory, { recursive: true });
    rmSync(stranger, { recursive: true });
  });
});
