import { DAY } from './books.ts';
import type { RawEvent } from './raw-log.ts';

type ReceiptLaw = 'receiptWrong';

/** Money that moved: a captured charge, or what was given back. */
interface Moved {
  readonly event: RawEvent;
  readonly orderId: string;
  /** Order and number of the renewal. */
  readonly payment: string;
  readonly isRefund: boolean;
  readonly amountCents: number;
  readonly at: string;
  hasReceipt: boolean;
}

interface Charge {
  readonly number: number;
  readonly taxes: readonly Rate[];
  leftCents: number;
}

interface Rate {
  readonly name: string;
  readonly percent: number;
}

interface Store {
  lastNumber: number;
  readonly taxes: { readonly effectiveFrom: string; readonly taxes: readonly Rate[] }[];
}

/**
 * Checks that each charge and each refund has one receipt, that the numbers of each store have no gap, and that lines and taxes
 * fit the amount (CHK-8). Shares no code with the decider.
 */
export class ReceiptCheck {
  readonly #moved = new Map<string, Moved>();
  readonly #stores = new Map<string, Store>();
  readonly #storeOfOrder = new Map<string, string>();
  readonly #charges = new Map<string, Charge>();
  #firstReceiptAt: number | undefined;
  #now = 0;

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take(event: RawEvent): readonly ReceiptLaw[] {
    const at = Date.parse(event.data.at);
    if (at > this.#now) this.#now = at;
    const { id, type, data } = event;
    switch (type) {
      case 'OrderPlaced':
        this.#storeOfOrder.set(id, data.storeId);
        return [];
      case 'PaymentCaptured':
      case 'PaymentCapturedTooLate':
        return this.#move(event, data.amountCents);
      case 'OrderReopened':
        return this.#move(event, data.totalCents);
      case 'PaymentRefunded':
      case 'RefundSettled':
        return this.#move(event, data.amountCents, data.refundId);
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
  missing(): readonly RawEvent[] {
    const since = this.#firstReceiptAt;
    if (since === undefined || since > this.#now - DAY) return [];
    return [...this.#moved.values()].flatMap(({ hasReceipt, at, event }) =>
      hasReceipt || Date.parse(at) > this.#now - DAY ? [] : [event],
    );
  }

  #move(event: RawEvent, amountCents = 0, refundId?: string): readonly ReceiptLaw[] {
    const { id: orderId, data } = event;
    const payment = `${orderId}/${data.renewalNumber ?? 0}`;
    const isRefund = refundId !== undefined;
    const key = refundId ?? payment;
    // A refund that the bank sent back is made once more, and keeps its receipt.
    const hasReceipt = amountCents === 0 || (isRefund && this.#moved.get(key)?.hasReceipt === true);
    this.#moved.set(key, { event, orderId, payment, isRefund, amountCents, at: data.at, hasReceipt });
    return [];
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
    const moved = this.#moved.get(data.kind === 'refund' ? data.refundId : payment);
    if (!moved || moved.hasReceipt) return false;
    moved.hasReceipt = true;
    const isAboutIt =
      moved.isRefund === (data.kind === 'refund') &&
      moved.payment === payment &&
      moved.amountCents === data.amountCents &&
      moved.at === data.paidAt &&
      this.#storeOfOrder.get(moved.orderId) === id;
    const fits = moved.isRefund ? this.#refundFits(payment, data) : this.#chargeFits(payment, data, store);
    return isNext && isAboutIt && fits && sumOf(data.lines) === data.amountCents;
  }

  #chargeFits(payment: string, { number, paidAt, amountCents, taxes }: RawEvent['data'], store: Store): boolean {
    this.#charges.set(payment, { number, taxes, leftCents: amountCents });
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

  #refundFits(payment: string, { chargeNumber, amountCents, taxes }: RawEvent['data']): boolean {
    const charge = this.#charges.get(payment);
    if (!charge) return false;
    const before = charge.leftCents;
    charge.leftCents -= amountCents;
    const expected = charge.taxes.map((one, _, all) => ({
      ...one,
      taxCents: taxIn(before, one, all) - taxIn(charge.leftCents, one, all),
    }));
    return charge.number === chargeNumber && charge.leftCents >= 0 && sameTaxes(taxes, expected);
  }
}

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
