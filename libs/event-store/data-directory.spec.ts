import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directoryHolder, openDataDirectory } from './data-directory.ts';
import { CannotOpenStore } from './port.ts';

describe('a data directory', () => {
  let path: string;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'leadger-spec-')), 'data');
  });
  afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }));

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
    expect(JSON.parse(readFileSync(join(path, 'format.json'), 'utf8'))).toEqual({ format: 1 });
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
});
