import type { Position } from './port.ts';

/** The numbers of a position: where a record was committed and where it was prepared, the same for most. */
interface PlaceInLog {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** One number of at least 16 digits, or two, as each event store writes positions. In this form texts sort like positions. */
const NUMBER = String.raw`(\d{16}|[1-9]\d{16,18})`;
export const POSITION_PATTERN = `^${NUMBER}(?:\\.${NUMBER})?$`;
const POSITION = new RegExp(POSITION_PATTERN);
/** Positions of a server are signed numbers of 64 bits. It fails at a greater one, or cuts it to these. */
const GREATEST = 2n ** 63n - 1n;

/** @returns undefined for a text that no event store writes for a position, whatever its log has */
export function numbersOf(position: string): PlaceInLog | undefined {
  const [, first, second] = POSITION.exec(position) ?? [];
  if (first === undefined) return undefined;
  const commit = BigInt(first);
  const prepare = second === undefined ? commit : BigInt(second);
  // A record is prepared before it is committed. Where both are the same, one number is written.
  const isWritten = second === undefined || prepare < commit;
  return commit <= GREATEST && isWritten ? { commit, prepare } : undefined;
}

export const isPosition = (value: unknown): value is Position =>
  typeof value === 'string' && numbersOf(value) !== undefined;
