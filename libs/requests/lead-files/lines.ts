import { takingTurns } from '../turns.ts';

/** A line of a file, or why it cannot be read. Numbers begin with 1; ends of lines are not part of the text. */
export type FileLine =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: string; readonly reason: string };

export type LineEncoding = 'utf-8' | 'latin1';

/** Real rows are shorter. A longer one must not fill the memory. */
const LONGEST_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Splits bytes into lines (LF, CRLF, or CR as in files of old spreadsheets), in constant memory. A byte order mark at the
 * beginning is left out. Other requests get their turns, whatever the reader does with the lines.
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, encoding: LineEncoding): AsyncGenerator<FileLine> {
  const line = new LineInProgress(encoding);
  const pause = takingTurns();
  let afterCarriageReturn = false;
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const ends = new LineEnds(chunk);
    let from = 0;
    for (let end = ends.next(from); end >= 0; end = ends.next(from)) {
      const completesCrLf = afterCarriageReturn && end === 0 && chunk[0] === NEWLINE;
      afterCarriageReturn = false;
      if (!completesCrLf) {
        line.add(chunk.subarray(from, end));
        await pause();
        yield line.take();
      }
      from = end + (chunk[end] === CARRIAGE_RETURN && chunk[end + 1] === NEWLINE ? 2 : 1);
    }
    if (chunk.length > 0) afterCarriageReturn = chunk.at(-1) === CARRIAGE_RETURN;
    if (from < chunk.length) line.add(chunk.subarray(from));
  }
  if (line.length > 0) yield line.take();
}

/** Finds the ends of lines in a piece of a file. Each byte is looked at once for each kind of end. */
class LineEnds {
  readonly #chunk: Buffer;
  readonly #next = new Map([NEWLINE, CARRIAGE_RETURN].map((end) => [end, -1]));

  constructor(chunk: Buffer) {
    this.#chunk = chunk;
  }

  /** @returns the index of the first end of a line from there on, or -1 */
  next(from: number): number {
    let first = Number.POSITIVE_INFINITY;
    for (const [end, known] of this.#next) {
      let at = known;
      if (at < from) {
        const found = this.#chunk.indexOf(end, from);
        at = found < 0 ? Number.POSITIVE_INFINITY : found;
        this.#next.set(end, at);
      }
      first = Math.min(first, at);
    }
    return first === Number.POSITIVE_INFINITY ? -1 : first;
  }
}

/** The line whose end was not read yet. Of one that is too long, only the beginning is kept. */
class LineInProgress {
  length = 0;
  #number = 1;
  #parts: Buffer[] = [];
  readonly #encoding: LineEncoding;

  constructor(encoding: LineEncoding) {
    this.#encoding = encoding;
  }

  add(part: Buffer): void {
    if (this.length < LONGEST_LINE_BYTES) this.#parts.push(part.subarray(0, LONGEST_LINE_BYTES - this.length));
    this.length += part.length;
  }

  take(): FileLine {
    const line = lineOf(this.#number, Buffer.concat(this.#parts), this.length, this.#encoding);
    this.#number += 1;
    this.#parts = [];
    this.length = 0;
    return line;
  }
}

const decoders = {
  'utf-8': new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  latin1: new TextDecoder('windows-1252'),
};

function lineOf(number: number, bytes: Buffer, length: number, encoding: LineEncoding): FileLine {
  if (length > LONGEST_LINE_BYTES)
    return { number, text: bytes.toString('latin1', 0, 200), reason: `is longer than ${LONGEST_LINE_BYTES} bytes` };
  let text: string;
  try {
    text = decoders[encoding].decode(bytes);
  } catch {
    return { number, text: bytes.toString('latin1'), reason: 'is not UTF-8: is the file in Latin-1?' };
  }
  if (number === 1) text = text.replace(/^\uFEFF/, '');
  if (text.includes('\0')) return { number, text, reason: 'has NUL characters: is the file in UTF-16?' };
  return { number, text };
}
