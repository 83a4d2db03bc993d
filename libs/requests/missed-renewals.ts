import { z } from 'zod';
import { catalogueStream, unknownStore } from '#domain/catalogue/catalogue';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { programmeStream } from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import { refuseUnknownZone } from '#domain/orders/order-time-zone';
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
        'Renewals about which somebody else had decided meanwhile, those that cannot be skipped because their charge is under way, and those that cannot be released because the time zone of the order is not known.',
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

/** What is charged must be possible to deliver (DLV-5). */
export async function releaseOf(
  { stateOf, now }: Pick<QueryTools, 'stateOf' | 'now'>,
  orderId: string,
): Promise<CommandOf<'programme'>> {
  const { terms } = await stateOf<'order'>(orderStream(orderId));
  const withoutDays = terms !== undefined && refuseUnknownZone(terms) !== undefined;
  return { type: 'ReleaseRenewal', at: now(), ...(withoutDays && { withoutDays }) };
}

/** @returns whether this changed something */
async function decideOne(
  tools: QueryTools & QueryDependencies,
  context: RequestContext,
  word: WordAboutRenewals,
  orderId: string,
): Promise<boolean> {
  const command =
    word === 'release' ? await releaseOf(tools, orderId) : ({ type: 'SkipRenewal', at: tools.now() } as const);
  const commandId = deriveId(command.type, context.commandId, orderId);
  const { outcome } = await requestTools(tools).send(orderId, programmeStream(orderId), command, {
    ...context,
    commandId,
  });
  return outcome.kind === 'accepted' && outcome.events.length > 0;
}
