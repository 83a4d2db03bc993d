import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { CommandFailed } from './command-failed.ts';
import { openPrivateFile } from './private-file.ts';

type Pieces = AsyncIterable<string | Uint8Array>;

/**
 * Writes to a file, or to standard output, at the speed of the reader. A file gets its name when it is complete; an older
 * file of that name stays until then. Only its owner can open it.
 * @throws CommandFailed when the file cannot be written
 */
export const writeOut = (pieces: Pieces, file?: string): Promise<void> =>
  file === undefined ? toStandardOutput(pieces) : toFile(pieces, file);

async function toStandardOutput(pieces: Pieces): Promise<void> {
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

async function toFile(pieces: Pieces, file: string): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  const handle = await openPrivateFile(part).catch((error) => {
    throw cannotWrite(file, error);
  });
  try {
    for await (const piece of pieces) await handle.writeFile(piece);
    await handle.close();
    await rename(part, file);
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    throw (error as NodeJS.ErrnoException).syscall ? cannotWrite(file, error as Error) : error;
  }
}

const cannotWrite = (file: string, { message }: Error) => new CommandFailed(`${file} cannot be written: ${message}`);
