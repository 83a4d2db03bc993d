/** PostgreSQL's numbers of types. */
const BIGINT = 20;
const NUMERIC = 1700;
const DATE = 1082;
export const TIMESTAMPTZ = 1184;
const INTERVAL = 1186;

const UTC = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?\+00(?::00)?$/;

/** An instant of PostgreSQL's, whose time zone is UTC, as the ledger writes it. */
export function instant(written: string): string {
  const parts = UTC.exec(written);
  return parts ? `${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(3, '0')}Z` : new Date(written).toISOString();
}

const asWritten = (written: string): string => written;

/** Instants are read as the ledger writes them, numbers as numbers; days and spans of time as PostgreSQL writes them. */
export const parsers: Readonly<Record<number, (written: string) => unknown>> = {
  [BIGINT]: Number,
  [NUMERIC]: Number,
  [DATE]: asWritten,
  [TIMESTAMPTZ]: instant,
  [INTERVAL]: asWritten,
};
