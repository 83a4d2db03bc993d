import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { currency, id } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { processOnly, type RightsOf, staff } from '../kernel/rights.ts';
import { type ReceiptLine, receiptLine } from './lines.ts';
import { type DatedTaxes, datedTaxes, isExact, type Tax, taxesAt, taxesGivenBack, taxesIn, taxShare } from './taxes.ts';

/** The receipts of one store, in the order of their numbers, and the taxes that its prices include (CHK-8). */
export const receiptsStream = (storeId: string) => `receipts-${storeId}` as const;

export const receiptKinds = ['charge', 'refund'] as const;

export const receiptEvents = {
  TaxesSet: fact(datedTaxes.shape),
  /** Of a charge that was captured, or of money that was given back. Prices include the taxes: the amount is what was charged. */
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
    /** When the money moved. */
    paidAt: instant,
    /** The charge or the refund, as the payment provider names it. Absent: given back in another way. */
    reference: id.optional(),
    amountCents: z.int().positive(),
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
  | ({ type: 'IssueRefundReceipt'; at: Instant; refundId: string } & Asked);

/** Who may ask for which command. */
export const receiptRights = {
  SetTaxes: staff('CHK-8'),
  IssueChargeReceipt: processOnly,
  IssueRefundReceipt: processOnly,
} satisfies RightsOf<ReceiptCommand, ReceiptsState>;

interface Charge {
  readonly number: number;
  readonly taxes: readonly Tax[];
  /** What is not given back yet. */
  leftCents: number;
}

export interface ReceiptsState {
  lastNumber: number;
  /** Order and number of the renewal → what decides about its refunds. */
  readonly charges: Map<string, Charge>;
  readonly refunds: Set<string>;
  /** In the order in which they were set. */
  readonly taxes: DatedTaxes[];
}

export const receipts: Decider<ReceiptsState, ReceiptCommand, ReceiptEvent> = {
  initialState: () => ({ lastNumber: 0, charges: new Map(), refunds: new Set(), taxes: [] }),

  decide(command, state): Decision<ReceiptEvent> {
    switch (command.type) {
      case 'SetTaxes':
        return setTaxes(command, state);
      case 'IssueChargeReceipt':
        return issueForCharge(command, state);
      case 'IssueRefundReceipt':
        return issueForRefund(command, state);
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
  const { number, kind, refundId, amountCents, taxes } = issued;
  state.lastNumber = number;
  const key = paymentKey(issued);
  if (kind === 'charge') state.charges.set(key, { number, taxes, leftCents: amountCents });
  else {
    state.refunds.add(refundId as string);
    const charge = state.charges.get(key);
    if (charge) charge.leftCents -= amountCents;
  }
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

/** The taxes are those of the charge, whatever the store charges by now. */
function issueForRefund(
  { type: _, ...asked }: Command<'IssueRefundReceipt'>,
  state: ReceiptsState,
): Decision<ReceiptEvent> {
  if (state.refunds.has(asked.refundId)) return [];
  const charge = state.charges.get(paymentKey(asked));
  if (!charge) return refuse('charge-without-receipt', 'the charge has no receipt yet', 'CHK-8');
  const { amountCents } = asked;
  const { number: chargeNumber, leftCents } = charge;
  const taxes = [...taxesGivenBack({ leftCents, amountCents }, charge.taxes)];
  const lines: ReceiptLine[] = [{ kind: 'refund', amountCents }];
  return [issued('refund', { ...asked, chargeNumber, lines, taxes }, state)];
}

function issued(
  kind: Issued['kind'],
  data: Omit<Issued, 'receiptId' | 'number' | 'kind'>,
  { lastNumber }: ReceiptsState,
): ReceiptEvent {
  const receiptId = receiptIdOf(data);
  return { type: 'ReceiptIssued', data: { ...data, receiptId, number: lastNumber + 1, kind } };
}

/** Every charge and every refund has one receipt. */
const receiptIdOf = ({ orderId, renewalNumber, refundId }: Pick<Issued, 'orderId' | 'renewalNumber' | 'refundId'>) =>
  deriveId('receipt', orderId, refundId ?? String(renewalNumber));
