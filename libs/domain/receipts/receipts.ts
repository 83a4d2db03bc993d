import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { currency, id } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { processOnly, type RightsOf, staffWith } from '../kernel/rights.ts';
import { type ReceiptLine, receiptLine } from './lines.ts';
import {
  type DatedTaxes,
  datedTaxes,
  isExact,
  type TaxShare,
  taxesAt,
  taxesGivenBack,
  taxesIn,
  taxesLeft,
  taxesTakenBack,
  taxShare,
} from './taxes.ts';

/** The receipts of one store, in the order of their numbers, and the taxes that its prices include (CHK-8). */
export const receiptsStream = (storeId: string) => `receipts-${storeId}` as const;

/** `refund-returned`: takes the receipt of a refund back, because the bank of the card sent the money back. */
export const receiptKinds = ['charge', 'refund', 'refund-returned'] as const;

export const receiptEvents = {
  TaxesSet: fact(datedTaxes.shape),
  /**
   * Of a charge that was captured, of money that was given back, or of such money that came back. Prices include the taxes: the
   * amount is what was charged.
   */
  ReceiptIssued: fact({
    receiptId: id,
    /** 1, 2, 3 … in each store, without gaps. */
    number: z.int().positive(),
    kind: z.enum(receiptKinds),
    orderId: id,
    customerId: id,
    leadTypeId: id,
    /** Which payment of the order: the number of its renewal, 0 is the first one. */
    renewalNumber: count,
    /** Of a refund: which one, and the number of the receipt of the charge. */
    refundId: id.optional(),
    chargeNumber: z.int().positive().optional(),
    /** Of a refund that came back: the number of its receipt, which this one takes back. */
    refundNumber: z.int().positive().optional(),
    /** When the money moved. */
    paidAt: instant,
    /** The charge or the refund, as the payment provider names it. Absent: given back in another way. */
    reference: id.optional(),
    /** Of a refund that came back, below zero: so are its lines and taxes. */
    amountCents: z.int(),
    currency,
    lines: z.array(receiptLine),
    taxes: z.array(taxShare),
  }),
};
export type ReceiptEvent = EventsOf<typeof receiptEvents>;
type Issued = Extract<ReceiptEvent, { type: 'ReceiptIssued' }>['data'];

type Asked = Pick<
  Issued,
  'orderId' | 'customerId' | 'leadTypeId' | 'renewalNumber' | 'paidAt' | 'reference' | 'amountCents' | 'currency'
>;

export type ReceiptCommand =
  | ({ type: 'SetTaxes'; at: Instant } & DatedTaxes)
  | ({ type: 'IssueChargeReceipt'; at: Instant; lines: ReceiptLine[] } & Asked)
  | ({ type: 'IssueRefundReceipt'; at: Instant; refundId: string } & Asked)
  /** `reference`: the refund that came back. */
  | { type: 'IssueReturnedRefundReceipt'; at: Instant; refundId: string; reference: string; paidAt: Instant };

/** Who may ask for which command. */
export const receiptRights = {
  SetTaxes: staffWith(['administrator'], 'CHK-8'),
  IssueChargeReceipt: processOnly,
  IssueRefundReceipt: processOnly,
  IssueReturnedRefundReceipt: processOnly,
} satisfies RightsOf<ReceiptCommand, ReceiptsState>;

interface Charge {
  readonly number: number;
  /** What is not given back yet. */
  leftCents: number;
  leftTaxes: readonly TaxShare[];
}

/** A refund may be made once more after it came back: each time under another name of the provider. */
interface Refund {
  /** The last receipt, unless it is taken back. */
  standing: Issued | undefined;
  /** Names of all that have a receipt. What was given back in another way has no name. */
  readonly made: Set<string | undefined>;
  readonly returned: Set<string | undefined>;
}

export interface ReceiptsState {
  lastNumber: number;
  /** Order and number of the renewal → what decides about its refunds. */
  readonly charges: Map<string, Charge>;
  readonly refunds: Map<string, Refund>;
  /** In the order in which they were set. */
  readonly taxes: (DatedTaxes & { readonly at: Instant })[];
}

