/** Numbers that JSON readers would refuse or round are written as text. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (isPlain(part) ? part : String(part)));

const isPlain = (part: unknown): boolean =>
  typeof part === 'number' ? Number.isFinite(part) : typeof part !== 'bigint';
