import { createWriteStream, type WriteStream } from 'node:fs';
import type { LeadFileRow } from '#requests/lead-files/lead-file-row';
import { CommandFailed } from '../command-failed.ts';

/** A CSV file of the rows that were rejected. It is created with the first one, so that it does not exist when all rows are good. */
export class RejectedRows {
  readonly file: string;
  count = 0;
  #stream: WriteStream | undefined;
  #failed: Error | undefined;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws CommandFailed when the file cannot be written */
  async add({ line, text }: LeadFileRow, reason: string): Promise<void> {
    this.#stream ??= this.#create();
    this.count += 1;
    if (!this.#stream.write(`${line},${quoted(reason)},${quoted(text)}\n`))
      await new Promise<void>((resolve) => this.#stream?.once('drain', resolve).once('close', resolve));
    this.#throwIfFailed();
  }

  /** @throws CommandFailed when some rows could not be written */
  async close(): Promise<void> {
    const stream = this.#stream;
    if (stream && !stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve).end());
    this.#throwIfFailed();
  }

  #throwIfFailed(): void {
    if (this.#failed) throw new CommandFailed(`${this.file} cannot be written: ${this.#failed.message}`);
  }

  #create(): WriteStream {
    const stream = createWriteStream(this.file).on('error', (error) => {
      this.#failed = error;
    });
    stream.write('line,reason,row\n');
    return stream;
  }
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
