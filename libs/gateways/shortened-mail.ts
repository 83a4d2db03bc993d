const NEW_LINE = '\n';
const NEXT_PART = '\n--';
const DASH = 0x2d;
/** Ten times what is taken of a text, however its characters are written in it. */
const MOST_LINES_OF_A_PART = 5000;
const MOST_LINES = 30_000;

/**
 * A mail (RFC 5322) with the beginning of each of its parts. What reads a mail needs time and memory for each of its lines, and of a mail
 * only the beginnings of its texts are taken; files are counted. Of more lines than any writer has, what follows is left out.
 */
export function shortenedMail(mail: Uint8Array): Uint8Array {
  const raw = Buffer.from(mail.buffer, mail.byteOffset, mail.byteLength);
  const kept: Uint8Array[] = [];
  let [keptFrom, linesOfPart, lines]: [number, number, number] = [0, 0, 0];
  let start = 0;
  while (start < raw.length && lines < MOST_LINES) {
    // Also a line of a text may begin so: more of it is kept, then.
    linesOfPart = raw[start] === DASH && raw[start + 1] === DASH ? 1 : linesOfPart + 1;
    if (linesOfPart > MOST_LINES_OF_A_PART) {
      kept.push(raw.subarray(keptFrom, start));
      start = afterNext(raw, NEXT_PART, start);
      keptFrom = start;
    } else {
      lines += 1;
      start = afterNext(raw, NEW_LINE, start);
    }
  }
  kept.push(raw.subarray(keptFrom, start));
  return kept.length === 1 ? (kept[0] as Uint8Array) : Buffer.concat(kept);
}

/** Where the line after the next one of these begins. */
function afterNext(raw: Buffer, what: string, from: number): number {
  const at = raw.indexOf(what, from);
  return at < 0 ? raw.length : at + NEW_LINE.length;
}
