import { once } from 'node:events';
import { CommandFailed } from './command-failed.ts';
import { newPrivateFile } from './private-file.ts';

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
  const written = await newPrivateFile(file).catch((error) => {
    throw cannotWrite(file, error);
  });
  try {
    for await (const piece of pieces) await written.handle.writeFile(piece);
    await written.keep();
  } catch (error) {
    await written.discard();
    throw (error as NodeJS.ErrnoException).syscall ? cannotWrite(file, error as Error) : error;
  }
}

const cannotWrite = (file: string, { message }: Error) => new CommandFailed(`${file} cannot be written: ${message}`);
