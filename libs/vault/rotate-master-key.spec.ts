import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Sealed } from '#domain/kernel/events';
import { CannotOpenStore, StoreUnavailable } from '#event-store/port';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { close } from './boxes.ts';
import { openVault } from './key-vault.ts';
import type { VaultOptions } from './opened-keys.ts';
import { rotateMasterKey } from './rotate-master-key.ts';
import { BoxDamaged, type Vault } from './vault.ts';

const persons = (count: number) => Array.from({ length: count }, (_, number) => `lead-${number}`);
const sealFor = (vault: Vault, subjects: readonly string[]): Promise<Sealed[]> =>
  Promise.all(subjects.map((subject) => vault.seal(subject, 'note', subject)));
const openAll = (vault: Vault, boxes: readonly Sealed[]) => Promise.all(boxes.map((box) => vault.open(box)));

/** For the rotation, which reads master keys as programs do. */
function inEnvironment(masterKey: string, nextMasterKey?: string): void {
  process.env.LEADGER_MASTER_KEY = masterKey;
  if (nextMasterKey === undefined) delete process.env.LEADGER_MASTER_KEY_NEXT;
  else process.env.LEADGER_MASTER_KEY_NEXT = nextMasterKey;
}
afterEach(() => {
  delete process.env.LEADGER_MASTER_KEY;
  delete process.env.LEADGER_MASTER_KEY_NEXT;
});
const hexOf = (byte: number): string => Buffer.alloc(32, byte).toString('hex');

