import { escapedJson } from '#apps/terminal-text';

/** Numbers that JSON readers would refuse or round are written as text. Terminals act on nothing in it. */
export const jsonOf = (value: unknown): string =>
  escapedJson(JSON.stringify(value, (_, part) => (isPlain(part) ? part : String(part))));

const isPlain = (part: unknown): boolean =>
  typeof part === 'number' ? Number.isFinite(part) : typeof part !== 'bigint';
