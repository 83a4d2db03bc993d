import { execSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directoryHolder, openDataDirectory } from './data-directory.ts';
import { CannotOpenStore } from './port.ts';

describe('a data directory', () => {
  const { warn } = console;
  const warnings: string[] = [];
  let umask: number;
  let path: string;
  beforeEach(() => {
    // Of a user whose files everybody may open.
    umask = process.umask(0);
    warnings.length = 0;
    console.warn = (line) => void warnings.push(line);
    path = join(mkdtempSync(join(tmpdir(), 'leadger-spec-')), 'data');
  });
  afterEach(() => {
    process.umask(umask);
    console.warn = warn;
    rmSync(join(path, '..'), { recursive: true, force: true });
  });

  const refusal = (open: () => unknown): CannotOpenStore => {
    try {
      open();
    } catch (error) {
      expect(error).toBeInstanceOf(CannotOpenStore);
      return error as CannotOpenStore;
    }
    throw new Error('it was opened');
  };

  it('is created with its format, and one process can use it at a time', () => {
    const directory = openDataDirectory(path);
    expect(JSON.parse(readFileSync(join(path, 'format.json'), 'utf8'))).toEqual({ format: 1, files: 'owner-only' });
    directory.setUrl('http://127.0.0.1:3000');
    const { code, message } = refusal(() => openDataDirectory(path));
    expect(code).toBe('locked');
    expect(message).toBe(`${path} is in use by process ${process.pid}, which answers at http://127.0.0.1:3000`);
    expect(directoryHolder(path)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:3000' });
    directory.close();
    expect(directoryHolder(path)).toBeUndefined();
    openDataDirectory(path).close();
  });

  it('can be read while another process uses it', () => {
    const directory = openDataDirectory(path);
    openDataDirectory(path, { readOnly: true }).close();
    directory.close();
  });

  it('is not created for reading', () => {
    expect(refusal(() => openDataDirectory(path, { readOnly: true })).message).toContain(
      `there is no store in ${path}`,
    );
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['newer-format', '{"format":2}', 'has format 2'],
    ['damaged', '{"format":"one"}', 'does not say which format'],
    ['damaged', '', 'does not say which format'],
  ])('with a format that is %s is refused and not changed', (code, content, message) => {
    openDataDirectory(path).close();
    writeFileSync(join(path, 'format.json'), content);
    const refused = refusal(() => openDataDirectory(path));
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(message);
    expect(directoryHolder(path)).toBeUndefined();
  });

  it('is refused when it is a file', () => {
    writeFileSync(path, '');
    expect(refusal(() => openDataDirectory(path)).message).toBe(`${path} is not a directory`);
  });

  // Root may write everywhere.
  (process.getuid?.() === 0 ? it.skip : it)('is refused when it may not be written', () => {
    openDataDirectory(path).close();
    chmodSync(path, 0o500);
    expect(refusal(() => openDataDirectory(path)).code).toBe('read-only');
    chmodSync(path, 0o700);
  });

  // Windows has no modes.
  (process.platform === 'win32' ? describe.skip : describe)('is for its owner only:', () => {
    const everything = (): string[] => [
      path,
      ...readdirSync(path, { recursive: true }).map((name) => join(path, `${name}`)),
    ];
    const modes = () => everything().map((place) => (statSync(place).mode & 0o777).toString(8));
    const keyFile = () => join(path, 'keys', 'master.key');

    /** A directory as versions before this one left it: no mark, and modes as the user's umask was. */
    function storeOfAnOlderVersion(): void {
      openDataDirectory(path).close();
      mkdirSync(join(path, 'keys'));
      mkdirSync(join(path, 'read-models', 'folder'), { recursive: true });
      writeFileSync(keyFile(), 'a key');
      writeFileSync(join(path, 'read-models', 'folder', 'rows'), 'rows');
      writeFileSync(join(path, 'format.json'), '{"format":1}');
      for (const place of everything()) chmodSync(place, statSync(place).isDirectory() ? 0o755 : 0o644);
    }

    it('whatever the umask is, everything in it is created so', () => {
      const directory = openDataDirectory(path);
      mkdirSync(join(path, 'events'));
      writeFileSync(join(path, 'events', 'events.sqlite'), '');
      expect([...new Set(modes())].sort()).toEqual(['600', '700']);
      directory.close();
      expect(warnings).toEqual([]);
    });

    it('one of an older version is closed to others at its first start, which says so once', () => {
      storeOfAnOlderVersion();
      openDataDirectory(path).close();
      expect([...new Set(modes())].sort()).toEqual(['600', '700']);
      expect(warnings).toEqual([`leadger: other users could open files in ${path}: from now on only their owner can`]);
      openDataDirectory(path).close();
      expect(warnings).toHaveLength(1);
    });

    it.each(['pglite', 'pglite.new'])(
      '(%s) the folder of PGlite is closed as a whole: PGlite sets the modes of its files itself',
      (name) => {
        openDataDirectory(path).close();
        const folder = join(path, 'read-models', name);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'pg_internal.init'), '');
        chmodSync(join(folder, 'pg_internal.init'), 0o644);
        openDataDirectory(path).close();
        chmodSync(folder, 0o755);
        expect(refusal(() => openDataDirectory(path)).message).toContain(`open ${folder} (mode 755)`);
      },
    );

    it('one of an older version can be read before that, and reading changes nothing', () => {
      storeOfAnOlderVersion();
      const before = modes();
      openDataDirectory(path, { readOnly: true }).close();
      expect(modes()).toEqual(before);
    });

    it.each([
      ['a key', 'keys/master.key', 0o640],
      ['a folder', 'read-models/folder', 0o701],
      ['a file deep in it', 'read-models/folder/rows', 0o602],
      ['the directory', '.', 0o750],
    ])('%s that was opened to others later is refused, with the command that mends it', (_, name, mode) => {
      storeOfAnOlderVersion();
      openDataDirectory(path).close();
      const place = join(path, name);
      chmodSync(place, mode);
      const message = `other users can open ${place} (mode ${mode.toString(8)}): its owner can stop that with: chmod -R go-rwx ${path}`;
      for (const readOnly of [true, false]) {
        const refused = refusal(() => openDataDirectory(path, { readOnly }));
        expect(refused).toMatchObject({ code: 'not-private', message });
      }
      expect(directoryHolder(path)).toBeUndefined();
      execSync(/chmod .*/.exec(message)?.[0] as string);
      openDataDirectory(path).close();
    });

    it('a part on another disk is checked there, and the command names that place', () => {
      storeOfAnOlderVersion();
      const elsewhere = join(path, '..', 'other disk');
      mkdirSync(elsewhere);
      rmSync(join(path, 'keys'), { recursive: true });
      symlinkSync(elsewhere, join(path, 'keys'));
      openDataDirectory(path).close();
      expect(statSync(elsewhere).mode & 0o777).toBe(0o700);
      chmodSync(elsewhere, 0o755);
      const { message } = refusal(() => openDataDirectory(path));
      expect(message).toContain(`: chmod -R go-rwx '${elsewhere}'`);
      execSync(/chmod .*/.exec(message)?.[0] as string);
      openDataDirectory(path).close();
    });

    it.each(['keys/master.key', 'keys/keys.sqlite', 'events/events.sqlite'])(
      'what %s leads to, when it is a link, and what SQLite keeps beside that',
      (name) => {
        const elsewhere = join(path, '..', 'elsewhere');
        for (const folder of [join(path, name, '..'), elsewhere]) mkdirSync(folder, { recursive: true, mode: 0o700 });
        openDataDirectory(path).close();
        const target = join(elsewhere, 'file');
        for (const file of [target, `${target}-wal`, `${target}-shm`]) {
          writeFileSync(file, '', { mode: 0o600 });
        }
        symlinkSync(target, join(path, name));
        openDataDirectory(path).close();
        for (const file of [target, `${target}-wal`, `${target}-shm`]) {
          chmodSync(file, 0o644);
          const { code, message } = refusal(() => openDataDirectory(path, { readOnly: true }));
          expect({ code, message }).toEqual({
            code: 'not-private',
            message: `other users can open ${file} (mode 644): its owner can stop that with: chmod -R go-rwx ${file}`,
          });
          expect(refusal(() => openDataDirectory(path)).message).toBe(message);
          execSync(/chmod .*/.exec(message)?.[0] as string);
        }
        rmSync(target);
        openDataDirectory(path).close();
      },
    );

    it('a folder of other files, which others can open, does not become a store, and keeps its mode', () => {
      mkdirSync(path);
      writeFileSync(join(path, 'letter.txt'), 'not ours');
      const { code, message } = refusal(() => openDataDirectory(path));
      expect(code).toBe('not-private');
      expect(message).toBe(
        `other users can open ${path} (mode 777), and it holds other files: choose a new directory for the store`,
      );
      expect(readdirSync(path)).toEqual(['letter.txt']);
      expect(statSync(path).mode & 0o777).toBe(0o777);
    });

    it('an empty folder becomes a store, and files beside the parts of a store are left alone', () => {
      mkdirSync(path);
      openDataDirectory(path).close();
      const note = join(path, 'note.txt');
      writeFileSync(note, 'of the owner');
      chmodSync(note, 0o644);
      openDataDirectory(path).close();
      expect(statSync(path).mode & 0o777).toBe(0o700);
      expect(statSync(note).mode & 0o777).toBe(0o644);
    });
  });
});
