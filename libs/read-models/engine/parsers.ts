/** PostgreSQL's numbers of types. */
const BIGINT = 20;
const NUMERIC = 1700;
const DATE = 1082;
const TIMESTAMPTZ = 1184;
const INTERVAL = 1186;

const asWritten = (written: string): string => written;

/** Instants are read as the ledger writes them, numbers as numbers; days and spans of time as PostgreSQL writes them. */
export const parsers: Readonly<Record<number, (written: string) => unknown>> = {
  [BIGINT]: Number,
  [NUMERIC]: Number,
  [DATE]: asWritten,
  [TIMESTAMPTZ]: (written) => new Date(written).toISOString(),
  [INTERVAL]: asWritten,
};
