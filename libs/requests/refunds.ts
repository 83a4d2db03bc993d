import type { Instant } from '#domain/kernel/events';
import type { CommandOf } from '#domain/ledger';
import { programmeStream } from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import { refundIdOf } from '#domain/orders/refunds';
import type { Finding } from '#domain/orders/unknown-payments';
import { asRows, type QueryDependencies, type QueryTools } from './query-tools.ts';
import { type RequestContext, type RequestTools, whateverRevision } from './request-tools.ts';

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

const isAsSeen = async ({ streams }: RequestTools, orderId: string, { ifRevision }: RequestContext) =>
  ifRevision === undefined || (await streams.read<'order'>(orderStream(orderId))).revision === ifRevision;

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
    /**
     * An unknown first payment is the order's, an unknown renewal its programme's. An order has no two of them. Both are shown with the
     * order: who saw another revision of the order gets the answer of its stream.
     */
    resolve: async (orderId: string, finding: Finding, context: RequestContext) => {
      const { unknownCharge } = await tools.stateOf<'programme'>(programmeStream(orderId));
      const renewal = { type: 'ResolveRenewal', at: at(), ...finding } as const;
      return unknownCharge && (await isAsSeen(tools, orderId, context))
        ? tools.send(orderId, programmeStream(orderId), renewal, whateverRevision(context))
        : send(orderId, orderId, { type: 'ResolvePayment', at: at(), ...finding }, context);
    },
    recordDispute: (orderId: string, dispute: DisputeTold, context: RequestContext) =>
      send(dispute.disputeId, orderId, { type: 'RecordDispute', at: at(), ...dispute }, context),
    recordReturned: (orderId: string, refundId: string, reference: string, context: RequestContext) =>
      send(refundId, orderId, { type: 'RecordRefundReturned', at: at(), refundId, reference }, context),
  };
}

const LONGEST_WAIT_MILLISECONDS = 5000;

type RefundTools = QueryTools & Pick<QueryDependencies, 'events' | 'readModels' | 'notices'>;

export const refundQueries = ({ rows, events, readModels, notices, now }: RefundTools) => ({
  list: asRows(rows.refunds.list),
  async get({ caller }: RequestContext, { refundId }: { refundId: string }) {
    const found = await rows.refunds.find(caller, refundId);
    return found && { ...found, revision: found.changes };
  },
  disputes: asRows(rows.disputes.list),

  /**
   * What the provider tells by itself, and the order whose payment it is about. It looks at all that is recorded until now.
   * A dispute of an unknown payment may be of a charge whose result is not recorded yet.
   * @returns undefined for notices of other things, `behind` when the read models do not have all of it yet @throws BadSignature
   */
  async told({ caller }: RequestContext, { body, signature }: { body: string; signature: string }) {
    const notice = await notices.read(body, signature, now());
    if (!notice) return undefined;
    if (!(await readModels.waitFor(await events.head(), LONGEST_WAIT_MILLISECONDS))) return 'behind' as const;
    const orderId = await rows.disputes.orderOfPayment(caller, notice.reference);
    const isLost = notice.kind === 'dispute' && orderId === undefined;
    const mayBeOurs = isLost && (await rows.disputes.isChargeUnderWay(now()));
    return { ...notice, orderId, mayBeOurs };
  },
});
