import { type Stats, statSync, type WriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { cellOfText } from '#domain/kernel/spreadsheet-cells';
import type { FileRow } from '#requests/lead-files/lead-file-row';
import { CommandFailed } from '../command-failed.ts';
import { isDescriptor, type NewFile, newPrivateFile } from '../private-file.ts';

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

  /**
   * @param given default: beside the list
   * @throws CommandFailed when the file is the list itself, by whatever name, or cannot be written
   */
  static async open(given: string | undefined, list: string): Promise<RejectedRows> {
    const original = statusOf(list);
    if (given === undefined && original && (!original.isFile() || isDescriptor(resolve(list))))
      throw new CommandFailed(`${list} is no file in a folder: say with --rejected FILE where rejected rows go`);
    const file = given ?? `${list}.rejected.csv`;
    if (file === '') throw new CommandFailed('--rejected needs the name of a file');
    const target = statusOf(file);
    if (target && original && target.dev === original.dev && target.ino === original.ino)
      throw new CommandFailed(`${file} is the list itself: choose another file for rejected rows`);
    if (target?.isDirectory()) throw new CommandFailed(`${file} cannot be written: it is a directory`);
    const rejected = new RejectedRows(file);
    if (target?.isFile() && (await isOfEarlierRun(file)))
      await rm(file).catch((error: Error) => {
        throw rejected.#cannotWrite(error);
      });
    // Known before the first row is sent.
    if (!target || target.isFile()) await (await rejected.#newFile()).discard();
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
    return new CommandFailed(
      `${this.file} cannot be written: ${message}. Say with --rejected FILE where rejected rows go`,
    );
  }

  #throwIfFailed(): void {
    if (this.#failed) throw this.#cannotWrite(this.#failed);
  }

  #newFile(): Promise<NewFile> {
    return newPrivateFile(this.file).catch((error: Error) => {
      throw this.#cannotWrite(error);
    });
  }

  /** Only its owner can open it: rows name persons. */
  async #create() {
    const file = await this.#newFile();
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