describe('the master key of one machine', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function withVault<Result>(use: (vault: Vault) => Promise<Result>, options: VaultOptions = {}) {
    const vault = await openVault({ directory, ...options });
    try {
      return await use(vault);
    } finally {
      await vault.close();
    }
  }
  const masterKey = () => Buffer.from(readFileSync(join(directory, 'master.key'), 'utf8'), 'base64');
  const wrappedKeys = (): readonly Buffer[] => {
    const keys = new Database(join(directory, 'keys.sqlite'), { readonly: true });
    const all = keys.prepare(
      'SELECT wrapped FROM keys WHERE wrapped <> zeroblob(length(wrapped)) UNION ALL SELECT wrapped FROM secrets',
    );
    const wrapped = all.pluck().all() as Buffer[];
    keys.close();
    return wrapped;
  };
  const onDisk = (...searched: readonly Buffer[]): readonly Buffer[] => {
    const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
    return searched.filter((bytes) => files.some((file) => file.includes(bytes)));
  };

  it('is replaced where a link leads, so that the former one stays nowhere', async () => {
    const boxes = await withVault((vault) => sealFor(vault, persons(3)));
    const former = masterKey();
    const elsewhere = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    const [link, target] = [join(directory, 'master.key'), join(elsewhere, 'secret')];
    renameSync(link, target);
    symlinkSync(target, link);
    expect(await rotateMasterKey({ directory }, () => {})).toEqual({ keys: 3, replaced: true });
    expect(readlinkSync(link)).toBe(target);
    expect(masterKey()).not.toEqual(former);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readdirSync(elsewhere)).toEqual(['secret']);
    expect(readdirSync(directory)).not.toContain('master.key.next');
    await withVault(async (vault) => expect(await openAll(vault, boxes)).toEqual(persons(3)));
    rmSync(elsewhere, { recursive: true });
  });

  it('is replaced at the second time, when the first one was interrupted before it removed the next key', async () => {
    const boxes = await withVault((vault) => sealFor(vault, persons(3)));
    await rotateMasterKey({ directory }, () => {});
    copyFileSync(join(directory, 'master.key'), join(directory, 'master.key.next'));
    await withVault(async (vault) => expect(await openAll(vault, boxes)).toEqual(persons(3)));
    expect(await rotateMasterKey({ directory }, () => {})).toEqual({ keys: 0, replaced: true });
    expect(existsSync(join(directory, 'master.key.next'))).toBe(false);
    await withVault(async (vault) => expect(await openAll(vault, boxes)).toEqual(persons(3)));
  });

  it('is replaced: all boxes open and hashes are equal, nothing opens with the former one, which is gone', async () => {
    const { boxes, fingerprint } = await withVault(async (vault) => {
      const sealed = await sealFor(vault, persons(2500));
      await vault.erase('lead-3');
      return { boxes: sealed, fingerprint: vault.fingerprint };
    });
    const [former, wrapped] = [masterKey(), wrappedKeys()];
    expect(await rotateMasterKey({ directory }, () => {})).toEqual({ keys: 2499, replaced: true });
    expect(masterKey()).not.toEqual(former);
    expect(statSync(join(directory, 'master.key')).mode & 0o777).toBe(0o600);
    expect(onDisk(...wrapped, Buffer.from(former.toString('base64')))).toEqual([]);
    await withVault(async (vault) => {
      expect(await openAll(vault, boxes)).toEqual(persons(2500).map((one) => (one === 'lead-3' ? undefined : one)));
      expect(vault.fingerprint).toBe(fingerprint);
      expect((await vault.seal('lead-1', 'note', 1)).keyId).toBe(boxes[1]?.keyId);
    });
    await expect(openVault({ directory, masterKey: former })).rejects.toThrow(CannotOpenStore);
  });

  it('is replaced where the environment gives it, by the one that the environment gives next', async () => {
    inEnvironment(hexOf(1));
    const boxes = await withVault((vault) => sealFor(vault, persons(3)));
    await expect(rotateMasterKey({ directory }, () => {})).rejects.toThrow('LEADGER_MASTER_KEY_NEXT');
    inEnvironment(hexOf(1), hexOf(1));
    await expect(rotateMasterKey({ directory }, () => {})).rejects.toThrow('same key');
    inEnvironment(hexOf(1), hexOf(2));
    expect(await rotateMasterKey({ directory }, () => {})).toEqual({ keys: 3, replaced: false });
    expect(await rotateMasterKey({ directory }, () => {})).toEqual({ keys: 0, replaced: false });
    inEnvironment(hexOf(2));
    expect(await withVault((vault) => openAll(vault, boxes))).toEqual(persons(3));
    inEnvironment(hexOf(1));
    await expect(openVault({ directory })).rejects.toThrow('leadger keys rotate');
  });

  it('wraps keys of older versions in the present form', async () => {
    const boxes = await withVault((vault) => sealFor(vault, persons(2)));
    const keys = new Database(join(directory, 'keys.sqlite'));
    keys
      .prepare('INSERT INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?)')
      .run('old', 'lead-old', close(masterKey(), Buffer.alloc(32, 9), 'old'));
    keys.close();
    expect(await rotateMasterKey({ directory }, () => {})).toEqual({ keys: 3, replaced: true });
    expect(wrappedKeys().map(({ length }) => length)).toEqual(Array(4).fill(69));
    expect(await withVault((vault) => openAll(vault, boxes))).toEqual(persons(2));
  });

  it('killed at any point, a rotation stops nobody and is completed by the next one', async () => {
    const boxes = await withVault((vault) => sealFor(vault, persons(4000)));
    const former = masterKey();
    const program = (pagesBeforeDeath: number) => `
      const { rotateMasterKey } = await import(${JSON.stringify(new URL('./rotate-master-key.ts', import.meta.url).href)});
      let pages = 0;
      await rotateMasterKey({ directory: ${JSON.stringify(directory)} }, () => {
        pages += 1;
        if (pages === ${pagesBeforeDeath}) process.kill(process.pid, 'SIGKILL');
      });`;
    for (const pages of [1, 2, 4]) {
      const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program(pages)], {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      expect(await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))).toBe('SIGKILL');
      const more = await withVault(async (vault) => {
        expect(await openAll(vault, boxes)).toEqual(persons(4000));
        return vault.seal(`lead-after-${pages}`, 'note', 1);
      });
      expect(await withVault((vault) => vault.open(more))).toBe(1);
    }
    expect(existsSync(join(directory, 'master.key.next'))).toBe(true);
    expect((await rotateMasterKey({ directory }, () => {})).replaced).toBe(true);
    expect(existsSync(join(directory, 'master.key.next'))).toBe(false);
    expect(masterKey()).not.toEqual(former);
    expect(await withVault((vault) => openAll(vault, boxes))).toEqual(persons(4000));
  });

  it('is kept while a key opens with neither', async () => {
    await withVault((vault) => sealFor(vault, persons(3)));
    const keys = new Database(join(directory, 'keys.sqlite'));
    keys.exec("UPDATE keys SET wrapped = randomblob(69) WHERE subject = 'lead-1'");
    keys.close();
    const former = masterKey();
    await expect(rotateMasterKey({ directory }, () => {})).rejects.toMatchObject({ code: 'keys-not-wrapped' });
    expect(masterKey()).toEqual(former);
    expect(existsSync(join(directory, 'master.key.next'))).toBe(true);
  });

  it('opens no key as that of another person, and no secret under another name', async () => {
    const [box] = (await withVault((vault) => sealFor(vault, ['lead-1']))) as [Sealed];
    const change = (sql: string) => {
      const keys = new Database(join(directory, 'keys.sqlite'));
      keys.exec(sql);
      keys.close();
    };
    change("UPDATE keys SET subject = 'lead-2'");
    await withVault((vault) => expect(vault.open(box)).rejects.toThrow(BoxDamaged));
    change("INSERT INTO secrets SELECT 'another', wrapped FROM secrets; UPDATE keys SET subject = 'lead-1'");
    expect(await withVault((vault) => vault.open(box))).toBe('lead-1');
    change(`UPDATE secrets SET wrapped = (SELECT wrapped FROM keys)`);
    await expect(openVault({ directory })).rejects.toThrow(CannotOpenStore);
  });

  it('a key file that was not written to its end is written again', async () => {
    writeFileSync(join(directory, 'master.key.draft'), 'cut o');
    await withVault((vault) => sealFor(vault, persons(1)));
    writeFileSync(join(directory, 'master.key.next.draft'), 'cut o');
    expect((await rotateMasterKey({ directory }, () => {})).replaced).toBe(true);
    expect(readdirSync(directory).filter((name) => name.startsWith('master'))).toEqual(['master.key']);
  });
});

