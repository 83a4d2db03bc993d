import { type Stats, statSync, type WriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { cellOfText } from '#domain/kernel/spreadsheet-cells';
import type { FileRow } from '#requests/lead-files/lead-file-row';
import { CommandFailed } from '../command-failed.ts';
import { type NewFile, newPrivateFile } from '../private-file.ts';

const HEADER = 'line,reason,row\n';

/**
 * A CSV file of the rows that were rejected, or not understood as a whole. It is created with the first one, so that it does
 * not exist when all rows are good; one of an earlier run is removed before, so that it is not taken for one of this run.
 */
export class RejectedRows {
  readonly file: string;
  count = 0;
  /** Rows of which something counted. */
  incomplete = 0;
  #written: Promise<{ readonly file: NewFile; readonly stream: WriteStream }> | undefined;
  #failed: Error | undefined;

  private constructor(file: string) {
    this.file = file;
  }

  /** @throws CommandFailed when the file is the list itself, by whatever name, or cannot be replaced */
  static async open(file: string, list: string): Promise<RejectedRows> {
    const [target, original] = [statusOf(file), statusOf(list)];
    if (target && original && target.dev === original.dev && target.ino === original.ino)
      throw new CommandFailed(`${file} is the list itself: choose another file for rejected rows`);
    if (target?.isDirectory()) throw new CommandFailed(`${file} cannot be written: it is a directory`);
    const rejected = new RejectedRows(file);
    if (target?.isFile() && (await isOfEarlierRun(file)))
      await rm(file).catch((error: Error) => {
        throw rejected.#cannotWrite(error);
      });
    return rejected;
  }

  /** @throws CommandFailed when the file cannot be written */
  async add(row: FileRow, reason: string): Promise<void> {
    this.count += 1;
    await this.#write(row, reason);
  }

  /** @throws CommandFailed when the file cannot be written */
  async addIncomplete(row: FileRow, reason: string): Promise<void> {
    this.incomplete += 1;
    await this.#write(row, reason);
  }

  async #write({ line, text }: FileRow, reason: string): Promise<void> {
    this.#written ??= this.#create();
    const { stream } = await this.#written;
    if (!stream.write(`${line},${quoted(reason)},${quoted(text)}\n`))
      await new Promise<void>((resolve) => stream.once('drain', resolve).once('close', resolve));
    this.#throwIfFailed();
  }

  /** @throws CommandFailed when some rows could not be written */
  async close(): Promise<void> {
    const written = await this.#written;
    if (!written) return;
    const { file, stream } = written;
    if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve).end());
    if (this.#failed) await file.discard();
    this.#throwIfFailed();
    await file.keep().catch((error: Error) => {
      throw this.#cannotWrite(error);
    });
  }

  #cannotWrite({ message }: Error): CommandFailed {
    return new CommandFailed(`${this.file} cannot be written: ${message}`);
  }

  #throwIfFailed(): void {
    if (this.#failed) throw this.#cannotWrite(this.#failed);
  }

  /** Only its owner can open it: rows name persons. */
  async #create() {
    const file = await newPrivateFile(this.file).catch((error: Error) => {
      throw this.#cannotWrite(error);
    });
    const stream = file.handle.createWriteStream().on('error', (error) => {
      this.#failed = error;
    });
    stream.write(HEADER);
    return { file, stream };
  }
}

const statusOf = (file: string): Stats | undefined => statSync(file, { throwIfNoEntry: false });

/** What else has the name is not ours to remove while nothing is rejected. */
async function isOfEarlierRun(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER.length), 0, HEADER.length, 0);
    return buffer.toString('utf8', 0, bytesRead) === HEADER;
  } finally {
    await handle.close();
  }
}

/** Strangers write the rows, and spreadsheets open the file. */
const quoted = (text: string): string => `"${cellOfText(text).replaceAll('"', '""')}"`;
