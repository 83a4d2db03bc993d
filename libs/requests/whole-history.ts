import { z } from 'zod';
import { type HistoryEvent, historyEvent } from '#audit/history';
import { businessMergesStream } from '#domain/accounts/business-merges';
import { customerStream, notRegistered } from '#domain/accounts/customer';
import { signInsStream } from '#domain/accounts/sign-ins';
import type { Fact } from '#domain/codec';
import { factorsStream } from '#domain/factors/factors';
import { contactBookStream } from '#domain/leads/contact-book';
import { looksStream } from '#domain/support/look';
import { BadCursor } from '#read-models/errors';
import { exampleIds } from '#read-models/models/examples';
import type { Page } from '#read-models/queries/paging';
import { historyExample } from './histories.ts';
import type { QueryTools } from './query-tools.ts';
import {
  type Receipt,
  type RequestContext,
  type RequestDependencies,
  type RequestTools,
  requestTools,
} from './request-tools.ts';
import { checkRightEarly, mustBeAccepted } from './rights.ts';
import { isKnown } from './writers.ts';

export interface WholeHistoryRequest {
  readonly customerId: string;
  readonly limit: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

export const streamEvent = historyEvent
  .extend({ stream: z.string().describe('The stream that it is in: the kind and id of the thing.') })
  .meta({ id: 'StreamEvent' });
type StreamEvent = z.infer<typeof streamEvent>;

export const streamEventExample: StreamEvent = {
  stream: `order-${exampleIds.orderId}`,
  ...(historyExample.events[0] as HistoryEvent),
};

/**
 * SUP-2: all that happened to a customer, oldest first. Who looks, and why, is recorded before anything is shown.
 * @throws RequestRefused, BadCursor
 */
export async function listWholeHistory(
  tools: QueryTools & RequestDependencies,
  context: RequestContext,
  { customerId, limit, cursor }: WholeHistoryRequest,
): Promise<Page<StreamEvent>> {
  const exists = await isKnown(tools, context.caller, customerId);
  const { outcome } = await recordLook(requestTools(tools), customerId, context, exists);
  mustBeAccepted(outcome, 'the look');
  const looking = { ...context, opensBoxes: true } as const;
  const facts = await factsAbout(tools, looking, customerId);
  const from = cursor === undefined ? 0 : facts.findIndex(({ position }) => position === cursor) + 1;
  if (cursor !== undefined && from === 0) throw new BadCursor();
  const page = facts.slice(from, from + limit);
  const items = await Promise.all(
    page.map(async (fact) => ({ stream: fact.stream, ...(await tools.histories.entry(looking, fact)) })),
  );
  const last = page.at(-1);
  return from + limit < facts.length && last ? { items, nextCursor: last.position } : { items };
}

export async function recordLook(
  tools: RequestTools,
  customerId: string,
  context: RequestContext,
  exists: boolean,
): Promise<Receipt> {
  const stream = looksStream(customerId);
  const refusal = checkRightEarly(stream, { type: 'ShowCustomerHistory' }, {}, context);
  if (refusal) return tools.refuse(customerId, stream, refusal, context);
  const command = { type: 'ShowCustomerHistory', at: tools.now(), customerId } as const;
  return tools.send(customerId, stream, exists ? command : notRegistered, context);
}

export async function factsAbout(
  { rows, histories }: QueryTools,
  { caller }: RequestContext,
  customerId: string,
): Promise<readonly Fact[]> {
  const own = [
    customerStream(customerId),
    contactBookStream(customerId),
    factorsStream(customerId),
    signInsStream(customerId),
    businessMergesStream,
  ];
  const streams = [...own, ...(await rows.customers.streams(caller, customerId))];
  const facts = [
    ...(await histories.facts(streams)),
    ...(await histories.factsAt(await rows.customers.receipts(caller, customerId))),
  ].sort((a, b) => (a.position < b.position ? -1 : 1));
  return facts.filter((fact) => !isShared(fact) || isAbout(customerId, fact.data));
}

/**
 * With the receipts, which are in the stream of their store. A coupon is used by many customers, an address may have been another's,
 * and all merges of businesses are in one stream: what others did there is not shown.
 */
const isShared = ({ stream }: { stream: string }): boolean => /^(address|coupon|businesses)-/.test(stream);

const isAbout = (customerId: string, data: Fact['data']): boolean =>
  ('customerId' in data && data.customerId === customerId) ||
  ('otherCustomerId' in data && data.otherCustomerId === customerId);
