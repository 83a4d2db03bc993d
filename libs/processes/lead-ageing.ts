import type { LeadType } from '#domain/catalogue/catalogue';
import { type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { Heap } from '#domain/kernel/heap';
import { IdTable } from '#domain/kernel/id-table';
import { deriveId } from '#domain/kernel/ids';
import { addDays, toInstant } from '#domain/kernel/instants';
import { leadStream } from '#domain/leads/lead';
import { type PolicyDocument, type PolicyState, policy, policyAt } from '#domain/policy/policy';
import type { CommandWish, Process } from './process.ts';

/** Lets unsold leads age: real-time ones become fresh, fresh ones aged, by the policy in force (DLV-6). */
export const leadAgeing: Process<Ageing, (typeof eventTypes)[number]> = {
  name: 'lead-ageing',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({
    now: '',
    policies: policy.initialState(),
    leadTypes: new Map(),
    leads: new IdTable(['capturedAtSeconds', 'capturedAtMilliseconds', 'queue', 'place', 'underWay']),
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
        watch(state, idOf(fact.stream), fact.data);
        break;
      case 'LeadWithdrawn':
        forget(state, state.leads.find(idOf(fact.stream)));
        break;
      case 'LeadAged':
        move(state, state.leads.find(idOf(fact.stream)), fact.data.leadTypeId);
        break;
      case 'LeadAssigned':
        give(state, state.leads.find(idOf(fact.stream)), fact.data.openPlaces);
        break;
      case 'LeadReleased':
        endDelivery(state, state.leads.find(idOf(fact.stream)), fact.data.openPlaces);
        break;
      case 'LeadDelivered':
        endDelivery(state, state.leads.find(fact.data.leadId), 0);
        break;
    }
  },

  next(state, { now }, limit) {
    if (now > state.now) state.now = now;
    const inForce = policyAt(state.policies, now);
    const wishes: CommandWish[] = [];
    if (!inForce) return wishes;
    for (const queue of state.queues) {
      const { leadTypeId, byAge } = queue;
      const intoLeadTypeId = state.leadTypes.get(leadTypeId)?.agesInto;
      for (let row = byAge.first(); row !== undefined && wishes.length < limit; row = byAge.first()) {
        const agesAt = ageingInstant(state, queue, inForce.policy);
        if (!agesAt || agesAt > now || !intoLeadTypeId) break;
        byAge.remove(row);
        const leadId = state.leads.idOf(row);
        wishes.push({
          commandId: deriveId('AgeLead', leadId, leadTypeId, intoLeadTypeId),
          stream: leadStream(leadId),
          command: { type: 'AgeLead', leadTypeId, intoLeadTypeId, policyVersion: inForce.version },
        });
      }
    }
    return wishes;
  },

  wakeAt(state) {
    const inForce = policyAt(state.policies, state.now);
    // A policy that takes effect later may let leads age earlier.
    const changes = state.policies.versions.map(({ effectiveFrom }) => effectiveFrom).filter((at) => at > state.now);
    const ageings = state.queues.map((queue) => inForce && ageingInstant(state, queue, inForce.policy));
    return [...changes, ...ageings].filter((at) => at !== undefined).sort()[0];
  },
};

const eventTypes = [
  'PolicyPublished',
  'LeadTypeDefined',
  'LeadReceived',
  'LeadAssigned',
  'LeadReleased',
  'LeadDelivered',
  'LeadAged',
  'LeadWithdrawn',
] as const;

interface Ageing {
  now: Instant | '';
  readonly policies: PolicyState;
  readonly leadTypes: Map<string, LeadType>;
  /**
   * Leads that can still become older and be given to somebody then. `capturedAtSeconds` counts from 1970, plus
   * `capturedAtMilliseconds`; `place` is that in the heap, plus 1; `underWay` counts deliveries that have begun and not
   * ended. Rows come and go with facts only, so that their numbers are the same after a restart.
   */
  readonly leads: IdTable<'capturedAtSeconds' | 'capturedAtMilliseconds' | 'queue' | 'place' | 'underWay'>;
  readonly queues: Queue[];
}

/** Leads of one type that can be given to somebody, by row. */
interface Queue {
  readonly leadTypeId: string;
  readonly byAge: Heap<number>;
}

function watch(state: Ageing, leadId: string, { at, capturedAt = at, leadTypeId }: FactOf<'LeadReceived'>['data']) {
  if (state.leadTypes.get(leadTypeId)?.agesInto === undefined) return;
  const { leads } = state;
  const row = leads.add(leadId);
  // From 1970 to 2106: what claims to be older is as aged as any, and what claims to come later does not age.
  const milliseconds = Math.min(Math.max(Date.parse(capturedAt), 0), 0xffffffff * 1000);
  leads.set(row, 'capturedAtSeconds', Math.floor(milliseconds / 1000));
  leads.set(row, 'capturedAtMilliseconds', milliseconds % 1000);
  enqueue(state, row, leadTypeId);
}

function move(state: Ageing, row: number, leadTypeId: string): void {
  if (row < 0) return;
  if (state.leadTypes.get(leadTypeId)?.agesInto === undefined) {
    forget(state, row);
    return;
  }
  queueOf(state, row).byAge.remove(row);
  enqueue(state, row, leadTypeId);
}

function give(state: Ageing, row: number, openPlaces: number): void {
  if (row < 0) return;
  const { leads } = state;
  leads.set(row, 'underWay', leads.get(row, 'underWay') + 1);
  if (openPlaces === 0) queueOf(state, row).byAge.remove(row);
}

/** A delivery that came to nothing gives its place back; after the last one that came through nothing is left to age. */
function endDelivery(state: Ageing, row: number, openPlaces: number): void {
  if (row < 0) return;
  const { leads } = state;
  const underWay = leads.get(row, 'underWay') - 1;
  leads.set(row, 'underWay', underWay);
  const { byAge } = queueOf(state, row);
  if (openPlaces > 0) byAge.put(row);
  else if (underWay === 0 && leads.get(row, 'place') === 0) leads.remove(row);
}

function forget(state: Ageing, row: number): void {
  if (row < 0) return;
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
    of: (row) => leads.get(row, 'place') - 1,
    note: (row, place) => leads.set(row, 'place', place + 1),
  });

/** When the oldest lead of a queue comes of age. */
function ageingInstant(state: Ageing, { leadTypeId, byAge }: Queue, inForce: PolicyDocument): Instant | undefined {
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
