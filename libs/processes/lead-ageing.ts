import type { LeadType } from '#domain/catalogue/catalogue';
import { type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { Heap, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { addDays } from '#domain/kernel/instants';
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
    leads: new Map(),
    byAge: new Map(),
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
        watch(state, idOf(fact.stream), fact.data.capturedAt ?? fact.data.at, fact.data.leadTypeId);
        break;
      default:
        keepUp(state, idOf(fact.stream), fact);
    }
  },

  next(state, { now }, limit) {
    if (now > state.now) state.now = now;
    const inForce = policyAt(state.policies, now);
    const wishes: CommandWish[] = [];
    if (!inForce) return wishes;
    for (const [leadTypeId, queue] of state.byAge) {
      for (let lead = queue.first(); lead && wishes.length < limit; lead = queue.first()) {
        const agesAt = ageingInstant(state, lead, inForce.policy);
        const intoLeadTypeId = state.leadTypes.get(leadTypeId)?.agesInto;
        if (!agesAt || agesAt > now || !intoLeadTypeId) break;
        queue.remove(lead);
        wishes.push({
          commandId: deriveId('AgeLead', lead.leadId, leadTypeId, intoLeadTypeId),
          stream: leadStream(lead.leadId),
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
    const ageings = [...state.byAge.values()].map((queue) => {
      const lead = queue.first();
      return lead && inForce && ageingInstant(state, lead, inForce.policy);
    });
    return [...changes, ...ageings].filter((at) => at !== undefined).sort()[0];
  },
};

const eventTypes = [
  'PolicyPublished',
  'LeadTypeDefined',
  'LeadReceived',
  'LeadAssigned',
  'LeadReleased',
  'LeadAged',
  'LeadWithdrawn',
] as const;

interface Lead extends Placed {
  readonly leadId: string;
  readonly capturedAt: Instant;
  leadTypeId: string;
}

interface Ageing {
  now: Instant | '';
  readonly policies: PolicyState;
  readonly leadTypes: Map<string, LeadType>;
  /** Leads that can still become older and be given to somebody then. */
  readonly leads: Map<string, Lead>;
  /** The same by lead type, oldest first. */
  readonly byAge: Map<string, Heap<Lead>>;
}

function watch(state: Ageing, leadId: string, capturedAt: Instant, leadTypeId: string): void {
  if (state.leadTypes.get(leadTypeId)?.agesInto === undefined) return;
  const lead = { leadId, capturedAt, leadTypeId, place: -1 };
  state.leads.set(leadId, lead);
  queueOf(state, leadTypeId).put(lead);
}

function keepUp(
  state: Ageing,
  leadId: string,
  { data }: FactOf<'LeadAssigned' | 'LeadReleased' | 'LeadAged' | 'LeadWithdrawn'>,
): void {
  const lead = state.leads.get(leadId);
  if (!lead) return;
  queueOf(state, lead.leadTypeId).remove(lead);
  lead.leadTypeId = data.leadTypeId;
  if (state.leadTypes.get(data.leadTypeId)?.agesInto === undefined) state.leads.delete(leadId);
  else if (data.openPlaces > 0) queueOf(state, data.leadTypeId).put(lead);
}

function queueOf(state: Ageing, leadTypeId: string): Heap<Lead> {
  let queue = state.byAge.get(leadTypeId);
  if (!queue) {
    queue = new Heap((a, b) =>
      a.capturedAt === b.capturedAt ? (a.leadId < b.leadId ? -1 : 1) : a.capturedAt < b.capturedAt ? -1 : 1,
    );
    state.byAge.set(leadTypeId, queue);
  }
  return queue;
}

function ageingInstant(state: Ageing, lead: Lead, inForce: PolicyDocument): Instant | undefined {
  switch (state.leadTypes.get(lead.leadTypeId)?.freshness) {
    case 'real-time':
      return addDays(lead.capturedAt, inForce.freshAfterDays);
    case 'fresh':
      return addDays(lead.capturedAt, inForce.agedAfterDays);
    default:
      return undefined;
  }
}
