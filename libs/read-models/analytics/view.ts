import { currencies } from '#domain/kernel/minor-units';

/** A view for analysts. A test compares its columns with the database's, and runs its example. */
export interface View {
  readonly name: string;
  readonly description: string;
  /** What one row is about. */
  readonly grain: string;
  readonly columns: Readonly<Record<string, readonly [unit: string, meaning: string]>>;
  /** Tables are written as `{model.table}`. It must not select personal data or sealed boxes: analysts see all columns. */
  readonly sql: string;
  /** A question, and the SQL that answers it. */
  readonly example: readonly [question: string, sql: string];
}

/** In every view: the position of the read models that it uses. */
export const LOG_POSITION = {
  log_position: ['position', 'every event up to here is in the row'],
} as const satisfies View['columns'];

export const storeAndType = {
  store_id: ['id', 'the store'],
  lead_type_id: ['id', 'the lead type'],
} as const satisfies View['columns'];

/** Of a view with amounts: `revenue_cents / 10 ^ minor_digits` is the amount in whole units of the currency. */
export const currencyColumns = {
  currency: ['ISO 4217', ''],
  minor_digits: ['digits', 'decimals of the currency: 2 for cents, 0 for yen'],
} as const satisfies View['columns'];

const TWO_DIGITS = 2;
export const minorDigits = (currency: string): string => {
  const others = currencies.filter(([, digits]) => digits !== TWO_DIGITS);
  const cases = others.map(([code, digits]) => `WHEN '${code}' THEN ${digits}`).join(' ');
  return `CASE ${currency} ${cases} ELSE ${TWO_DIGITS} END`;
};

export const day = (instant: string): string => `(${instant} AT TIME ZONE 'UTC')::date`;
export const month = (instant: string): string => `date_trunc('month', ${instant} AT TIME ZONE 'UTC')::date`;
export const seconds = (from: string, to: string): string => `extract(epoch FROM ${to} - ${from})::double precision`;
export const percentile = (share: number, of: string): string =>
  `percentile_cont(${share}) WITHIN GROUP (ORDER BY ${of})`;
export const ratio = (part: string, whole: string): string =>
  `(${part})::double precision / nullif(${whole}, 0)::double precision`;
