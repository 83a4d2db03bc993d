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

const asWritten = (written: string): string => written;

/** Where a number is not exact, a bigint is. */
function integer(written: string): number | bigint {
  const number = Number(written);
  return Number.isSafeInteger(number) ? number : BigInt(written);
}

/** For ever (`infinity`) and what was before Christ stay as PostgreSQL writes them. */
function instant(written: string): string {
  const date = new Date(written);
  return Number.isNaN(date.getTime()) ? written : date.toISOString();
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
