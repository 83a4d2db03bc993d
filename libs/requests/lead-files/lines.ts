import { takingTurns } from '../turns.ts';
import { type FileEncoding, isLikelyLatin1, type OpenedText, textInLatin1 } from './encodings.ts';

interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** The characters that end it: they belong to a quoted field that goes on in the next line. */
  readonly end: string;
}

/** A line of a file, or why it cannot be read. */
export type FileLine =
  | Line
  | (Line & {
      readonly reason: string;
      /** What of it can be read, with U+FFFD for what cannot. Absent when it is too long. */
      readonly readable?: string;
    });

/** Real rows are shorter. A longer one must not fill the memory. */
const LONGEST_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CR = Buffer.of(CARRIAGE_RETURN);

/**
 * Splits bytes into lines (LF, CRLF, or CR as in files of old spreadsheets), in constant memory. Other requests get their
 * turns, whatever the reader does with the lines.
 */
export async function* linesOf({ bytes, encoding }: OpenedText): AsyncGenerator<FileLine> {
  const line = new LineInProgress(encoding);
  const pause = takingTurns();
  for await (const chunk of withWholeEnds(bytes)) {
    const ends = new LineEnds(chunk);
    let from = 0;
    for (let at = ends.next(from); at >= 0; at = ends.next(from)) {
      line.add(chunk.subarray(from, at));
      await pause();
      const isCrLf = chunk[at] === CARRIAGE_RETURN && chunk[at + 1] === NEWLINE;
      from = at + (isCrLf ? 2 : 1);
      yield line.take(chunk.toString('latin1', at, from));
    }
    if (from < chunk.length) line.add(chunk.subarray(from));
  }
  if (line.length > 0) yield line.take('');
}

/** A carriage return at the end of a piece waits for the next one, which may begin with its line feed. */
async function* withWholeEnds(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waits = false;
  for await (const piece of bytes) {
    if (piece.length === 0) continue;
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const whole: Buffer = waits ? Buffer.concat([CR, chunk]) : chunk;
    waits = whole.at(-1) === CARRIAGE_RETURN;
    yield waits ? whole.subarray(0, -1) : whole;
  }
  if (waits) yield CR;
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
  readonly #encoding: FileEncoding;

  constructor(encoding: FileEncoding) {
    this.#encoding = encoding;
  }

  add(part: Buffer): void {
    if (this.length < LONGEST_LINE_BYTES) this.#parts.push(part.subarray(0, LONGEST_LINE_BYTES - this.length));
    this.length += part.length;
  }

  take(end: string): FileLine {
    const line = { number: this.#number, end, ...textOf(Buffer.concat(this.#parts), this.length, this.#encoding) };
    this.#number += 1;
    this.#parts = [];
    this.length = 0;
    return line;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type ReadLine = { readonly text: string } & Partial<Record<'reason' | 'readable', string>>;

function textOf(bytes: Buffer, length: number, encoding: FileEncoding): ReadLine {
  if (length > LONGEST_LINE_BYTES)
    return { text: bytes.toString('latin1', 0, 200), reason: `is longer than ${LONGEST_LINE_BYTES} bytes` };
  let text: string;
  try {
    text = encoding === 'latin1' ? textInLatin1(bytes) : strictUtf8.decode(bytes);
  } catch {
    return noText(bytes, encoding);
  }
  if (!text.includes('\0')) return { text };
  return { text, readable: text, reason: 'has NUL characters: is the file in UTF-16?' };
}

function noText(bytes: Buffer, encoding: FileEncoding): ReadLine {
  const readable = bytes.toString('utf8');
  if (encoding !== 'utf-8') return { text: readable, readable, reason: 'has what is no text in UTF-16' };
  const hint = isLikelyLatin1(bytes) ? ': is the file in Latin-1?' : '';
  return { text: textInLatin1(bytes), readable, reason: `is not UTF-8${hint}` };
}
