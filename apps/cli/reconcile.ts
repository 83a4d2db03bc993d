import { type Difference, type ReceiptInLog, type Reconciliation, reconcile } from '#audit/reconciliation';
import { decode, type FactOf, idOf } from '#domain/codec';
import { counted } from '#domain/kernel/counted';
import { decimalOf, tellMoney } from '#domain/kernel/minor-units';
import { openForReading, type StoreLocation } from '#wiring/stores';
import { type BalanceReport, readBalanceReport } from './balance-report.ts';
import { printJson, printLines } from './print.ts';

/**
 * Compares the receipts with a report of the payment provider (CHK-8), day by day, and lists the differences.
 * @returns the exit code: 0 when both agree, else 1
 */
export async function reconcileWith(
  location: StoreLocation,
  file: string,
  { json = false }: { json?: boolean },
): Promise<number> {
  const report = await readBalanceReport(file);
  const period = report.period ?? { from: '', to: '' };
  const found = reconcile(report.lines, await receiptsIn(location), period);
  if (json) printJson({ period: report.period ?? null, ...found, notCompared: report.others });
  else print(report, found);
  return found.differences.length === 0 ? 0 : 1;
}

async function receiptsIn(location: StoreLocation): Promise<readonly ReceiptInLog[]> {
  const stores = await openForReading(location);
  try {
    const receipts: ReceiptInLog[] = [];
    for await (const stored of stores.events.readAll({ filter: { types: ['ReceiptIssued'] } })) {
      const { stream, data } = decode(stored) as FactOf<'ReceiptIssued'>;
      const { number, kind, reference, paidAt, amountCents, currency } = data;
      receipts.push({ storeId: idOf(stream), number, kind, reference, paidAt, amountCents, currency });
    }
    return receipts;
  } finally {
    await stores.close();
  }
}

function print({ period, others }: BalanceReport, { days, differences, agreeing, elsewhere }: Reconciliation): void {
  printLines(period ? `From ${period.from} to ${period.to} (UTC), charges less refunds:` : 'The report is empty.');
  for (const { day, currency, thereCents, hereCents } of days) {
    const amounts = `provider ${decimalOf(thereCents, currency).padStart(14)}  receipts ${decimalOf(hereCents, currency).padStart(14)}`;
    printLines(`${day}  ${currency}  ${amounts}  ${thereCents === hereCents ? 'agree' : 'DIFFER'}`);
  }
  for (const difference of differences) printLines(lineAbout(difference));
  const notCompared = Object.entries(others).map(([category, count]) => `${category} (${count})`);
  if (notCompared.length > 0) printLines(`not compared: ${notCompared.join(', ')}`);
  if (elsewhere > 0) printLines(`${counted(elsewhere, 'refund was', 'refunds were')} made without the provider`);
  printLines(`${counted(agreeing, 'receipt agrees', 'receipts agree')}; ${counted(differences.length, 'difference')}`);
}

function lineAbout(difference: Difference): string {
  const there = 'line' in difference ? difference.line : undefined;
  const here = 'receipt' in difference ? difference.receipt : undefined;
  const line = there && `${there.kind} ${there.id} of ${there.day}, ${tellMoney(there.amountCents, there.currency)}`;
  const receipt =
    here &&
    `receipt ${here.number} of ${here.storeId}, ${here.kind} of ${here.paidAt}, ${tellMoney(here.amountCents, here.currency)}`;
  if (line && receipt) return `differs:    ${line}, but ${receipt}`;
  return line ? `only there: ${line}` : `only here:  ${receipt}, ${here?.reference}`;
}
