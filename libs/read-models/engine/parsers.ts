/** PostgreSQL's numbers of types. */
export const BOOLEAN = 16;
export const BIGINT = 20;
export const SMALLINT = 21;
export const INTEGER = 23;
export const TEXT = 25;
export const REAL = 700;
export const DOUBLE_PRECISION = 701;
export const DATE = 1082;
export const TIMESTAMP = 1114;
export const TIMESTAMPTZ = 1184;
export const INTERVAL = 1186;
export const NUMERIC = 1700;

const UTC = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?\+00(?::00)?$/;

/**
 * An instant of PostgreSQL's as the ledger writes it. For ever (`infinity`) and what was before Christ stay as they are.
 */
export function instant(written: string): string {
  const parts = UTC.exec(written);
  if (parts) return `${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(3, '0')}Z`;
  const date = new Date(written);
  return Number.isNaN(date.getTime()) ? written : date.toISOString();
}

const asWritten = (written: string): string => written;

/** Where a number is not exact, a bigint is. */
function integer(written: string): number | bigint {
  const number = Number(written);
  return Number.isSafeInteger(number) ? number : BigInt(written);
}

/**
 * Instants are read as the ledger writes them, numbers as numbers; days, spans of time and what has no time zone as
 * PostgreSQL writes them.
 */
export const parsers: Readonly<Record<number, (written: string) => unknown>> = {
  [BIGINT]: integer,
  [NUMERIC]: Number,
  [DATE]: asWritten,
  [TIMESTAMP]: asWritten,
  [TIMESTAMPTZ]: instant,
  [INTERVAL]: asWritten,
};
