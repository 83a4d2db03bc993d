import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { programme, programmeStream } from '#domain/loyalty/programme';
import { order, orderStream } from '#domain/orders/order';
import { isSamePayment, type PaymentOfOrder, paymentClaimStream, paymentOfAnother } from '#domain/orders/payment-claim';
import type { Finding } from '#domain/orders/unknown-payments';
import { type Receipt, type RequestContext, type RequestTools, whateverRevision } from './request-tools.ts';
import { checkRight } from './rights.ts';

/** What staff found, and the payments that the log has under the reference already. */
export interface FindingToRecord extends Finding {
  readonly known: readonly PaymentOfOrder[];
}

/**
 * Records what staff found about an unknown payment. An unknown first payment is the order's, an unknown renewal its programme's. An order
 * has no two of them. Both are shown with the order: who saw another revision of the order gets the answer of its stream. One payment of the provider is one of ours: what the log has is in the read models, and a claim prevents that
 * two of the staff record it at once.
 */
export async function recordFinding(
  tools: RequestTools,
  orderId: string,
  { known, ...finding }: FindingToRecord,
  context: RequestContext,
): Promise<Receipt> {
  const { stream, command, renewalNumber, records, ...asked } = await whatIsAsked(tools, orderId, finding, context);
  const { reference } = finding;
  const taken =
    records && reference !== undefined
      ? await refuseTaken(tools, reference, { orderId, renewalNumber }, known, context)
      : undefined;
  return tools.send(orderId, stream, taken ?? command, asked.context);
}

/** `records`: the caller has the right, and the finding says something new. Otherwise nothing is claimed for it. */
async function whatIsAsked(tools: RequestTools, orderId: string, finding: Finding, by: RequestContext) {
  const at = tools.now();
  const ofProgramme = await tools.stateOf<'programme'>(programmeStream(orderId));
  const { unknownCharge } = ofProgramme;
  if (unknownCharge && (await isAsSeen(tools, orderId, by))) {
    const [stream, command] = [programmeStream(orderId), { type: 'ResolveRenewal', at, ...finding } as const];
    const records = isNew(programme.decide(command, ofProgramme)) && !checkRight(stream, command, ofProgramme, by);
    const context = whateverRevision(by);
    return { stream, command, renewalNumber: unknownCharge.renewalNumber, records, context };
  }
  const [stream, command] = [orderStream(orderId), { type: 'ResolvePayment', at, ...finding } as const];
  const state = await tools.stateOf<'order'>(stream);
  const records = isNew(order.decide(command, state)) && !checkRight(stream, command, state, by);
  return { stream, command, renewalNumber: 0, records, context: by };
}

const isAsSeen = async ({ streams }: RequestTools, orderId: string, { ifRevision }: RequestContext): Promise<boolean> =>
  ifRevision === undefined || (await streams.read<'order'>(orderStream(orderId))).revision === ifRevision;

const isNew = (decision: Refusal | readonly object[]): boolean => !isRefusal(decision) && decision.length > 0;

/** @returns why it is another payment's; undefined: it is this one's from now on */
async function refuseTaken(
  tools: RequestTools,
  reference: string,
  payment: PaymentOfOrder,
  known: readonly PaymentOfOrder[],
  { caller, commandId, until }: RequestContext,
): Promise<Refusal | undefined> {
  const other = known.find((one) => !isSamePayment(one, payment));
  if (other) return paymentOfAnother(reference, other);
  const stream = paymentClaimStream(reference);
  const { claim } = await tools.stateOf<'payment'>(stream);
  const from = claim && (await isVoid(tools, reference, claim)) ? { from: claim } : {};
  const command = { type: 'ClaimPayment', at: tools.now(), reference, ...payment, ...from } as const;
  // The reason of the staff may name the customer: it is with what they found, under the customer's key.
  const step = { caller, commandId: deriveId('ClaimPayment', commandId), ...(until !== undefined && { until }) };
  const { outcome } = await tools.send(payment.orderId, stream, command, step);
  return outcome.kind === 'refused' ? outcome.refusal : undefined;
}

/** A payment that was recorded under another name keeps that one: its claim on this name is never used. */
async function isVoid(
  tools: RequestTools,
  reference: string,
  { orderId, renewalNumber }: PaymentOfOrder,
): Promise<boolean> {
  const { payments } = await tools.stateOf<'order'>(orderStream(orderId));
  const recorded = payments.get(renewalNumber);
  return recorded !== undefined && recorded.reference !== reference;
}
