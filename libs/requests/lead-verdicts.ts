import { z } from 'zod';
import type { Fact } from '#domain/codec';
import { type Caller, isStaff } from '#domain/kernel/caller';
import { instant } from '#domain/kernel/events';
import { leadStream, matches, withdrawals } from '#domain/leads/lead';
import { exampleIds } from '#read-models/models/examples';
import type { QueryTools } from './query-tools.ts';

export const leadVerdict = z
  .object({
    leadId: z.string().describe('Id of the lead.'),
    receivedAt: instant.describe('When it was received.'),
    verdict: z
      .enum(['accepted', 'duplicate', 'known'])
      .describe(
        'What became of it. `accepted`: it is sold, or waits to be. `duplicate`: the store had the person already, and sells it once (DLV-11). `known`: the same record was received before.',
      ),
    match: z.enum(matches).nullable().describe('What a duplicate has in common with the lead that has the person.'),
    withdrawnAs: z
      .enum(withdrawals)
      .nullable()
      .describe('Why it is not sold any more: `returned` as bad, for example. Null: it was not withdrawn.'),
  })
  .meta({ id: 'LeadVerdict' });
type LeadVerdict = z.infer<typeof leadVerdict>;

export const leadVerdictExample: LeadVerdict = {
  leadId: exampleIds.leadId,
  receivedAt: '2026-03-01T09:30:00.000Z',
  verdict: 'accepted',
  match: null,
  withdrawnAs: null,
};

const verdicts = { LeadReceived: 'accepted', DuplicateReceived: 'duplicate', KnownReceived: 'known' } as const;
type Receiving = Extract<Fact, { type: keyof typeof verdicts }>;
const isReceiving = (one: Fact): one is Receiving => Object.hasOwn(verdicts, one.type);

/** @returns undefined for a lead that does not exist, or that another program brought */
export async function verdictOn(
  { histories, stateOf }: Pick<QueryTools, 'histories' | 'stateOf'>,
  caller: Caller,
  leadId: string,
): Promise<LeadVerdict | undefined> {
  const received = (await histories.facts([leadStream(leadId)])).find(isReceiving);
  if (!received || (!isStaff(caller.roles) && received.cause.actor !== caller.actor)) return undefined;
  const { withdrawnAs = null } = await stateOf<'lead'>(leadStream(leadId));
  return {
    leadId,
    receivedAt: received.data.at,
    verdict: verdicts[received.type],
    match: received.type === 'DuplicateReceived' ? received.data.match : null,
    withdrawnAs,
  };
}
