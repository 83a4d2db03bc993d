import { type FactOf, idOf } from '#domain/codec';
import type { Businesses } from '#domain/distribution/businesses';
import { servedKey } from '#domain/distribution/claims';
import type { DistributionDecision } from '#domain/distribution/decision';
import { deriveId } from '#domain/kernel/ids';
import { contactBookStream } from '#domain/leads/contact-book';
import { leadStream } from '#domain/leads/lead';
import { orderStream } from '#domain/orders/order';
import type { CommandWish, Moment } from '../process.ts';
import type { LeadStock } from './lead-stock.ts';
import type { OrderBook } from './order-book.ts';

/** A lead on its way to an order, from the wish to assign it until its receipt. */
interface Delivery {
  readonly key: string;
  readonly leadId: string;
  readonly leadTypeId: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly businessKey: string;
  readonly replacementFor: string | undefined;
  readonly decision: DistributionDecision;
  /** When the claim was served before: restored if the delivery fails. */
  servedBefore: string;
  /** What happened last, or is being undone. */
  step: 'wished' | 'assigned' | 'listed' | 'unlisting' | 'releasing';
  /** Why the delivery failed. */
  reason: string;
  /** The assignment. It causes all further commands. */
  because: FactOf<'LeadAssigned'> | undefined;
}

type NewDelivery = Omit<Delivery, 'key' | 'servedBefore' | 'step' | 'reason' | 'because'>;

/** The window that a policy version promises (RPL-2). */
type ReturnWindowDays = (policyVersion: number) => number | undefined;

interface LeadAndOrder {
  readonly leadId: string;
  readonly orderId: string;
}

export const deliveryEvents = [
  'LeadAssigned',
  'ContactAdded',
  'ContactRemoved',
  'LeadDelivered',
  'LeadReleased',
] as const;

const keyOf = ({ leadId, orderId }: LeadAndOrder): string => `${leadId} ${orderId}`;

/**
 * The deliveries between assignment and receipt. The steps: assigned (the lead's stream), listed in the customer's
 * contact book, delivered (the order's stream). A refusal undoes the earlier steps: unlisting, then releasing.
 */
export class Deliveries {
  readonly #book: OrderBook;
  readonly #stock: LeadStock;
  readonly #businesses: Businesses;
  readonly #returnWindowDays: ReturnWindowDays;
  readonly #deliveries = new Map<string, Delivery>();
  /** Those whose next command is to be sent. */
  readonly #toContinue = new Set<Delivery>();

  constructor(book: OrderBook, stock: LeadStock, businesses: Businesses, returnWindowDays: ReturnWindowDays) {
    this.#book = book;
    this.#stock = stock;
    this.#businesses = businesses;
    this.#returnWindowDays = returnWindowDays;
  }

  /** A delivery counts from here on: for the order, the claim's turn and the lead's open places. */
  begin(names: NewDelivery): Delivery {
    const added = { ...names, key: keyOf(names), servedBefore: '', step: 'wished' as const, reason: '' };
    const delivery: Delivery = { ...added, because: undefined };
    this.#deliveries.set(delivery.key, delivery);
    this.#stock.takePlace(delivery);
    delivery.servedBefore = this.#book.beginDelivery(delivery);
    return delivery;
  }

  evolve(fact: FactOf<(typeof deliveryEvents)[number]>): void {
    switch (fact.type) {
      case 'LeadAssigned':
        this.#noteAssigned(idOf(fact.stream), fact);
        break;
      case 'ContactAdded':
        this.#advance(fact.data, 'listed');
        break;
      case 'ContactRemoved':
        this.#advance(fact.data, 'releasing', fact.data.reason);
        break;
      case 'LeadDelivered':
        this.#noteDelivered(idOf(fact.stream), fact);
        break;
      case 'LeadReleased':
        this.#noteReleased(idOf(fact.stream), fact);
        break;
    }
  }

  /** The next commands of the deliveries under way. */
  next({ runs }: Moment, limit: number): CommandWish[] {
    const wishes: CommandWish[] = [];
    for (const delivery of this.#toContinue) {
      if (wishes.length >= limit) break;
      if (!runs(delivery.leadTypeId)) continue;
      this.#toContinue.delete(delivery);
      // The lead was withdrawn meanwhile (DLV-10).
      if (!this.#stock.has(delivery.leadId)) undo(delivery, 'lead-withdrawn');
      // An older version may have assigned the lead.
      const businessKey = this.#businesses.keyedOf(delivery.businessKey);
      wishes.push(commandOf({ ...delivery, businessKey }, this.#returnWindowDays(delivery.decision.policyVersion)));
    }
    return wishes;
  }

  refused({ command, stream }: CommandWish, code: string): void {
    if (command.type === 'AddContact') this.#advance(command, 'releasing', code);
    if (command.type === 'DeliverLead')
      this.#advance({ leadId: command.leadId, orderId: idOf(stream) }, 'unlisting', code);
    if (command.type === 'AssignLead') this.#dropUnassigned({ leadId: idOf(stream), orderId: command.orderId });
  }

  #noteAssigned(leadId: string, fact: FactOf<'LeadAssigned'>): void {
    const delivery = this.#deliveries.get(keyOf({ leadId, orderId: fact.data.orderId })) ?? this.#adopt(leadId, fact);
    delivery.because = fact;
    delivery.step = 'assigned';
    this.#toContinue.add(delivery);
  }

  /** Another process, or this one before a restart, assigned the lead. If it has open places, it is offered again. */
  #adopt(leadId: string, { data }: FactOf<'LeadAssigned'>): Delivery {
    const { orderId, customerId, businessKey, leadTypeId, replacementFor, decision } = data;
    const names = { leadId, leadTypeId, orderId, customerId, businessKey, replacementFor, decision };
    const delivery = this.begin(names);
    const lead = this.#stock.find(leadId);
    if (lead && lead.shelf < 0) this.#stock.offer(lead);
    return delivery;
  }

  #advance(of: LeadAndOrder, step: Delivery['step'], reason = ''): void {
    const delivery = this.#deliveries.get(keyOf(of));
    if (!delivery) return;
    delivery.step = step;
    delivery.reason = reason;
    this.#toContinue.add(delivery);
  }

