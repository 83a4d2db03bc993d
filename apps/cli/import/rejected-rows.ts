import type { WriteStream } from 'node:fs';
import { cellOfText } from '#domain/kernel/spreadsheet-cells';
import type { LeadFileRow } from '#requests/lead-files/lead-file-row';
import { CommandFailed } from '../command-failed.ts';
import { openPrivateFile } from '../private-file.ts';

/** A CSV file of the rows that were rejected. It is created with the first one, so that it does not exist when all rows are good. */
export class RejectedRows {
  readonly file: string;
  count = 0;
  #stream: Promise<WriteStream> | undefined;
  #failed: Error | undefined;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws CommandFailed when the file cannot be written */
  async add({ line, text }: LeadFileRow, reason: string): Promise<void> {
    this.#stream ??= this.#create();
    this.count += 1;
    const stream = await this.#stream;
    if (!stream.write(`${line},${quoted(reason)},${quoted(text)}\n`))
      await new Promise<void>((resolve) => stream.once('drain', resolve).once('close', resolve));
    this.#throwIfFailed();
  }

  /** @throws CommandFailed when some rows could not be written */
  async close(): Promise<void> {
    const stream = await this.#stream;
    if (stream && !stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve).end());
    this.#throwIfFailed();
  }

  #cannotWrite({ message }: Error): CommandFailed {
    return new CommandFailed(`${this.file} cannot be written: ${message}`);
  }

  #throwIfFailed(): void {
    if (this.#failed) throw this.#cannotWrite(this.#failed);
  }

  /** Only its owner can open it: rows name persons. */
  async #create(): Promise<WriteStream> {
    const handle = await openPrivateFile(this.file).catch((error: Error) => {
      throw this.#cannotWrite(error);
    });
    const stream = handle.createWriteStream().on('error', (error) => {
      this.#failed = error;
    });
    stream.write('line,reason,row\n');
    return stream;
  }
}

/** Strangers write the rows, and spreadsheets open the file. */
const quoted = (text: string): string => `"${cellOfText(text).replaceAll('"', '""')}"`;
