/** What the payment provider's report says of one charge or refund. */
export interface BalanceLine {
  /** The provider's id of the line. */
  readonly id: string;
  readonly kind: 'charge' | 'refund';
  /** The names under which the provider knows the charge or the refund. */
  readonly references: readonly string[];
  /** The calendar day in UTC, as YYYY-MM-DD. */
  readonly day: string;
  /** Of a refund, too, above zero. */
  readonly amountCents: number;
  readonly currency: string;
}

/** A receipt as the log has it. Without a reference, the provider knows nothing of it. */
export interface ReceiptInLog {
  readonly storeId: string;
  readonly number: number;
  readonly kind: 'charge' | 'refund';
  readonly reference?: string | undefined;
  readonly paidAt: string;
  readonly amountCents: number;
  readonly currency: string;
}

export type Difference =
  | { readonly what: 'only-there'; readonly line: BalanceLine }
  | { readonly what: 'only-here'; readonly receipt: ReceiptInLog }
  | { readonly what: 'differs'; readonly line: BalanceLine; readonly receipt: ReceiptInLog };

/** Charges less refunds, in minor units. */
export interface DayTotals {
  readonly day: string;
  readonly currency: string;
  thereCents: number;
  hereCents: number;
}

export interface Reconciliation {
  readonly differences: readonly Difference[];
  /** By day and currency. What both know is counted on the provider's day. */
  readonly days: readonly DayTotals[];
  readonly agreeing: number;
  /** Refunds of the period that were made in another way. */
  readonly elsewhere: number;
}

const dayOf = ({ paidAt }: ReceiptInLog): string => paidAt.slice(0, 10);

/**
 * Compares a report of the provider with the receipts. A receipt counts as missing there only within the period of the report: its
 * first and last day.
 */
export function reconcile(
  lines: readonly BalanceLine[],
  receipts: Iterable<ReceiptInLog>,
  { from, to }: { readonly from: string; readonly to: string },
): Reconciliation {
  const byReference = new Map(lines.flatMap((line) => line.references.map((one) => [keyOf(line.kind, one), line])));
  const days = new Map<string, DayTotals>();
  const differences: Difference[] = [];
  const found = new Set<BalanceLine>();
  let agreeing = 0;
  let elsewhere = 0;
  for (const receipt of receipts) {
    const line = receipt.reference === undefined ? undefined : byReference.get(keyOf(receipt.kind, receipt.reference));
    const isInPeriod = dayOf(receipt) >= from && dayOf(receipt) <= to;
    if (line && !found.has(line)) {
      found.add(line);
      count(days, line.day, receipt, 'hereCents');
      if (isSame(line, receipt)) agreeing += 1;
      else differences.push({ what: 'differs', line, receipt });
    } else if (isInPeriod && receipt.reference === undefined) elsewhere += 1;
    else if (isInPeriod) {
      count(days, dayOf(receipt), receipt, 'hereCents');
      differences.push({ what: 'only-here', receipt });
    }
  }
  for (const line of lines) {
    count(days, line.day, line, 'thereCents');
    if (!found.has(line)) differences.push({ what: 'only-there', line });
  }
  return { differences, days: [...days.entries()].sort(byKey).map(([, totals]) => totals), agreeing, elsewhere };
}

const keyOf = (kind: string, reference: string): string => `${kind} ${reference}`;

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

const isSame = (line: BalanceLine, receipt: ReceiptInLog): boolean =>
  line.amountCents === receipt.amountCents && line.currency === receipt.currency;

function count(
  days: Map<string, DayTotals>,
  day: string,
  { kind, amountCents, currency }: Pick<BalanceLine, 'kind' | 'amountCents' | 'currency'>,
  side: 'thereCents' | 'hereCents',
): void {
  const key = `${day} ${currency}`;
  const totals = days.get(key) ?? { day, currency, thereCents: 0, hereCents: 0 };
  totals[side] += kind === 'charge' ? amountCents : -amountCents;
  days.set(key, totals);
}
