/** What is no number to most readers of JSON, or not with all its digits, is written as text. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (isPlain(part) ? part : String(part)));

const isPlain = (part: unknown): boolean =>
  typeof part === 'number' ? Number.isFinite(part) : typeof part !== 'bigint';
