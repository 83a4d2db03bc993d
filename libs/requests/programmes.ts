import { z } from 'zod';
import { counted } from '#domain/kernel/counted';
import type { CommandOf } from '#domain/ledger';
import { programmeStream } from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import {
  type ProgrammeRow,
  programmeExample,
  programmeRow,
  renewalExample,
  renewalRow,
} from '#read-models/models/programmes';
import { damaged } from '#read-models/queries/damaged';
import type { HistoryRequest } from './histories.ts';
import { releaseOf } from './missed-renewals.ts';
import { asRows, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

/** An order's programme in Loyalty Rewards (LOY). */
export function programmeRequests(tools: RequestTools) {
  const { now } = tools;
  return {
    hold: (orderId: string, context: RequestContext) =>
      send(tools, orderId, { type: 'HoldProgramme', at: now() }, context),
    activate: (orderId: string, context: RequestContext) =>
      send(tools, orderId, { type: 'ActivateProgramme', at: now() }, context),
    releaseRenewal: async (orderId: string, context: RequestContext) =>
      send(tools, orderId, await releaseOf(tools, orderId), context),
    skipRenewal: (orderId: string, context: RequestContext) =>
      send(tools, orderId, { type: 'SkipRenewal', at: now() }, context),
    cancel: (orderId: string, context: RequestContext) =>
      send(tools, orderId, { type: 'CancelProgramme', at: now(), cause: 'customer' }, context),
  };
}

/** An order that never joined has no programme stream, so the customer comes from the order. */
async function send(
  tools: RequestTools,
  orderId: string,
  command: CommandOf<'programme'>,
  context: RequestContext,
): Promise<Receipt> {
  const order = await tools.stateOf<'order'>(orderStream(orderId));
  const refusal = checkRightEarly(orderStream(orderId), { type: 'CancelOrder' }, order, context);
  if (refusal) return tools.refuse(orderId, programmeStream(orderId), refusal, context);
  return tools.send(orderId, programmeStream(orderId), command, context);
}

export const programmeDetails = programmeRow
  .extend({
    damaged,
    nextBonusReason: z.string().describe('Why the next renewal gives that bonus, in words.'),
    renewals: z.array(renewalRow).describe('The renewals that are announced or begun, in their order.'),
  })
  .meta({ id: 'ProgrammeDetails' });
type ProgrammeDetails = z.infer<typeof programmeDetails>;

export const programmeQueries = (tools: QueryTools) => ({
  list: asRows(tools.rows.programmes.list),
  get: (context: RequestContext, { orderId }: { orderId: string }) => getProgramme(tools, context, orderId),
  history: (context: RequestContext, { orderId, ...upTo }: { orderId: string } & HistoryRequest) =>
    tools.histories.of(context, programmeStream(orderId), upTo),
});

async function getProgramme(
  { rows: { programmes } }: QueryTools,
  { caller }: RequestContext,
  orderId: string,
): Promise<ProgrammeDetails | undefined> {
  const row = await programmes.find(caller, orderId);
  if (!row) return undefined;
  return { ...row, nextBonusReason: nextBonusReason(row), renewals: await programmes.renewals(caller, orderId) };
}

const nextBonusReason = (row: ProgrammeRow): string => bonusReasons[row.nextBonusRule](row);

const bonusReasons: Readonly<Record<ProgrammeRow['nextBonusRule'], (row: ProgrammeRow) => string>> = {
  exclusive: () => 'exclusive leads always give this bonus (LOY-3)',
  ladder: ({ nextRenewalNumber, pausesUsed, pausesThatKeepTheLadder }) =>
    `step of the ladder for renewal ${nextRenewalNumber}; ${pausesUsed} of ${pausesThatKeepTheLadder} pauses used that keep it (LOY-3)`,
  'ladder-lost': ({ pausesUsed }) => `the standard bonus: the order was paused ${counted(pausesUsed, 'time')} (LOY-4)`,
};

export const programmeDetailsExample: ProgrammeDetails = {
  ...programmeExample,
  damaged: false,
  nextBonusReason: nextBonusReason(programmeExample),
  renewals: [renewalExample],
};
