import { openOrExplain } from './open-or-explain.ts';
import { CannotOpenStore } from './port.ts';

const failing = (code: string) => () => {
  throw Object.assign(new Error('no'), { code });
};

it.each([
  ['ENOSPC', 'full', '/data is on a full disk'],
  ['EIO', 'full', '/data cannot be written: its disk is probably full, else it is damaged'],
  ['SQLITE_CORRUPT_VTAB', 'damaged', '/data is damaged'],
  ['SQLITE_IOERR_SHMSIZE', 'full', '/data is on a full disk'],
  ['SQLITE_IOERR_READ', 'damaged', '/data cannot be read or written: its disk fails, or the file was cut off'],
])('a failure %s is explained in one line', (failure, code, message) => {
  const opening = () => openOrExplain('/data', failing(failure));
  expect(opening).toThrow(CannotOpenStore);
  expect(opening).toThrow(expect.objectContaining({ code, message }));
});

it('a defect is no failure of the disk', () => {
  for (const code of ['ERR_INVALID_ARG_TYPE', 'SQLITE_ERROR', 'ENOENT'])
    expect(() => openOrExplain('/data', failing(code))).toThrow(expect.objectContaining({ code, message: 'no' }));
});
