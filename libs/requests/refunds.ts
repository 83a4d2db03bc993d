import type { Instant } from '#domain/kernel/events';
import type { CommandOf } from '#domain/ledger';
import { orderStream } from '#domain/orders/order';
import { refundIdOf } from '#domain/orders/refunds';
import { asRows, type QueryDependencies, type QueryTools } from './query-tools.ts';
import { type RequestContext, type RequestTools, whateverRevision } from './request-tools.ts';
import { type FindingToRecord, recordFinding } from './unknown-payments.ts';

interface GiveBackRequest {
  /** Default: the payment of the order itself. */
  readonly renewalNumber?: number;
  /** Default: all that is left of the payment. */
  readonly amountCents?: number;
}

/** CHK-7: what the provider cannot charge in a currency, it cannot give back. */
async function refundable({ providerLimits, stateOf }: RequestTools, orderId: string, renewalNumber: number) {
  if (!providerLimits) return {};
  const payment = (await stateOf<'order'>(orderStream(orderId))).payments.get(renewalNumber);
  const limits = payment && providerLimits.amountsOf(payment.currency);
  return limits ? { multipleOf: limits.multipleOf } : {};
}

type CommandAboutRefund = Extract<CommandOf<'order'>, { type: 'RetryRefund' | 'SettleRefund' }>;

type DisputeTold = Omit<Extract<CommandOf<'order'>, { type: 'RecordDispute' }>, 'type' | 'at'>;

/** Money that is given back, charges of which nobody knew the result, and payments that are disputed (CHK-6). */
export function refundRequests(tools: RequestTools) {
  const send = (id: string, orderId: string, command: CommandOf<'order'>, context: RequestContext) =>
    tools.send(id, orderStream(orderId), command, context);
  /** The order may change without its refund: a caller saw a revision of the refund. */
  const sendToRefund = (orderId: string, command: CommandAboutRefund, context: RequestContext) =>
    send(command.refundId, orderId, { ...command, ifChanges: context.ifRevision }, whateverRevision(context));
  const at = (): Instant => tools.now();
  return {
    /** A repeat with the same key names the same refund. */
    wish: async (orderId: string, { renewalNumber = 0, ...amount }: GiveBackRequest, context: RequestContext) => {
      const refundId = refundIdOf(context.commandId);
      const wished = { refundId, renewalNumber, ...amount, ...(await refundable(tools, orderId, renewalNumber)) };
      return send(refundId, orderId, { type: 'WishRefund', at: at(), ...wished, cause: 'by-hand' }, context);
    },
    retry: (orderId: string, refundId: string, context: RequestContext) =>
      sendToRefund(orderId, { type: 'RetryRefund', at: at(), refundId }, context),
    settle: (orderId: string, refundId: string, context: RequestContext) =>
      sendToRefund(orderId, { type: 'SettleRefund', at: at(), refundId }, context),
    resolve: (orderId: string, finding: FindingToRecord, context: RequestContext) =>
      recordFinding(tools, orderId, finding, context),
    recordDispute: (orderId: string, dispute: DisputeTold, context: RequestContext) =>
      send(dispute.disputeId, orderId, { type: 'RecordDispute', at: at(), ...dispute }, context),
    recordReturned: (orderId: string, refundId: string, reference: string, context: RequestContext) =>
      send(refundId, orderId, { type: 'RecordRefundReturned', at: at(), refundId, reference }, context),
  };
}

const LONGEST_WAIT_MILLISECONDS = 5000;

type RefundTools = QueryTools & Pick<QueryDependencies, 'events' | 'readModels' | 'notices'>;

/** Whether the read models have all that is recorded until now. */
const isUpToDate = async ({ events, readModels }: Pick<RefundTools, 'events' | 'readModels'>): Promise<boolean> =>
  readModels.waitFor(await events.head(), LONGEST_WAIT_MILLISECONDS);

export const refundQueries = ({ rows, events, readModels, notices, now }: RefundTools) => ({
  list: asRows(rows.refunds.list),
  async get({ caller }: RequestContext, { refundId }: { refundId: string }) {
    const found = await rows.refunds.find(caller, refundId);
    return found && { ...found, revision: found.changes };
  },
  disputes: asRows(rows.disputes.list),

  /** Which payments of orders the log has under this name until now. @returns `behind` when the read models do not have all of it yet */
  paymentsNamed: async (_: RequestContext, { reference }: { reference: string }) =>
    (await isUpToDate({ events, readModels })) ? rows.disputes.paymentsNamed(reference) : ('behind' as const),

  /**
   * What the provider tells by itself, and the order whose payment it is about. It looks at all that is recorded until now.
   * A dispute of an unknown payment may be of a charge whose result is not recorded yet.
   * @returns undefined for notices of other things, `behind` when the read models do not have all of it yet @throws BadSignature
   */
  async told({ caller }: RequestContext, { body, signature }: { body: string; signature: string }) {
    const notice = await notices.read(body, signature, now());
    if (!notice) return undefined;
    if (!(await isUpToDate({ events, readModels }))) return 'behind' as const;
    const orderId = await rows.disputes.orderOfPayment(caller, notice.reference);
    const isLost = notice.kind === 'dispute' && orderId === undefined;
    const mayBeOurs = isLost && (await rows.disputes.isChargeUnderWay(now()));
    return { ...notice, orderId, mayBeOurs };
  },
});
