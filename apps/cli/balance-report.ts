import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import type { BalanceLine, Period } from '#audit/reconciliation';
import { isCurrency, minorUnitsOf } from '#domain/kernel/minor-units';
import { CommandFailed } from './command-failed.ts';

/**
 * The columns of Stripe's report "Balance change from activity, itemized" (balance_change_from_activity.itemized.3) that are read.
 * https://docs.stripe.com/reports/report-types/balance
 */
const REQUIRED = [
  'balance_transaction_id',
  'created_utc',
  'currency',
  'gross',
  'reporting_category',
  'source_id',
] as const;
const OPTIONAL = ['charge_id', 'payment_intent_id', 'customer_facing_amount', 'customer_facing_currency'] as const;

type Cells = Readonly<Record<(typeof REQUIRED)[number], string> & Partial<Record<(typeof OPTIONAL)[number], string>>>;

export interface BalanceReport {
  readonly lines: readonly BalanceLine[];
  /** Reporting categories that are not about charges and refunds, such as fees and payouts → how many lines. */
  readonly others: Readonly<Record<string, number>>;
  /** Of all its lines. */
  readonly days: ReadonlySet<string>;
}

const LONGEST_RECORD = 256 * 1024;
const MOST_LINES = 5_000_000;
const kinds: Readonly<Record<string, BalanceLine['kind']>> = {
  charge: 'charge',
  refund: 'refund',
  refund_failure: 'refund-returned',
};

/** Reads reports that the provider's dashboard or API made, as one. They may overlap. @throws CommandFailed where one is none */
export async function readBalanceReports(files: readonly string[]): Promise<BalanceReport> {
  const lines = new Map<string, BalanceLine>();
  const others = new Map<string, Set<string>>();
  const days = new Set<string>();
  for (const file of files)
    for await (const { cells, place } of recordsIn(file)) {
      const day = dayIn(cells, place);
      days.add(day);
      const category = idIn(cells, 'reporting_category', place);
      const kind = Object.hasOwn(kinds, category) ? kinds[category] : undefined;
      // Those without an id cannot be told from each other.
      if (!kind) others.set(category, (others.get(category) ?? new Set()).add(cells.balance_transaction_id || place));
      else keep(lines, lineOf(cells, kind, day, place), place);
    }
  const counts = Object.fromEntries([...others].map(([category, ids]) => [category, ids.size]));
  return { lines: [...lines.values()], others: counts, days };
}

/** The first and the last day of all lines; undefined in an empty report. */
export function spanOf({ days }: BalanceReport): Period | undefined {
  const [from, ...later] = [...days].sort();
  return from === undefined ? undefined : { from, to: later.at(-1) ?? from };
}

interface Placed {
  readonly cells: Cells;
  /** File and line. */
  readonly place: string;
}

/** A file without even a header is a download that broke off. */
async function* recordsIn(file: string): AsyncGenerator<Placed> {
  let hasHeader = false;
  const parser = parse({
    bom: true,
    columns: (header: readonly string[]) => {
      hasHeader = true;
      return checkedHeader(header, file);
    },
    info: true,
    max_record_size: LONGEST_RECORD,
    skip_empty_lines: true,
  });
  const source = createReadStream(file);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let count = 0;
  try {
    for await (const { record, info } of parser) {
      count += 1;
      if (count > MOST_LINES) throw new CommandFailed(`${file} has more than ${MOST_LINES} lines: split it by days`);
      yield { cells: record as Cells, place: `${file}, line ${(info as { lines: number }).lines}` };
    }
    if (!hasHeader) throw new CommandFailed(`${file} is empty: it is no itemized balance report`);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    throw new CommandFailed(`${file} cannot be read: ${(error as Error).message}`);
  } finally {
    source.destroy();
  }
}

/** Columns may stand in any order, and others may stand between them. Of two with the same name, neither is meant. */
function checkedHeader(header: readonly string[], file: string): string[] {
  const missing = REQUIRED.filter((name) => !header.includes(name));
  if (missing.length > 0)
    throw new CommandFailed(`${file} has no column ${missing.join(', ')}: it is no itemized balance report`);
  const known = [...REQUIRED, ...OPTIONAL].filter((name) => header.indexOf(name) !== header.lastIndexOf(name));
  if (known.length > 0) throw new CommandFailed(`${file} has the column ${known.join(', ')} twice`);
  return [...header];
}

const PROVIDERS_ID = /^[\w.:-]{1,255}$/;

function idIn(cells: Cells, column: keyof Cells, place: string): string {
  const id = cells[column] ?? '';
  if (!PROVIDERS_ID.test(id)) throw new CommandFailed(`${place}: ${column} is no id`);
  return id;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(:\d\d)?)/;

function dayIn({ created_utc: created }: Cells, place: string): string {
  const [, day = '', time = ''] = INSTANT.exec(created) ?? [];
  if (!isOnDay(`${day}T${time}Z`, day)) throw new CommandFailed(`${place}: created_utc is no instant`);
  return day;
}

/** Whether a text is a day that the calendar has, as YYYY-MM-DD. */
export const isCalendarDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && isOnDay(`${text}T00:00Z`, text);

/** An impossible day, such as the 30th of February, is none or another one. */
function isOnDay(instant: string, day: string): boolean {
  const milliseconds = Date.parse(instant);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(day);
}

/**
 * A charge in another currency than that of the balance: the receipt has what the customer was charged. That amount is the one of the charge
 * or the refund, so the sign is that of the balance.
 */
function lineOf(cells: Cells, kind: BalanceLine['kind'], day: string, place: string): BalanceLine {
  const isExchanged = Boolean(cells.customer_facing_currency && cells.customer_facing_amount);
  const currency = ((isExchanged ? cells.customer_facing_currency : cells.currency) ?? '').toUpperCase();
  const amount = (isExchanged ? cells.customer_facing_amount : cells.gross) ?? '';
  const cents = isCurrency(currency) ? minorUnitsOf(amount, currency) : undefined;
  if (cents === undefined) throw new CommandFailed(`${place}: the amount is no amount of a currency`);
  const names = ['source_id', ...(kind === 'charge' ? (['charge_id', 'payment_intent_id'] as const) : [])] as const;
  const references = names.filter((name) => cells[name]).map((name) => idIn(cells, name, place));
  const id = idIn(cells, 'balance_transaction_id', place);
  const amountCents = isExchanged && cells.gross.startsWith('-') !== cents < 0 ? -cents : cents;
  return { id, kind, references, day, amountCents, currency };
}

/** Reports may overlap: the same line counts once. */
function keep(lines: Map<string, BalanceLine>, line: BalanceLine, place: string): void {
  const known = lines.get(line.id);
  if (known && JSON.stringify(known) !== JSON.stringify(line))
    throw new CommandFailed(`${place}: ${line.id} is there before, with other values`);
  lines.set(line.id, line);
}
