/** A line of a file, or why it cannot be read. Numbers begin with 1; ends of lines are not part of the text. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: string; readonly reason: string };

export type LineEncoding = 'utf-8' | 'latin1';

/** No honest row is longer; nobody's memory is filled with one that is. */
const LONGEST_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Splits bytes into lines (LF or CRLF), in constant memory. A byte order mark at the beginning is left out. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, encoding: LineEncoding): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): Line => {
    const line = lineOf(number, Buffer.concat(parts), length, encoding);
    number += 1;
    parts = [];
    length = 0;
    return line;
  };
  const keep = (part: Buffer): void => {
    if (length < LONGEST_LINE_BYTES) parts.push(part.subarray(0, LONGEST_LINE_BYTES - length));
    length += part.length;
  };
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end));
      from = end + 1;
      yield take();
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (length > 0) yield take();
}

const decoders = {
  'utf-8': new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  latin1: new TextDecoder('windows-1252'),
};

function lineOf(number: number, bytes: Buffer, length: number, encoding: LineEncoding): Line {
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
