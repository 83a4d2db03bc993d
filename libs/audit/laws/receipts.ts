import { DAY } from './books.ts';
import type { RawEvent } from './raw-log.ts';

type ReceiptLaw = 'receiptWrong';

/** Money that moved: a captured charge, what was given back, or what came back of that. */
interface Moved {
  readonly event: RawEvent;
  readonly orderId: string;
  /** Order and number of the renewal. */
  readonly payment: string;
  readonly kind: 'charge' | 'refund' | 'refund-returned';
  /** Below zero for what came back. */
  readonly amountCents: number;
  readonly at: string;
  hasReceipt: boolean;
}

interface Charge {
  readonly number: number;
  leftCents: number;
  /** What no receipt has given back. */
  leftTaxes: readonly Share[];
}

interface Rate {
  readonly name: string;
  readonly percent: number;
}

interface Share extends Rate {
  readonly taxCents: number;
}

interface Store {
  lastNumber: number;
  readonly taxes: { readonly effectiveFrom: string; readonly taxes: readonly Rate[] }[];
}

/**
 * Checks that each charge, each refund and each refund that came back has one receipt, that the numbers of each store have no gap, and that lines and taxes
 * fit the amount (CHK-8). Shares no code with the decider.
 */
export class ReceiptCheck {
  readonly #moved = new Map<string, Moved>();
  readonly #stores = new Map<string, Store>();
  readonly #storeOfOrder = new Map<string, string>();
  readonly #charges = new Map<string, Charge>();
  /** Refund → as the provider named the last one that was made. */
  readonly #madeAs = new Map<string, string | undefined>();
  /** Key of a refund → its receipt. */
  readonly #refunds = new Map<string, RawEvent['data']>();
  /** Payment → what came back of it, and has no receipt yet. */
  readonly #cameBack = new Map<string, number>();
  #firstReceiptAt: number | undefined;

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take(event: RawEvent): readonly ReceiptLaw[] {
    const at = Date.parse(event.data.at);
    const { id, type, data } = event;
    switch (type) {
      case 'OrderPlaced':
        this.#storeOfOrder.set(id, data.storeId);
        return [];
      case 'PaymentCaptured':
      case 'PaymentCapturedTooLate':
        return this.#move(event, 'charge', data.amountCents);
      case 'OrderReopened':
        return this.#move(event, 'charge', data.totalCents);
      case 'PaymentRefunded':
        this.#madeAs.set(data.refundId, data.reference);
        return this.#move(event, 'refund', data.amountCents, data.reference);
      case 'RefundSettled':
        return this.#move(event, 'refund', data.amountCents);
      case 'RefundReturned':
        return this.#move(event, 'refund-returned', -data.amountCents, this.#madeAs.get(data.refundId));
      case 'TaxesSet':
        this.#store(id).taxes.push(data);
        return [];
      case 'ReceiptIssued':
        this.#firstReceiptAt ??= at;
        return this.#isRight(event) ? [] : ['receiptWrong'];
      default:
        return [];
    }
  }

  /**
   * Call it at the end of the log. A receipt is issued at once, so only what moved a day ago, by the log's own clock, is missing.
   * Logs of older versions have none: theirs count from a day after the first receipt. @returns the charges and refunds
   */
  missing(now: number): readonly RawEvent[] {
    const since = this.#firstReceiptAt;
    if (since === undefined || since > now - DAY) return [];
    return [...this.#moved.values()].flatMap(({ hasReceipt, at, event }) =>
      hasReceipt || Date.parse(at) > now - DAY ? [] : [event],
    );
  }

