import {
  type Difference,
  isIn,
  type Period,
  type ReceiptInLog,
  type Reconciliation,
  reconcile,
} from '#audit/reconciliation';
import { decode, type FactOf, idOf } from '#domain/codec';
import { counted } from '#domain/kernel/counted';
import { decimalOf, tellMoney } from '#domain/kernel/minor-units';
import { openForReading, type StoreLocation } from '#wiring/stores';
import { type BalanceReport, isCalendarDay, readBalanceReports, spanOf } from './balance-report.ts';
import { CommandFailed } from './command-failed.ts';
import { printJson, printLines } from './print.ts';

interface ReconcileOptions {
  readonly json?: boolean;
  /** The first and the last day, in UTC. Absent: those of the report. */
  readonly from?: string;
  readonly to?: string;
}

/**
 * Compares the receipts with reports of the payment provider (CHK-8), day by day, and lists the differences.
 * @returns the exit code: 0 when both agree; 1 when they do not, or when no line is within the period @throws CommandFailed where the file or the period is none
 */
export async function reconcileWith(
  location: StoreLocation,
  files: readonly string[],
  options: ReconcileOptions,
): Promise<number> {
  checkDays(options);
  const report = await readBalanceReports(files);
  const receipts = await receiptsIn(location);
  const period = periodOf(report, options);
  if (!period && receipts.some(({ reference }) => reference !== undefined))
    throw new CommandFailed('the report has no lines, so nobody knows its period: add --from and --to');
  const found = reconcile(report.lines, receipts, period ?? EVER);
  const noLineInside = !(period && [...report.days].some((day) => isIn(day, period)));
  if (options.json) printJson({ period: period ?? null, ...found, noLineInside, notCompared: report.others });
  else print({ period, others: report.others, noLineInside }, found);
  return found.differences.length === 0 && !noLineInside ? 0 : 1;
}

const EVER: Period = { from: '0000-01-01', to: '9999-12-31' };

function checkDays({ from, to }: ReconcileOptions): void {
  for (const [name, day] of Object.entries({ from, to }))
    if (day !== undefined && !isCalendarDay(day))
      throw new CommandFailed(`--${name} ${day} is no day of the calendar, like 2026-11-30`);
  if (from !== undefined && to !== undefined && from > to)
    throw new CommandFailed(`--from ${from} is after --to ${to}`);
}

/** What the report lacks at its ends is only seen when the period is given. */
function periodOf(report: BalanceReport, { from, to }: ReconcileOptions): Period | undefined {
  const own = spanOf(report);
  if (from === undefined && to === undefined) return own;
  const first = from ?? own?.from ?? EVER.from;
  const last = to ?? own?.to ?? EVER.to;
  if (first <= last) return { from: first, to: last };
  return from === undefined ? { from: EVER.from, to: last } : { from: first, to: EVER.to };
}

async function receiptsIn(location: StoreLocation): Promise<readonly ReceiptInLog[]> {
  const stores = await openForReading(location);
  try {
    const receipts: ReceiptInLog[] = [];
    for await (const stored of stores.events.readAll({ filter: { types: ['ReceiptIssued'] } })) {
      const { stream, data } = decode(stored) as FactOf<'ReceiptIssued'>;
      const { number, kind, reference, paidAt, currency } = data;
      // Of a refund that came back it is below zero: the store gained it.
      const amountCents = kind === 'charge' ? data.amountCents : -data.amountCents;
      receipts.push({ storeId: idOf(stream), number, kind, reference, paidAt, amountCents, currency });
    }
    return receipts;
  } finally {
    await stores.close();
  }
}

interface Compared {
  readonly period: Period | undefined;
  readonly others: BalanceReport['others'];
  /** The report has lines, and none of them is of the period: it may be the wrong file. */
  readonly noLineInside: boolean;
}

function print({ period, others, noLineInside }: Compared, found: Reconciliation): void {
  const { days, differences, agreeing } = found;
  printLines(period ? `From ${period.from} to ${period.to} (UTC), charges less refunds:` : 'The report is empty.');
  for (const { day, currency, thereCents, hereCents } of days) {
    const amounts = `provider ${decimalOf(thereCents, currency).padStart(14)}  receipts ${decimalOf(hereCents, currency).padStart(14)}`;
    printLines(`${day}  ${currency}  ${amounts}  ${thereCents === hereCents ? 'agree' : 'DIFFER'}`);
  }
  for (const difference of differences) printLines(lineAbout(difference));
  if (differences.some(isRefundOnlyThere)) printLines(OF_ANOTHER_REPORT);
  printNotCompared(others, found);
  if (noLineInside)
    printLines('NO LINE of the report is within the period: it may be the wrong file, or the wrong days');
  printLines(`${counted(agreeing, 'receipt agrees', 'receipts agree')}; ${counted(differences.length, 'difference')}`);
}

/** The line that cancels it out may be of another month. */
const isRefundOnlyThere = (difference: Difference): boolean =>
  difference.what === 'only-there' && difference.line.kind !== 'charge';

const OF_ANOTHER_REPORT =
  'a refund that is only there may have been refused later, and one that came back may be of an earlier month: give the reports of the other months, too, with --from and --to for the period of this one';

function printNotCompared(
  others: BalanceReport['others'],
  { linesOutside, elsewhere, neverMade }: Reconciliation,
): void {
  const notCompared = Object.entries(others).map(([category, count]) => `${category} (${count})`);
  if (notCompared.length > 0) printLines(`not compared: ${notCompared.join(', ')}`);
  if (linesOutside > 0)
    printLines(`${counted(linesOutside, 'line is', 'lines are')} outside the period, and not compared`);
  if (elsewhere > 0) printLines(`${counted(elsewhere, 'refund was', 'refunds were')} made without the provider`);
  if (neverMade > 0)
    printLines(
      `${counted(neverMade, 'refund was', 'refunds were')} refused by the provider after all, and cancelled out`,
    );
}

const noun: Readonly<Record<ReceiptInLog['kind'], string>> = {
  charge: 'charge',
  refund: 'refund',
  'refund-returned': 'returned refund',
};

function lineAbout(difference: Difference): string {
  const there = 'line' in difference ? difference.line : undefined;
  const here = 'receipt' in difference ? difference.receipt : undefined;
  const line =
    there && `${noun[there.kind]} ${there.id} of ${there.day}, ${tellMoney(there.amountCents, there.currency)}`;
  const receipt =
    here &&
    `receipt ${here.number} of ${here.storeId}, ${noun[here.kind]} of ${here.paidAt}, ${tellMoney(here.amountCents, here.currency)}`;
  if (line && receipt) return `differs:    ${line}, but ${receipt}`;
  return line ? `only there: ${line}` : `only here:  ${receipt}, ${here?.reference}`;
}
