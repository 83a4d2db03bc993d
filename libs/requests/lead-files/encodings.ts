/** Latin-1 is read as Windows-1252, as browsers do: what is called Latin-1 mostly is. */
export type FileEncoding = 'utf-8' | 'latin1' | 'utf-16le' | 'utf-16be';

/** Encodings that a caller can name. UTF-16 is known by its byte order mark. */
export const namedEncodings = ['utf-8', 'latin1'] as const;
export type NamedEncoding = (typeof namedEncodings)[number];

const marks: readonly (readonly [FileEncoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];
const LONGEST_MARK = 3;

/** The bytes of a file without its byte order mark. Those of UTF-16 are given in UTF-8. */
export interface OpenedText {
  readonly encoding: FileEncoding;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** A byte order mark says more than the caller. */
export async function openText(bytes: AsyncIterable<Uint8Array>, named: NamedEncoding): Promise<OpenedText> {
  const chunks = bytes[Symbol.asyncIterator]();
  const head = await bytesAtStart(chunks, LONGEST_MARK);
  const [encoding, mark] = marks.find(([, mark]) => mark.every((byte, index) => head[index] === byte)) ?? [named, []];
  const rest = continued(head.subarray(mark.length), chunks);
  return { encoding, bytes: encoding.startsWith('utf-16') ? utf8Of(rest, encoding === 'utf-16be') : rest };
}

async function bytesAtStart(chunks: AsyncIterator<Uint8Array>, count: number): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < count) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* continued(head: Buffer, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  } finally {
    // A reader that stops early must not leave a file or an upload open.
    await chunks.return?.();
  }
}

/** No text in UTF-8 has it. It stands for what is no text in UTF-16, so that only its line is rejected. */
const NO_TEXT = Buffer.of(0xff);

async function* utf8Of(bytes: AsyncIterable<Uint8Array>, bigEndian: boolean): AsyncGenerator<Uint8Array> {
  let left = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all = Buffer.concat([left, chunk]);
    const length = endOfWholeCharacters(all, bigEndian);
    left = all.subarray(length);
    yield utf8OfWhole(all.subarray(0, length), bigEndian);
  }
  const odd = left.length % 2;
  yield utf8OfWhole(left.subarray(0, left.length - odd), bigEndian);
  if (odd) yield NO_TEXT;
}

/** Where the bytes end that need nothing of the next ones: not after half a code unit, nor after half a surrogate pair. */
function endOfWholeCharacters(bytes: Buffer, bigEndian: boolean): number {
  const length = bytes.length - (bytes.length % 2);
  if (length === 0) return 0;
  const last = bigEndian ? bytes.readUInt16BE(length - 2) : bytes.readUInt16LE(length - 2);
  return last >= 0xd800 && last <= 0xdbff ? length - 2 : length;
}

function utf8OfWhole(bytes: Buffer, bigEndian: boolean): Buffer {
  const text = (bigEndian ? Buffer.from(bytes).swap16() : bytes).toString('utf16le');
  if (text.isWellFormed()) return Buffer.from(text);
  const [first = '', ...others] = text.split(/\p{Surrogate}/u);
  return Buffer.concat([Buffer.from(first), ...others.flatMap((part) => [NO_TEXT, Buffer.from(part)])]);
}

const windows1252 = new TextDecoder('windows-1252');
const lenientUtf8 = new TextDecoder('utf-8');

export const textInLatin1 = (bytes: Uint8Array): string => windows1252.decode(bytes);

/** Signs that people type beside letters: quotes, dashes, spaces, currencies, degrees, ordinals. */
const USUAL_SIGNS = /^[\u00a0¡£§¨©ª«®°±²³´·º»¼½¾¿×‘’“”–—…€™]$/;

/**
 * Whether bytes that are not UTF-8 are likely to be Latin-1 (Windows-1252): words mostly of ASCII letters, with capitals
 * where they belong. Damaged UTF-8, Cyrillic and the code pages of DOS and of old Macs look otherwise.
 */
export function isLikelyLatin1(bytes: Uint8Array): boolean {
  if (hasCharactersBesidesAscii(lenientUtf8.decode(bytes))) return false;
  const text = textInLatin1(bytes);
  const signs = text.match(/[^\p{ASCII}\p{Letter}]/gu) ?? [];
  const words = text.match(/\p{Letter}+/gu) ?? [];
  return signs.every((sign) => USUAL_SIGNS.test(sign)) && words.every(isLikelyWord);
}

/** Then the text is UTF-8 that was damaged. */
const hasCharactersBesidesAscii = (text: string): boolean => /[^\p{ASCII}\ufffd]/u.test(text);

function isLikelyWord(word: string): boolean {
  const others = word.match(/\P{ASCII}/gu)?.length ?? 0;
  const capitalInside = /\p{Letter}(?!\p{ASCII})\p{Lu}/u.test(word) && word !== word.toUpperCase();
  return others <= Math.ceil(word.length / 2) && !capitalInside;
}
