import { idOf } from '#domain/codec';
import { CLOCKS_AGREE_SECONDS } from '#domain/kernel/due-list';
import type { Instant } from '#domain/kernel/events';
import { addDays, addHours, addSeconds } from '#domain/kernel/instants';
import { familyOf } from '#domain/ledger';
import { RETRY_SECONDS } from '#domain/notifications/webhook';
import { approvalsStream, interruptedAt, waitingAt } from '#domain/persons/approvals';
import { erasuresStream } from '#domain/persons/erasures';
import { staffStream } from '#domain/staff/staff';
import { bulkReadsStream, noticedSince } from '#domain/support/bulk-reads';
import type { EventStore } from '#event-store/port';
import type { Parked } from '#processes/engine/process-run';
import type { AttentionRow } from '#read-models/queries/attention';
import type { PageRequest } from '#read-models/queries/paging';
import { FAILING_MILLISECONDS } from './degradations.ts';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';
import type { RunningProcesses } from './running-processes.ts';
import { isAskedByStaff } from './two-members.ts';

/** An open order to which nothing was delivered for this time is starving, unless the request says otherwise. */
export const STARVING_AFTER_HOURS = 48;
/** A declined payment is shown for this time. */
export const DECLINED_FOR_DAYS = 14;

interface AttentionRequest extends PageRequest {
  readonly reason?: AttentionRow['reason'];
  readonly storeId?: string;
  readonly starvingAfterHours?: number;
}

export type AttentionTools = QueryTools & Pick<QueryDependencies, 'events' | 'processes' | 'failingMilliseconds'>;

/** Orders that the staff should look at. */
export const attentionQueries = (tools: AttentionTools) => ({
  async list({ caller }: RequestContext, { starvingAfterHours, ...request }: AttentionRequest) {
    return tools.rows.attention.list(caller, { ...request, ...(await limitsNow(tools, starvingAfterHours)) });
  },
});

/** How many items there are, by reason. */
export const attentionCounts = async (tools: AttentionTools, { caller }: RequestContext) =>
  tools.rows.attention.counts(caller, await limitsNow(tools));

async function limitsNow(
  { stateOf, now, events, processes, failingMilliseconds = FAILING_MILLISECONDS }: AttentionTools,
  starvingAfterHours = STARVING_AFTER_HOURS,
) {
  const at = now();
  const future = addSeconds(at, CLOCKS_AGREE_SECONDS);
  const { subjects } = await stateOf<'erasures'>(erasuresStream);
  return {
    erased: [...subjects].filter((subject) => familyOf(subject) === 'customer').map(idOf),
    waitingSince: addHours(at, -starvingAfterHours),
    declinedSince: addDays(at, -DECLINED_FOR_DAYS),
    now: at,
    unansweredSince: addSeconds(at, -failingMilliseconds / 1000),
    future,
    latestRetry: addSeconds(future, Math.max(...RETRY_SECONDS)),
    failing: await failingIn(processes),
    damaged: damagedOrdersIn(events),
    bulkReads: await bulkReadsSince(stateOf, addDays(at, -DECLINED_FOR_DAYS)),
    approvals: await approvalsWaitingAt(stateOf, at),
    ...parkedIn(await processes.parked()),
  };
}

const bulkReadsSince = async (stateOf: AttentionTools['stateOf'], since: Instant) =>
  noticedSince(await stateOf<'bulkreads'>(bulkReadsStream), since).map(({ at, reads, reader, persons, asked }) => ({
    ...{ id: reads, since: at },
    why: `${reader} was shown the personal data of ${persons} persons in an hour (${asked})`,
  }));

async function approvalsWaitingAt(stateOf: AttentionTools['stateOf'], now: Instant) {
  const state = await stateOf<'approvals'>(approvalsStream);
  const staff = await stateOf<'staff'>(staffStream);
  const waiting = waitingAt(state, now).filter((one) => isAskedByStaff(staff, one));
  return [
    ...waiting.map(({ at, approvalId, act, requestedBy, expiresAt }) => ({
      ...{ id: approvalId, since: at },
      why: `${requestedBy} asked for the ${act} of a person: another member of staff approves it until ${expiresAt}`,
    })),
    ...interruptedAt(state, now).map(({ at, approvalId, act, approvedBy }) => ({
      ...{ id: approvalId, since: at },
      why: `${approvedBy} approved the ${act} of a person, and it was interrupted: ${approvedBy} sends it again within an hour, later it is asked for anew`,
    })),
  ];
}

/** Calls of the payment provider, by the processes of orders and programmes. */
const charges: ReadonlySet<string> = new Set(['capture-payment', 'charge-renewal', 'settle-renewal']);

function parkedIn(parked: readonly Parked[]) {
  const ofOrders = parked
    .filter(({ stream }) => /^(order|programme)-/.test(stream))
    .map(({ stream, since, what, reason }) => ({ orderId: idOf(stream), since, what, why: `${what}: ${reason}` }));
  return {
    parkedCharges: ofOrders.filter(({ what }) => charges.has(what)),
    parkedOrders: ofOrders.filter(({ what }) => !charges.has(what)),
  };
}

/** Why the calls fail that are about an order, a programme or a mail: each its own failure. */
const failingIn = async (processes: Pick<RunningProcesses, 'failingCalls'>) =>
  (await processes.failingCalls())
    .filter(({ stream, what }) => charges.has(what) || familyOf(stream) === 'mail')
    .map(({ stream, reason }) => ({ stream, why: reason }));

/** An order is damaged also by the stream of its programme. */
function damagedOrdersIn({ damages, foreignStreams }: Pick<EventStore, 'damages' | 'foreignStreams'>) {
  const since = new Map<string, Instant>();
  for (const { stream, noticedAt } of [...(damages?.all() ?? []), ...(foreignStreams?.all() ?? [])])
    if (/^(order|programme)-/.test(stream)) since.set(idOf(stream), noticedAt);
  return [...since].map(([orderId, noticedAt]) => ({ orderId, since: noticedAt }));
}
