import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import type { Receipt, RequestContext } from '#requests/request-tools';

/** The id of a command follows from its purpose, so that a continued demo repeats the same command. */
export const commandIdOf = (...purpose: readonly string[]): string => deriveId('demo', ...purpose);

/** The ledger remembers commands with a hash, as it does for requests with a key. A repeat gets the first outcome. */
export const REPEATABLE = { requestHash: 'demo' };

const contextOf = (actor: string, purpose: readonly string[]): RequestContext => ({
  caller: trialCaller(actor, 'cli'),
  commandId: commandIdOf(...purpose),
  ...REPEATABLE,
});

export const asOwner = (...purpose: readonly string[]): RequestContext => contextOf('staff:owner', purpose);

export const asSupport = (reason: string, ...purpose: readonly string[]): RequestContext => ({
  ...contextOf('staff:support', purpose),
  reason,
});

export const asCustomer = (customerId: string, ...purpose: readonly string[]): RequestContext =>
  contextOf(`customer:${customerId}`, purpose);

/** For commands that the demo cannot do without. @throws Error when the ledger refuses */
export async function must(asked: Promise<Receipt>): Promise<Receipt> {
  const answer = await asked;
  const { outcome } = answer;
  if (outcome.kind !== 'accepted')
    throw new Error(`the demo was refused: ${outcome.kind === 'refused' ? outcome.refusal.message : outcome.kind}`);
  return answer;
}
