type Kind = 'charge' | 'refund' | 'refund-returned';

/** What the payment provider's report says of one charge, one refund, or one refund that came back. */
export interface BalanceLine {
  /** The provider's id of the line. */
  readonly id: string;
  readonly kind: Kind;
  /** The names under which the provider knows the charge or the refund. */
  readonly references: readonly string[];
  /** The calendar day in UTC, as YYYY-MM-DD. */
  readonly day: string;
  /** What the balance gained; below zero: what it lost. */
  readonly amountCents: number;
  readonly currency: string;
}

/** A receipt as the log has it. Without a reference, the provider knows nothing of it. */
export interface ReceiptInLog {
  readonly storeId: string;
  readonly number: number;
  readonly kind: Kind;
  readonly reference?: string | undefined;
  readonly paidAt: string;
  /** What the store gained; below zero: what it gave back. */
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

/** The first and the last day, both within. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

export interface Reconciliation {
  readonly differences: readonly Difference[];
  /** By day and currency. What both know is counted on the provider's day. */
  readonly days: readonly DayTotals[];
  readonly agreeing: number;
  /** Refunds of the period that were made in another way. */
  readonly elsewhere: number;
  /** Refunds without a receipt that the provider took back itself: they were never made. */
  readonly neverMade: number;
  /** Lines outside the period that were not compared. */
  readonly linesOutside: number;
}

interface Pair {
  readonly line: BalanceLine;
  readonly receipt: ReceiptInLog;
}

/** Compares a report of the provider with the receipts. Of two that belong together, one may be outside the period. */
export function reconcile(
  lines: readonly BalanceLine[],
  receipts: Iterable<ReceiptInLog>,
  period: Period,
): Reconciliation {
  const { pairs, onlyThere, onlyHere } = pairsOf(lines, receipts);
  const compared = pairs.filter(({ line, receipt }) => isIn(line.day, period) || isIn(dayOf(receipt), period));
  const { made, neverMade } = withoutNeverMade(onlyThere);
  const there = made.filter(({ day }) => isIn(day, period));
  const here = onlyHere.filter((receipt) => isIn(dayOf(receipt), period));
  const known = here.filter(({ reference }) => reference !== undefined);
  const differing = compared.filter((pair) => !isSame(pair));
  const cancelled = neverMade.filter((both) => both.some(({ day }) => isIn(day, period)));
  const used = new Set([...compared.map(({ line }) => line), ...cancelled.flat()]);
  return {
    differences: [
      ...differing.map((pair): Difference => ({ what: 'differs', ...pair })),
      ...known.map((receipt): Difference => ({ what: 'only-here', receipt })),
      ...there.map((line): Difference => ({ what: 'only-there', line })),
    ],
    days: totalsOf(compared, there, known),
    agreeing: compared.length - differing.length,
    elsewhere: here.length - known.length,
    neverMade: cancelled.length,
    linesOutside: lines.filter((line) => !isIn(line.day, period) && !used.has(line)).length,
  };
}

const dayOf = ({ paidAt }: ReceiptInLog): string => paidAt.slice(0, 10);

export const isIn = (day: string, { from, to }: Period): boolean => day >= from && day <= to;

/** A line has one receipt. */
function pairsOf(lines: readonly BalanceLine[], receipts: Iterable<ReceiptInLog>) {
  const byReference = new Map(lines.flatMap((line) => line.references.map((one) => [keyOf(line.kind, one), line])));
  const found = new Set<BalanceLine>();
  const pairs: Pair[] = [];
  const onlyHere: ReceiptInLog[] = [];
  for (const receipt of receipts) {
    const line = receipt.reference === undefined ? undefined : byReference.get(keyOf(receipt.kind, receipt.reference));
    if (line && !found.has(line)) {
      found.add(line);
      pairs.push({ line, receipt });
    } else onlyHere.push(receipt);
  }
  return { pairs, onlyHere, onlyThere: lines.filter((line) => !found.has(line)) };
}

interface WithoutNeverMade {
  readonly made: readonly BalanceLine[];
  readonly neverMade: readonly (readonly [refund: BalanceLine, failure: BalanceLine])[];
}

/**
 * A refund that the provider refuses after it was created has two lines that cancel each other out, maybe on two days. It was not made, so
 * it has no receipt.
 */
function withoutNeverMade(lines: readonly BalanceLine[]): WithoutNeverMade {
  const refunds = new Map(
    lines.filter(({ kind }) => kind === 'refund').flatMap((line) => line.references.map((one) => [one, line])),
  );
  const cancelled = new Set<BalanceLine>();
  const neverMade: (readonly [refund: BalanceLine, failure: BalanceLine])[] = [];
  for (const failure of lines) {
    if (failure.kind !== 'refund-returned') continue;
    const refund = failure.references.map((one) => refunds.get(one)).find((one) => one !== undefined);
    if (!refund || cancelled.has(refund) || !cancels(failure, refund)) continue;
    cancelled.add(refund).add(failure);
    neverMade.push([refund, failure]);
  }
  return { made: lines.filter((line) => !cancelled.has(line)), neverMade };
}

const cancels = (failure: BalanceLine, refund: BalanceLine): boolean =>
  refund.amountCents < 0 && failure.amountCents === -refund.amountCents && failure.currency === refund.currency;

const keyOf = (kind: string, reference: string): string => `${kind} ${reference}`;

const isSame = ({ line, receipt }: Pair): boolean =>
  line.amountCents === receipt.amountCents && line.currency === receipt.currency;

function totalsOf(
  pairs: readonly Pair[],
  onlyThere: readonly BalanceLine[],
  onlyHere: readonly ReceiptInLog[],
): readonly DayTotals[] {
  const days = new Map<string, DayTotals>();
  const totals = (day: string, { currency }: { readonly currency: string }): DayTotals => {
    const key = `${day} ${currency}`;
    const known = days.get(key) ?? { day, currency, thereCents: 0, hereCents: 0 };
    days.set(key, known);
    return known;
  };
  for (const line of [...pairs.map((pair) => pair.line), ...onlyThere])
    totals(line.day, line).thereCents += line.amountCents;
  for (const { line, receipt } of pairs) totals(line.day, receipt).hereCents += receipt.amountCents;
  for (const receipt of onlyHere) totals(dayOf(receipt), receipt).hereCents += receipt.amountCents;
  return [...days.entries()].sort(byKey).map(([, of]) => of);
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