describeWithPostgres('the master key of keys in PostgreSQL', () => {
  let databaseUrl: string;
  let drop: () => Promise<void>;
  const opened: Vault[] = [];
  const open = async (masterKey: number, nextMasterKey?: number) => {
    const vault = await openVault({
      databaseUrl,
      masterKey: Buffer.alloc(32, masterKey),
      nextMasterKey: nextMasterKey === undefined ? undefined : Buffer.alloc(32, nextMasterKey),
    });
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

  it('is replaced while programs that know both seal, open and erase', async () => {
    const programs = [await open(1, 2), await open(1, 2)] as const;
    const boxes = await sealFor(programs[0], persons(3000));
    inEnvironment(hexOf(1), hexOf(2));
    let rotating = true;
    const working = programs.map(async (program, index) => {
      const made: Sealed[] = [];
      for (let round = 0; rotating || round < 20; round += 1) {
        made.push(...(await sealFor(program, [`lead-new-${index}-${round}`, `lead-${round % 3000}`])));
        expect(await program.open(boxes[(round * 7) % 3000] as Sealed)).toBe(`lead-${(round * 7) % 3000}`);
      }
      return made;
    });
    const { keys, replaced } = await rotateMasterKey({ databaseUrl }, () => {});
    rotating = false;
    const made = (await Promise.all(working)).flat();
    expect(keys).toBeGreaterThanOrEqual(3000);
    expect(replaced).toBe(false);
    await programs[0].erase('lead-0');

    const afterwards = await open(2);
    expect(await openAll(afterwards, boxes.slice(1))).toEqual(persons(3000).slice(1));
    for (const box of made) await afterwards.open(box);
    expect(await afterwards.open(boxes[0] as Sealed)).toBeUndefined();
    expect((await rotateMasterKey({ databaseUrl }, () => {})).keys).toBe(0);
  });

  it('a program that does not know the next one says so, and stores nothing', async () => {
    const vault = await open(1);
    const [box] = (await sealFor(vault, ['lead-1'])) as [Sealed];
    inEnvironment(hexOf(1), hexOf(2));
    await rotateMasterKey({ databaseUrl }, () => {});
    await expect(vault.seal('lead-2', 'note', 1)).rejects.toThrow(StoreUnavailable);
    await expect(vault.seal('lead-2', 'note', 1)).rejects.toThrow('leadger keys rotate');
    const afterwards = await open(2);
    expect(await afterwards.open(box)).toBe('lead-1');
    expect(await afterwards.missingAmong([box.keyId])).toEqual([]);
  });
});
