import { cleanTexts } from '#domain/kernel/text';
import type { CommandOf } from '#domain/ledger';
import { failureIn } from '#gateways/failures';
import type { RefundGateway } from '#gateways/refunds';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';

/**
 * When the provider gives no answer, the refund is asked for again with the same key: it is unknown whether money has moved.
 * @returns what is to be recorded of it @throws OutOfReach
 */
export async function makeRefund(
  { kind: _, attempt, ...refund }: Extract<Effect, { kind: 'make-refund' }>,
  key: string,
  { payments }: { readonly payments: RefundGateway },
): Promise<Untimed<CommandOf<'order'>>> {
  const answer = await payments.refund(refund, key).catch((error: unknown) => {
    throw new OutOfReach(`the payment provider: ${failureIn(error)}`);
  });
  const result = cleanTexts(answer);
  const { refundId } = refund;
  if (!result.refunded) return { type: 'RecordRefundFailed', refundId, attempt, failure: result.failure };
  return { type: 'RecordRefunded', refundId, attempt, reference: result.reference };
}
