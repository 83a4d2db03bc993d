/** A line of a file, or why it cannot be read. Numbers begin with 1; ends of lines are not part of the text. */
export type FileLine =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: string; readonly reason: string };

export type LineEncoding = 'utf-8' | 'latin1';

/** Real rows are shorter. A longer one must not fill the memory. */
const LONGEST_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Splits bytes into lines (LF or CRLF), in constant memory. A byte order mark at the beginning is left out. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, encoding: LineEncoding): AsyncGenerator<FileLine> {
  const line = new LineInProgress(encoding);
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      line.add(chunk.subarray(from, end));
      from = end + 1;
      yield line.take();
    }
    if (from < chunk.length) line.add(chunk.subarray(from));
  }
  if (line.length > 0) yield line.take();
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
    text = decoders[encoding].decode(bytes).replace(/\r$/, '');
  } catch {
    return { number, text: bytes.toString('latin1'), reason: 'is not UTF-8: is the file in Latin-1?' };
  }
  if (number === 1) text = text.replace(/^\uFEFF/, '');
  if (text.includes('\0')) return { number, text, reason: 'has NUL characters: is the file in UTF-16?' };
  return { number, text };
}
