import type { LeadType } from '#domain/catalogue/catalogue';
import { type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { Heap } from '#domain/kernel/heap';
import { IdTable } from '#domain/kernel/id-table';
import { deriveId } from '#domain/kernel/ids';
import { addDays, earliest, toInstant } from '#domain/kernel/instants';
import { leadStream } from '#domain/leads/lead';
import {
  nextPolicyChange,
  type PolicyDocument,
  type PolicyState,
  type PolicyVersion,
  policy,
  policyAt,
} from '#domain/policy/policy';
import { type CommandWish, defineProcess } from './process.ts';

interface Ageing {
  /** The latest instant of any fact, or of the clock. */
  now: Instant | '';
  readonly policies: PolicyState;
  readonly leadTypes: Map<string, LeadType>;
  /**
   * Leads that can still age and be sold afterwards, as rows of numbers: there may be millions. `capturedAtSeconds`
   * counts from 1970, plus `capturedAtMilliseconds`; `heapPosition` is the index in the heap plus 1; `underWay` counts
   * deliveries that have begun and not ended. Only facts add and remove rows: their numbers are the same after a restart.
   */
  readonly leads: IdTable<'capturedAtSeconds' | 'capturedAtMilliseconds' | 'queue' | 'heapPosition' | 'underWay'>;
  readonly queues: Queue[];
}

/** Rows of the leads of one type that can be sold. */
interface Queue {
  readonly leadTypeId: string;
  readonly byAge: Heap<number>;
}

/** Ages unsold leads: real-time leads become fresh, fresh ones aged, by the policy in force (DLV-6). */
export const leadAgeing = defineProcess({
  name: 'lead-ageing',
  eventTypes: [
    'PolicyPublished',
    'LeadTypeDefined',
    'LeadReceived',
    'LeadAssigned',
    'LeadReleased',
    'LeadDelivered',
    'LeadAged',
    'LeadWithdrawn',
  ],
  initialState: (): Ageing => ({
    now: '',
    policies: policy.initialState(),
    leadTypes: new Map(),
    leads: new IdTable(['capturedAtSeconds', 'capturedAtMilliseconds', 'queue', 'heapPosition', 'underWay']),
    queues: [],
  }),

  evolve(state, fact) {
    if (fact.data.at > state.now) state.now = fact.data.at;
    switch (fact.type) {
      case 'PolicyPublished':
        policy.evolve(state.policies, fact);
        break;
      case 'LeadTypeDefined':
        state.leadTypes.set(fact.data.leadTypeId, fact.data);
        break;
      case 'LeadReceived':
        addLead(state, idOf(fact.stream), fact.data);
        break;
      case 'LeadDelivered':
        endDelivery(state, state.leads.find(fact.data.leadId), 0);
        break;
      default:
        evolveLead(state, state.leads.find(idOf(fact.stream)), fact);
    }
  },

  next(state, { now }, limit) {
    if (now > state.now) state.now = now;
    const inForce = policyAt(state.policies, now);
    if (!inForce) return [];
    const wishes: CommandWish[] = [];
    for (const queue of state.queues) wishes.push(...ageDueLeads(state, queue, inForce, now, limit - wishes.length));
    return wishes;
  },

  wakeAt(state) {
    const inForce = policyAt(state.policies, state.now);
    const ageings = state.queues.map((queue) => inForce && nextAgeingAt(state, queue, inForce.policy));
    return earliest([nextPolicyChange(state.policies, state.now), ...ageings]);
  },
});

function ageDueLeads(
  state: Ageing,
  queue: Queue,
  { policy, version: policyVersion }: PolicyVersion,
  now: Instant,
  limit: number,
): CommandWish[] {
  const { leadTypeId, byAge } = queue;
  const intoLeadTypeId = state.leadTypes.get(leadTypeId)?.agesInto;
  const wishes: CommandWish[] = [];
  for (let row = byAge.first(); row !== undefined && wishes.length < limit; row = byAge.first()) {
    const agesAt = nextAgeingAt(state, queue, policy);
    if (!agesAt || agesAt > now || !intoLeadTypeId) break;
    byAge.remove(row);
    const leadId = state.leads.idOf(row);
    wishes.push({
      commandId: deriveId('AgeLead', leadId, leadTypeId, intoLeadTypeId),
      stream: leadStream(leadId),
      command: { type: 'AgeLead', leadTypeId, intoLeadTypeId, policyVersion },
    });
  }
  return wishes;
}

function addLead(
  state: Ageing,
  leadId: string,
  { at, capturedAt = at, leadTypeId }: FactOf<'LeadReceived'>['data'],
): void {
  if (state.leadTypes.get(leadTypeId)?.agesInto === undefined) return;
  const { leads } = state;
  const row = leads.add(leadId);
  // From 1970 to 2106: a lead that claims to be older is aged like any other, one that claims to come later does not age.
  const milliseconds = Math.min(Math.max(Date.parse(capturedAt), 0), 0xffffffff * 1000);
  leads.set(row, 'capturedAtSeconds', Math.floor(milliseconds / 1000));
  leads.set(row, 'capturedAtMilliseconds', milliseconds % 1000);
  enqueue(state, row, leadTypeId);
}

function evolveLead(
  state: Ageing,
  row: number,
  fact: FactOf<'LeadAssigned' | 'LeadReleased' | 'LeadAged' | 'LeadWithdrawn'>,
): void {
  if (row < 0) return;
  switch (fact.type) {
    case 'LeadAssigned':
      beginDelivery(state, row, fact.data.openPlaces);
      break;
    case 'LeadReleased':
      endDelivery(state, row, fact.data.openPlaces);
      break;
    case 'LeadAged':
      moveToType(state, row, fact.data.leadTypeId);
      break;
    case 'LeadWithdrawn':
      forget(state, row);
      break;
  }
}

function moveToType(state: Ageing, row: number, leadTypeId: string): void {
  if (state.leadTypes.get(leadTypeId)?.agesInto === undefined) {
    forget(state, row);
    return;
  }
  queueOf(state, row).byAge.remove(row);
  enqueue(state, row, leadTypeId);
}

function beginDelivery(state: Ageing, row: number, openPlaces: number): void {
  const { leads } = state;
  leads.set(row, 'underWay', leads.get(row, 'underWay') + 1);
  if (openPlaces === 0) queueOf(state, row).byAge.remove(row);
}

/** A lead with an open place can age. When the last place is sold and no delivery is under way, the row is removed. */
function endDelivery(state: Ageing, row: number, openPlaces: number): void {
  if (row < 0) return;
  const { leads } = state;
  const underWay = leads.get(row, 'underWay') - 1;
  leads.set(row, 'underWay', underWay);
  const { byAge } = queueOf(state, row);
  if (openPlaces > 0) byAge.put(row);
  else if (underWay === 0 && leads.get(row, 'heapPosition') === 0) leads.remove(row);
}

function forget(state: Ageing, row: number): void {
  queueOf(state, row).byAge.remove(row);
  state.leads.remove(row);
}

const queueOf = (state: Ageing, row: number): Queue => state.queues[state.leads.get(row, 'queue')] as Queue;

function enqueue(state: Ageing, row: number, leadTypeId: string): void {
  const { leads, queues } = state;
  let number = queues.findIndex((queue) => queue.leadTypeId === leadTypeId);
  if (number < 0) number = queues.push({ leadTypeId, byAge: heapByAge(leads) }) - 1;
  leads.set(row, 'queue', number);
  (queues[number] as Queue).byAge.put(row);
}

const capturedAtMilliseconds = (leads: Ageing['leads'], row: number): number =>
  leads.get(row, 'capturedAtSeconds') * 1000 + leads.get(row, 'capturedAtMilliseconds');

const heapByAge = (leads: Ageing['leads']): Heap<number> =>
  new Heap((a, b) => capturedAtMilliseconds(leads, a) - capturedAtMilliseconds(leads, b) || a - b, {
    get: (row) => leads.get(row, 'heapPosition') - 1,
    set: (row, index) => leads.set(row, 'heapPosition', index + 1),
  });

/** When the oldest lead of a queue ages. */
function nextAgeingAt(state: Ageing, { leadTypeId, byAge }: Queue, inForce: PolicyDocument): Instant | undefined {
  const row = byAge.first();
  if (row === undefined) return undefined;
  const capturedAt = toInstant(capturedAtMilliseconds(state.leads, row));
  switch (state.leadTypes.get(leadTypeId)?.freshness) {
    case 'real-time':
      return addDays(capturedAt, inForce.freshAfterDays);
    case 'fresh':
      return addDays(capturedAt, inForce.agedAfterDays);
    default:
      return undefined;
  }
}
