/** PostgreSQL's numbers of types. */
export const BOOLEAN = 16;
export const BYTEA = 17;
export const BIGINT = 20;
export const SMALLINT = 21;
export const INTEGER = 23;
export const TEXT = 25;
export const JSON_TEXT = 114;
export const REAL = 700;
export const DOUBLE_PRECISION = 701;
export const DATE = 1082;
export const TIMESTAMP = 1114;
export const TIMESTAMPTZ = 1184;
export const INTERVAL = 1186;
export const NUMERIC = 1700;
export const JSONB = 3802;

const UTC = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?\+00(?::00)?$/;

/** An instant as the ledger writes it. `infinity` and instants before Christ stay as PostgreSQL writes them. */
export function instantOf(written: string): string {
  const parts = UTC.exec(written);
  if (parts) return `${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(3, '0')}Z`;
  const date = new Date(written);
  return Number.isNaN(date.getTime()) ? written : date.toISOString();
}

const asWritten = (written: string): string => written;

/** A bigint where a number would not be exact. */
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
  [TIMESTAMPTZ]: instantOf,
  [INTERVAL]: asWritten,
};

/** A number where that keeps all digits; else a bigint, or the text if there is a fraction. */
function decimal(written: string): number | bigint | string {
  const whole = /^(-?\d+)(?:\.0+)?$/.exec(written)?.[1];
  if (whole !== undefined) return integer(whole);
  const number = Number(written);
  return significant(String(number)) === significant(written) ? number : written;
}

/** The significant digits and the power of ten: the same for 0.50 and 5e-1. */
function significant(number: string): string {
  const [digits = '', exponent] = number.split(/e/i);
  const [whole = '', fraction = ''] = digits.split('.');
  const all = (whole + fraction).replace(/^(-?)0+/, '$1');
  const counting = all.replace(/0+$/, '');
  return `${counting}e${Number(exponent ?? 0) - fraction.length + all.length - counting.length}`;
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const digitsKept: Reviver = (_, value, { source }) => (typeof value === 'number' ? decimal(source as string) : value);
const json = (written: string): unknown => JSON.parse(written, digitsKept as Parameters<typeof JSON.parse>[1]);

const PARTS_OF_ARRAY = /[{}]|"((?:[^"\\]|\\.)*)"|[^{},"]+/gs;

/** Of an array as PostgreSQL writes it: `{1,NULL}`, `{{"a b"},{"\""}}`, `[0:1]={1,2}`. */
const arrayOf = (read: (written: string) => unknown) => (written: string) => {
  const whole: unknown[] = [];
  const open = [whole];
  for (const [part, quoted] of written.slice(written.indexOf('{')).matchAll(PARTS_OF_ARRAY)) {
    if (part === '}') open.pop();
    else if (part === '{') {
      const inner: unknown[] = [];
      open.at(-1)?.push(inner);
      open.push(inner);
    } else if (quoted !== undefined) open.at(-1)?.push(read(quoted.replace(/\\(.)/gs, '$1')));
    else open.at(-1)?.push(part === 'NULL' ? null : read(part));
  }
  return whole[0];
};

/**
 * For analysts: numbers keep their digits, also in arrays and JSON, and bytes are as PostgreSQL writes them. The keys
 * below are the numbers of the array types.
 */
export const parsersOfAnswers: typeof parsers = {
  ...parsers,
  [NUMERIC]: decimal,
  [BYTEA]: asWritten,
  [JSON_TEXT]: json,
  [JSONB]: json,
  199: arrayOf(json),
  1001: arrayOf(asWritten),
  1016: arrayOf(integer),
  1115: arrayOf(asWritten),
  1182: arrayOf(asWritten),
  1185: arrayOf(instantOf),
  1187: arrayOf(asWritten),
  1231: arrayOf(decimal),
  3807: arrayOf(json),
};