  #move(event: RawEvent, kind: Moved['kind'], amountCents = 0, reference?: string): readonly ReceiptLaw[] {
    const { id: orderId, data } = event;
    const payment = `${orderId}/${data.renewalNumber ?? 0}`;
    const key = kind === 'charge' ? payment : keyOf(kind, data.refundId, reference);
    this.#moved.set(key, { event, orderId, payment, kind, amountCents, at: data.at, hasReceipt: amountCents === 0 });
    if (kind === 'refund-returned') this.#countBack(payment, -amountCents);
    return [];
  }

  #countBack(payment: string, cents: number): void {
    this.#cameBack.set(payment, (this.#cameBack.get(payment) ?? 0) + cents);
  }

  #store(id: string): Store {
    const store = this.#stores.get(id) ?? { lastNumber: 0, taxes: [] };
    this.#stores.set(id, store);
    return store;
  }

  /** After a wrong number, counting continues behind it. */
  #isRight({ id, data }: RawEvent): boolean {
    const store = this.#store(id);
    const isNext = data.number === store.lastNumber + 1;
    store.lastNumber = Math.max(store.lastNumber, Number(data.number));
    const payment = `${data.orderId}/${data.renewalNumber}`;
    const moved = this.#moved.get(data.kind === 'charge' ? payment : keyOf(data.kind, data.refundId, data.reference));
    if (!moved || moved.hasReceipt) return false;
    moved.hasReceipt = true;
    const isAboutIt =
      moved.kind === data.kind &&
      moved.payment === payment &&
      moved.amountCents === data.amountCents &&
      moved.at === data.paidAt &&
      this.#storeOfOrder.get(moved.orderId) === id;
    const fits = moved.kind === 'charge' ? this.#chargeFits(payment, data, store) : this.#refundFits(payment, data);
    return isNext && isAboutIt && fits && sumOf(data.lines) === data.amountCents;
  }

  #chargeFits(payment: string, { number, paidAt, amountCents, taxes }: RawEvent['data'], store: Store): boolean {
    this.#charges.set(payment, { number, leftCents: amountCents, leftTaxes: taxes });
    const inEffect = store.taxes
      .filter(({ effectiveFrom }) => effectiveFrom <= paidAt)
      .reduce<Store['taxes'][number] | undefined>(
        (last, one) => (last && last.effectiveFrom > one.effectiveFrom ? last : one),
        undefined,
      );
    return sameTaxes(
      taxes,
      (inEffect?.taxes ?? []).map((one, _, all) => ({ ...one, taxCents: taxIn(amountCents, one, all) })),
    );
  }

  #refundFits(payment: string, data: RawEvent['data']): boolean {
    const charge = this.#charges.get(payment);
    if (!charge) return false;
    const { kind, refundId, reference, amountCents, taxes } = data;
    charge.leftCents -= amountCents;
    const expected = kind === 'refund' ? taxesOfRefund(charge) : this.#taxesTakenBack(payment, data);
    if (kind === 'refund') this.#refunds.set(keyOf(kind, refundId, reference), data);
    charge.leftTaxes = charge.leftTaxes.map((left, index) => ({
      ...left,
      taxCents: left.taxCents - (taxes[index]?.taxCents ?? 0),
    }));
    const isWithin = charge.leftCents + (this.#cameBack.get(payment) ?? 0) >= 0;
    return charge.number === data.chargeNumber && isWithin && expected !== undefined && sameTaxes(taxes, expected);
  }

  /** A refund that came back takes back its own receipt. @returns undefined where it names another one, or none */
  #taxesTakenBack(payment: string, data: RawEvent['data']): readonly Share[] | undefined {
    this.#countBack(payment, data.amountCents);
    const refund = this.#refunds.get(keyOf('refund', data.refundId, data.reference));
    if (!refund || refund.number !== data.refundNumber) return undefined;
    return (refund.taxes as Share[]).map((one) => ({ ...one, taxCents: 0 - one.taxCents }));
  }
}

/** A refund is made once more, under another name, after it came back. What was given back in another way has no name. */
const keyOf = (kind: string, refundId: string, reference = ''): string => `${kind} ${refundId} ${reference}`;

/** Those that are left, less those of what is left after it. After a refund came back, they may be a unit apart. */
const taxesOfRefund = ({ leftCents, leftTaxes }: Charge): readonly Share[] =>
  leftTaxes.map((one, _, all) => {
    const after = leftCents > 0 ? taxIn(leftCents, one, all) : 0;
    return { ...one, taxCents: one.taxCents > after ? one.taxCents - after : 0 };
  });

const sumOf = (lines: readonly { readonly amountCents: number }[]): number =>
  lines.reduce((sum, { amountCents }) => sum + amountCents, 0);

/** In ten-thousandths of a percent, of which a rate is a whole number. */
const units = (percent: number): bigint => BigInt(Math.round(percent * 10_000));

/** What of an amount with taxes is this tax: rounded to the nearest minor unit, a half up. */
function taxIn(amountCents: number, { percent }: Rate, all: readonly Rate[]): number {
  const whole = all.reduce((sum, one) => sum + units(one.percent), 1_000_000n);
  const exact = BigInt(amountCents) * units(percent);
  const rest = exact % whole;
  return Number(exact / whole) + (rest * 2n >= whole ? 1 : 0);
}

const sameTaxes = (found: readonly (Rate & { taxCents: number })[], expected: typeof found): boolean =>
  found.length === expected.length &&
  expected.every(
    ({ name, percent, taxCents }, index) =>
      found[index]?.name === name && found[index].percent === percent && found[index].taxCents === taxCents,
  );