  #noteDelivered(orderId: string, { data }: FactOf<'LeadDelivered'>): void {
    const delivery = this.#deliveries.get(keyOf({ leadId: data.leadId, orderId }));
    if (delivery) this.#end(delivery);
    this.#stock.forgetIfSold(data.leadId);
    this.#book.noteDelivered(orderId, data);
  }

  #noteReleased(leadId: string, { data }: FactOf<'LeadReleased'>): void {
    const delivery = this.#deliveries.get(keyOf({ leadId, orderId: data.orderId }));
    const lead = delivery && this.#fail(delivery);
    if (!lead) return;
    // The customer must not get this lead again: it has the same person from another lead (DLV-4).
    if (data.reason === 'person-given-before') lead.customers = [...lead.customers, data.customerId];
    this.#stock.offer(lead);
  }

  /** The lead has changed meanwhile. It is not offered before the fact that says how has arrived. */
  #dropUnassigned(of: LeadAndOrder): void {
    const delivery = this.#deliveries.get(keyOf(of));
    const lead = delivery && this.#fail(delivery);
    if (lead) this.#stock.unshelve(lead);
  }

  /** Undoes {@link begin}. The caller decides where the lead goes. */
  #fail(delivery: Delivery) {
    this.#end(delivery);
    this.#giveBackTurn(delivery);
    return this.#stock.giveBackPlace(delivery);
  }

  /** A delivery to the same claim that began after this one would otherwise give back the turn that this one had taken. */
  #giveBackTurn(failed: Delivery): void {
    const { orderId, replacementFor, decision, servedBefore } = failed;
    this.#book.giveBackTurn(failed, servedBefore);
    for (const other of this.#deliveries.values())
      if (
        other.orderId === orderId &&
        other.replacementFor === replacementFor &&
        other.servedBefore === servedKey(decision)
      )
        other.servedBefore = servedBefore;
  }

  #end(delivery: Delivery): void {
    this.#deliveries.delete(delivery.key);
    this.#toContinue.delete(delivery);
    this.#book.endDelivery(delivery);
    this.#stock.endDelivery(delivery.leadId);
  }
}

function undo(delivery: Delivery, reason: string): void {
  if (delivery.step === 'assigned') delivery.step = 'releasing';
  else if (delivery.step === 'listed') delivery.step = 'unlisting';
  else return;
  delivery.reason = reason;
}

/**
 * The ids follow from which assignment of the lead it is. The id of that event follows from how much its decision had seen, which differs
 * where the same happens on a slower machine, and mails and messages have ids made of the receipt's.
 */
function commandOf(delivery: Delivery, returnWindowDays: number | undefined): CommandWish {
  const { because, leadTypeId: part } = delivery;
  if (!because) throw new Error(`delivery ${delivery.key} is not assigned yet`);
  const [stream, command] = nextStepOf(delivery, because, returnWindowDays);
  return {
    commandId: deriveId(command.type, because.stream, String(because.revision)),
    stream,
    part,
    command,
    because,
  };
}

function nextStepOf(
  { step, leadId, leadTypeId, orderId, customerId, businessKey, replacementFor, decision, reason }: Delivery,
  { data: { telephoneKey, emailKey } }: FactOf<'LeadAssigned'>,
  returnWindowDays: number | undefined,
): [stream: string, command: CommandWish['command']] {
  const personKeys = { ...(telephoneKey && { telephoneKey }), ...(emailKey && { emailKey }) };
  const replacement = replacementFor && { replacementFor };
  const promise = returnWindowDays !== undefined && { returnWindowDays };
  switch (step) {
    case 'wished':
      throw new Error(`lead ${leadId} is not assigned to order ${orderId} yet`);
    case 'assigned':
      return [contactBookStream(customerId), { type: 'AddContact', leadId, orderId, ...personKeys }];
    case 'listed':
      return [
        orderStream(orderId),
        { type: 'DeliverLead', leadId, leadTypeId, businessKey, ...replacement, ...promise, decision },
      ];
    case 'unlisting':
      return [contactBookStream(customerId), { type: 'RemoveContact', leadId, orderId, reason }];
    case 'releasing':
      return [leadStream(leadId), { type: 'ReleaseLead', orderId, reason }];
  }
}
