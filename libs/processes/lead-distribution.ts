import { Businesses } from '#domain/distribution/businesses';
import { type Claim, compareClaims, rankOf } from '#domain/distribution/claims';
import type { DistributionDecision } from '#domain/distribution/decision';
import type { StockedLead } from '#domain/distribution/stock';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { type PolicyState, policy, policyAt } from '#domain/policy/policy';
import { Deliveries, deliveryEvents } from './lead-distribution/deliveries.ts';
import { LeadStock } from './lead-distribution/lead-stock.ts';
import { OrderBook, orderBookEvents } from './lead-distribution/order-book.ts';
import { type TypeBook, TypeBooks } from './lead-distribution/type-books.ts';
import { type CommandWish, defineProcess, type Moment } from './process.ts';

interface Distribution {
  readonly policies: PolicyState;
  readonly businesses: Businesses;
  readonly types: TypeBooks;
  readonly book: OrderBook;
  readonly stock: LeadStock;
  readonly deliveries: Deliveries;
}

/**
 * Gives leads to the orders and debts whose turn it is (DLV). The order book is in memory, made from facts; the locks are
 * the streams. A delivery has three commands: AssignLead (the lead's stream: no double sale), AddContact (the customer's
 * contact book: no person twice), DeliverLead (the order's stream: open, daily maximum). A refusal undoes the earlier
 * steps.
 *
 * Its parts are the lead types: an order is for one type, and a lead is of one type at a time.
 */
export const leadDistribution = defineProcess({
  name: 'lead-distribution',
  eventTypes: ['PolicyPublished', 'LeadReceived', 'LeadAged', 'LeadWithdrawn', ...orderBookEvents, ...deliveryEvents],
  inParts: true,
  initialState: newDistribution,

  evolve({ policies, book, stock, deliveries }, fact) {
    book.advanceTo(fact.data.at);
    switch (fact.type) {
      case 'PolicyPublished':
        policy.evolve(policies, fact);
        break;
      case 'LeadReceived':
      case 'LeadAged':
      case 'LeadWithdrawn':
        stock.evolve(fact);
        break;
      case 'LeadAssigned':
      case 'ContactAdded':
      case 'ContactRemoved':
      case 'LeadDelivered':
      case 'LeadReleased':
        deliveries.evolve(fact);
        break;
      default:
        book.evolve(fact);
    }
  },

  next(state, moment, limit) {
    state.book.advanceTo(moment.now);
    state.book.beginNewDays();
    const steps = state.deliveries.next(moment, limit);
    return [...steps, ...assignLeads(state, moment, limit - steps.length)];
  },

  refused({ deliveries }, wish, { code }) {
    if ('command' in wish) deliveries.refused(wish, code);
  },

  wakeAt: ({ book }) => book.nextDayAt(),
});

function newDistribution(): Distribution {
  const businesses = new Businesses();
  const types = new TypeBooks(businesses);
  const book = new OrderBook(types, businesses);
  const stock = new LeadStock(types);
  const policies = policy.initialState();
  const returnWindowDays = (version: number) =>
    policies.versions.find((one) => one.version === version)?.policy.returnWindowDays;
  const deliveries = new Deliveries(book, stock, businesses, returnWindowDays);
  return { policies, businesses, types, book, stock, deliveries };
}

/** Collects the assignments decided at one moment, up to a limit. */
interface Round {
  readonly roomLeft: () => boolean;
  readonly give: (lead: StockedLead, claim: Claim) => void;
}

function assignLeads(state: Distribution, moment: Moment, limit: number): CommandWish[] {
  const wishes: CommandWish[] = [];
  const policyVersion = policyAt(state.policies, moment.now)?.version;
  if (policyVersion === undefined) return wishes;
  const common = { decidedAt: moment.now, eventsSeen: moment.eventsSeen, policyVersion };
  const round: Round = {
    roomLeft: () => wishes.length < limit,
    give(lead, claim) {
      const decision = { ...rankOf(claim), ...common, decisionIndex: wishes.length };
      wishes.push(assign(state, lead, claim, decision));
    },
  };
  for (const [leadTypeId, typeBook] of state.types.all()) {
    if (!moment.runs(leadTypeId)) continue;
    offerNewLeads(typeBook, round);
    if (round.roomLeft()) serveNewClaims(typeBook, round);
  }
  return wishes;
}

/** Offers each new lead to the claims, in their rank. What no claim may take stays in stock. */
function offerNewLeads({ claims, stock }: TypeBook, { roomLeft, give }: Round): void {
  while (roomLeft()) {
    const offered = stock.nextOffer((lead) => claims.first(lead));
    if (!offered) return;
    give(offered.lead, offered.claim);
  }
}

/**
 * Gives each new claim, in its rank, the oldest lead that it may have. All other claims were compared with the stock
 * before and found nothing: so the first of the new ones is the first of all.
 */
function serveNewClaims({ newClaims, stock }: TypeBook, { roomLeft, give }: Round): void {
  while (newClaims.size > 0 && stock.size > 0) {
    for (const claim of [...newClaims].sort(compareClaims)) {
      if (!roomLeft()) return;
      const lead = stock.firstFor(claim.businessKey, claim.customerId);
      if (lead) give(lead, claim);
      else newClaims.delete(claim);
    }
  }
  newClaims.clear();
}

function assign(state: Distribution, lead: StockedLead, claim: Claim, decision: DistributionDecision): CommandWish {
  const { leadId, leadTypeId } = lead;
  const { orderId, customerId, businessKey } = claim;
  const replacementFor = claim.kind === 'replacement' ? claim.id : undefined;
  state.stock.keep(lead);
  state.deliveries.begin({ leadId, leadTypeId, orderId, customerId, businessKey, replacementFor, decision });
  const replacement = replacementFor && { replacementFor };
  const otherBusinessKeys = state.businesses.of(businessKey).filter((key) => key !== businessKey);
  const others = otherBusinessKeys.length > 0 && { otherBusinessKeys };
  return {
    commandId: deriveId('AssignLead', leadId, claim.id, String(decision.eventsSeen), String(decision.decisionIndex)),
    stream: leadStream(leadId),
    part: leadTypeId,
    command: { type: 'AssignLead', leadTypeId, orderId, customerId, businessKey, ...others, ...replacement, decision },
  };
}
