import { z } from 'zod';
import { catalogueStream, unknownStore } from '#domain/catalogue/catalogue';
import { deriveId } from '#domain/kernel/ids';
import { programmeStream } from '#domain/loyalty/programme';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import { type RequestContext, requestTools } from './request-tools.ts';
import { RequestRefused } from './rights.ts';

/** What an operator says about the renewals that wait (LOY-10). */
export const wordsAboutRenewals = { release: 'ReleaseRenewal', skip: 'SkipRenewal' } as const;
export type WordAboutRenewals = keyof typeof wordsAboutRenewals;

export interface MissedRenewalsRequest {
  readonly word: WordAboutRenewals;
  /** Only of this store; absent: of all stores of the caller. */
  readonly storeId?: string | undefined;
}

export const missedRenewalsDecision = z
  .object({
    decided: z.int().describe('Renewals that this request released or skipped.'),
    left: z
      .int()
      .describe(
        'Renewals about which somebody else had decided meanwhile, and those that cannot be skipped because their charge is under way.',
      ),
  })
  .meta({ id: 'MissedRenewalsDecision' });
type MissedRenewalsDecision = z.infer<typeof missedRenewalsDecision>;

export const missedRenewalsDecisionExample: MissedRenewalsDecision = { decided: 52, left: 0 };

const AT_ONCE = 50;

/**
 * One command for each renewal that waits: each programme decides for itself, so two operators at once change nothing twice.
 * Interrupted, it is asked for again, and goes on with what still waits.
 */
export async function decideMissedRenewals(
  tools: QueryTools & QueryDependencies,
  context: RequestContext,
  { word, storeId }: MissedRenewalsRequest,
): Promise<MissedRenewalsDecision> {
  if (storeId !== undefined && !(await tools.stateOf<'catalogue'>(catalogueStream)).stores.has(storeId))
    throw new RequestRefused(unknownStore(storeId));
  const decision = { decided: 0, left: 0 };
  for (let after = ''; ; ) {
    const orderIds = await tools.rows.programmes.withMissedRenewal(context.caller, { storeId, after, limit: AT_ONCE });
    const decided = await Promise.all(orderIds.map((orderId) => decideOne(tools, context, word, orderId)));
    for (const one of decided) decision[one ? 'decided' : 'left'] += 1;
    after = orderIds.at(-1) ?? after;
    if (orderIds.length < AT_ONCE) return decision;
  }
}

/** @returns whether this changed something */
async function decideOne(
  tools: QueryTools & QueryDependencies,
  context: RequestContext,
  word: WordAboutRenewals,
  orderId: string,
): Promise<boolean> {
  const command = { type: wordsAboutRenewals[word], at: tools.now() } as const;
  const commandId = deriveId(command.type, context.commandId, orderId);
  const { outcome } = await requestTools(tools).send(orderId, programmeStream(orderId), command, {
    ...context,
    commandId,
  });
  return outcome.kind === 'accepted' && outcome.events.length > 0;
}