export const receipts: Decider<ReceiptsState, ReceiptCommand, ReceiptEvent> = {
  initialState: () => ({ lastNumber: 0, charges: new Map(), refunds: new Map(), taxes: [] }),

  decide(command, state): Decision<ReceiptEvent> {
    switch (command.type) {
      case 'SetTaxes':
        return setTaxes(command, state);
      case 'IssueChargeReceipt':
        return issueForCharge(command, state);
      case 'IssueRefundReceipt':
        return issueForRefund(command, state);
      case 'IssueReturnedRefundReceipt':
        return takeBack(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'TaxesSet':
        state.taxes.push(event.data);
        break;
      case 'ReceiptIssued':
        noteReceipt(state, event.data);
        break;
      default:
        event satisfies never;
    }
    return state;
  },
};

/** A payment of an order, by the number of its renewal. */
export const paymentKey = ({ orderId, renewalNumber }: Pick<Issued, 'orderId' | 'renewalNumber'>): string =>
  `${orderId}/${renewalNumber}`;

function noteReceipt(state: ReceiptsState, issued: Issued): void {
  const { number, kind, amountCents, taxes } = issued;
  state.lastNumber = number;
  const key = paymentKey(issued);
  if (kind === 'charge') {
    state.charges.set(key, { number, leftCents: amountCents, leftTaxes: taxes });
    return;
  }
  noteRefund(state.refunds, issued);
  const charge = state.charges.get(key);
  if (!charge) return;
  charge.leftCents -= amountCents;
  charge.leftTaxes = taxesLeft(charge.leftTaxes, taxes);
}

function noteRefund(refunds: Map<string, Refund>, issued: Issued): void {
  const { kind, refundId = '', reference } = issued;
  const refund = refunds.get(refundId) ?? { standing: undefined, made: new Set(), returned: new Set() };
  refunds.set(refundId, refund);
  refund.standing = kind === 'refund' ? issued : undefined;
  (kind === 'refund' ? refund.made : refund.returned).add(reference);
}

type Command<Type extends ReceiptCommand['type']> = Extract<ReceiptCommand, { type: Type }>;

/** Receipts are never changed, so taxes are set for the time to come, like prices (CAT-3). */
function setTaxes({ type: _, ...data }: Command<'SetTaxes'>, state: ReceiptsState): Decision<ReceiptEvent> {
  if (data.effectiveFrom < data.at)
    return refuse('taxes-in-the-past', 'taxes take effect now or later: receipts keep theirs', 'CHK-8');
  if (!data.taxes.every(isExact))
    return { ...refuse('rate-too-fine', 'a rate has at most four decimal digits', 'CHK-8'), field: 'taxes' };
  const last = state.taxes.at(-1);
  const isSame = last && taxText(last) === taxText(data) && last.effectiveFrom === data.effectiveFrom;
  return isSame ? [] : [{ type: 'TaxesSet', data }];
}

const taxText = ({ taxes }: DatedTaxes): string => JSON.stringify(taxes.map(({ name, percent }) => [name, percent]));

function issueForCharge(
  { type: _, lines, ...asked }: Command<'IssueChargeReceipt'>,
  state: ReceiptsState,
): Decision<ReceiptEvent> {
  if (state.charges.has(paymentKey(asked))) return [];
  const taxes = taxesIn(asked.amountCents, taxesAt(state.taxes, asked.paidAt));
  return [issued('charge', { ...asked, lines, taxes: [...taxes] }, state)];
}

/** The taxes are those of the charge, whatever the store charges by now. One that is made once more comes after its return. */
function issueForRefund(
  { type: _, ...asked }: Command<'IssueRefundReceipt'>,
  state: ReceiptsState,
): Decision<ReceiptEvent> {
  const refund = state.refunds.get(asked.refundId);
  if (refund?.made.has(asked.reference)) return [];
  if (refund?.standing)
    return refuse('returned-refund-without-receipt', 'the refund came back, and that has no receipt yet', 'CHK-8');
  const charge = state.charges.get(paymentKey(asked));
  if (!charge) return refuse('charge-without-receipt', 'the charge has no receipt yet', 'CHK-8');
  const { amountCents } = asked;
  const taxes = [...taxesGivenBack(charge, amountCents)];
  const lines: ReceiptLine[] = [{ kind: 'refund', amountCents }];
  return [issued('refund', { ...asked, chargeNumber: charge.number, lines, taxes }, state)];
}

/** It takes back exactly what the receipt of the refund says. */
function takeBack(
  { at, refundId, reference, paidAt }: Command<'IssueReturnedRefundReceipt'>,
  state: ReceiptsState,
): Decision<ReceiptEvent> {
  const { standing, returned } = state.refunds.get(refundId) ?? {};
  if (returned?.has(reference)) return [];
  if (standing?.reference !== reference)
    return refuse('refund-without-receipt', 'the refund has no receipt yet', 'CHK-8');
  const { number: refundNumber, receiptId: _, kind: __, ...refund } = standing;
  const amountCents = -refund.amountCents;
  const lines: ReceiptLine[] = [{ kind: 'refund', amountCents }];
  const taxes = taxesTakenBack(refund.taxes);
  return [issued('refund-returned', { ...refund, at, paidAt, refundNumber, amountCents, lines, taxes }, state)];
}

function issued(
  kind: Issued['kind'],
  data: Omit<Issued, 'receiptId' | 'number' | 'kind'>,
  { lastNumber }: ReceiptsState,
): ReceiptEvent {
  const receiptId = receiptIdOf(kind, data);
  return { type: 'ReceiptIssued', data: { ...data, receiptId, number: lastNumber + 1, kind } };
}

/** Each charge, each attempt of a refund that was made, and each return of one has one receipt. */
const receiptIdOf = (
  kind: Issued['kind'],
  { orderId, renewalNumber, refundId, reference = '' }: Omit<Issued, 'receiptId' | 'number' | 'kind'>,
): string =>
  refundId === undefined
    ? deriveId('receipt', orderId, String(renewalNumber))
    : deriveId('receipt', orderId, refundId, kind, reference);
