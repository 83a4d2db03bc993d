import { decode } from '#domain/codec';
import { type Caller, trialCaller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { type HeapItem, heapOf } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { addDays, addSeconds } from '#domain/kernel/instants';
import { defaultPolicy } from '#domain/policy/policy';
import { BEFORE_FIRST, type EventStore, type Position } from '#event-store/port';
import type { MovedClock } from '#gateways/clock';
import type { ProcessEngine } from '#processes/engine/engine';
import type { PlaceOrderRequest } from '#requests/placing';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { businessAssociations, leadTypes, priceList, statementDescriptor, stores } from './assortment.ts';
import type { Chance } from './chance.ts';
import { askFor } from './deeds.ts';
import { cadence, coupons, type Deed, type Intention, joins, wayToOrder, wishesAboutMails } from './habits.ts';
import type { LeadSupply, SuppliedLead, Trouble } from './lead-supply.ts';
import type { People } from './people.ts';
import { eventsPeopleReactTo, reactionTo } from './reactions.ts';
import type { SampleData, SampleOrder } from './sample-orders.ts';

interface LifeDependencies {
  readonly requests: Requests;
  readonly engine: ProcessEngine;
  readonly events: EventStore;
  readonly clock: MovedClock;
  readonly sample: SampleData;
  readonly supply: LeadSupply;
  readonly people: People;
  readonly chance: Chance;
  /** The part that an interrupted demo has completed. */
  readonly lived?: Lived | undefined;
}

/** The commands that were recorded, and the instant of the last event. */
export interface Lived {
  readonly until: Instant;
  readonly commandIds: ReadonlySet<string>;
}

/** A planned action. Of two actions at one instant, the one that was planned first comes first. */
interface Appointment extends HeapItem {
  readonly at: Instant;
  readonly number: number;
  readonly keep: () => Promise<void>;
}

const compareAppointments = (a: Appointment, b: Appointment): number =>
  a.at < b.at ? -1 : a.at > b.at ? 1 : a.number - b.number;

/** Has the ledger remember a command, as it does for requests that carry a key: asked again, it gets its first outcome. */
const ONCE = { requestHash: 'demo' };
const intake: Caller = { kind: 'program', actor: 'system:intake', roles: ['lead-source'], stores: 'all' };
const SECONDS_AN_HOUR = 3600;
const DAYS_A_YEAR = 365;
const DECLINED = 0.02;
const SECONDS_AT_THE_CHECKOUT = 600;

/**
 * The days of a simulated lead store: who orders, calls and complains. All of it follows from the sample data and the
 * seed. A demo that was interrupted starts again at its first day: commands that were recorded are sent again with the
 * same ids, which changes nothing, and commands that were refused are left out.
 */
export class Life {
  readonly #needs: LifeDependencies;
  readonly #appointments = heapOf<Appointment>(compareAppointments);
  readonly #customers = new Map<string, string>();
  readonly #troubles = new Map<string, Trouble>();
  /** Order → its customer. */
  readonly #buyers = new Map<string, string>();
  #planned = 0;
  /** The simulated instant. The clock may be ahead of it while completed days are repeated. */
  #time: Instant;
  #heardUpTo: Position = BEFORE_FIRST;

  constructor(needs: LifeDependencies) {
    this.#needs = needs;
    this.#time = Life.firstDay(needs.sample);
  }

  /** Midnight of the day of the first order in the sample data. */
  static firstDay({ orders }: SampleData): Instant {
    return `${orders[0]?.day}T00:00:00.000Z`;
  }

  async open(): Promise<void> {
    const { requests } = this.#needs;
    await must(requests.policy.publish({ policy: defaultPolicy }, this.#staff('policy')));
    await must(requests.catalogue.setStatementDescriptor(statementDescriptor, this.#staff('descriptor')));
    for (const store of Object.values(stores))
      await must(requests.catalogue.openStore(store, this.#staff('open', store.storeId)));
    for (const leadType of leadTypes)
      await must(requests.catalogue.defineLeadType(leadType, this.#staff('define', leadType.leadTypeId)));
    const storeIds = Object.values(stores).map(({ storeId }) => storeId);
    for (const coupon of coupons) {
      const definition = { ...coupon, storeIds, validFrom: this.#time };
      await must(requests.coupons.define(definition, this.#staff('coupon', coupon.code)));
    }
  }

  /** Simulates one day. @param day days since the first one, in order */
  async live(day: number): Promise<void> {
    const { clock, sample, supply } = this.#needs;
    const midnight = addDays(Life.firstDay(sample), day);
    const date = midnight.slice(0, 10);
    const planAt = (hour: number, keep: () => Promise<void>) =>
      this.#plan(addSeconds(midnight, hour * SECONDS_AN_HOUR), keep);
    if (day % DAYS_A_YEAR === 0) planAt(0, () => this.#setPrices(day / DAYS_A_YEAR));
    for (const order of ordersOn(sample, date))
      planAt(this.#chance('order hour', order.orderNumber).between(13, 23), () => this.#order(order));
    for (const [index, { hour, leads }] of supply.onDay(day).entries())
      planAt(hour, () => this.#receive(leads, `${date} ${index}`));

    const nextMidnight = addDays(midnight, 1);
    for (let next = this.#appointments.first(); next && next.at < nextMidnight; next = this.#appointments.first()) {
      this.#appointments.remove(next);
      await clock.moveTo(next.at);
      this.#time = next.at;
      await next.keep();
      await this.#listen();
    }
    await clock.moveTo(nextMidnight);
    this.#time = nextMidnight;
    await this.#listen();
  }

  #plan(at: Instant, keep: () => Promise<void>): void {
    this.#planned += 1;
    this.#appointments.put({ at, number: this.#planned, keep, heapIndex: -1 });
  }

  /** Waits until the processes are done, and lets people react to the new events. */
  async #listen(): Promise<void> {
    const { engine, events } = this.#needs;
    await engine.settle();
    for await (const recorded of events.readAll({ after: this.#heardUpTo, filter: { types: eventsPeopleReactTo } })) {
      const fact = decode(recorded);
      if (fact.data.at > this.#time) return;
      this.#heardUpTo = recorded.position;
      const reaction = reactionTo(fact, this.#needs.chance, this.#troubles);
      if (reaction) this.#intend(fact.data.at, reaction.who, reaction.intentions, reaction.about);
    }
  }

  #intend(
    since: Instant,
    who: string,
    intentions: readonly Intention[],
    about: { orderId: string; leadId: string },
  ): void {
    for (const [index, { afterHours, deed }] of intentions.entries()) {
      const at = addSeconds(since, afterHours * SECONDS_AN_HOUR);
      this.#plan(latest(at, this.#time), () => this.#do(deed, who, about, `${deed.kind} ${index}`));
    }
  }

  /** The store may refuse (a pause of a filled order, a grant after a denial): people accept that. */
  async #do(deed: Deed, id: string, about: { orderId: string; leadId: string }, what: string): Promise<void> {
    const { orderId, leadId } = about;
    const commandId = this.#id(what, id, orderId, leadId);
    if (this.#wasRefused(commandId)) return;
    const customerId = this.#buyers.get(orderId) as string;
    await askFor(this.#needs.requests, deed, { id, orderId, leadId, customerId }, { commandId, ...ONCE });
  }

  async #setPrices(year: number): Promise<void> {
    for (const price of priceList(year))
      await must(
        this.#needs.requests.catalogue.setPrice(
          price,
          this.#staff('price', String(year), price.storeId, price.leadTypeId),
        ),
      );
  }

  async #order(order: SampleOrder): Promise<void> {
    const { orderNumber, customerNumber, leadTypeId, quantity, dailyMaximum } = order;
    const customerId = await this.#customer(customerNumber);
    const declined = this.#chance('payment', orderNumber).happens(DECLINED);
    const request = {
      customerId,
      leadTypeId,
      quantity,
      ...(dailyMaximum && { dailyMaximum }),
      paymentToken: declined ? 'tok_declined_insufficient_funds' : 'tok_ok',
    };
    const qualifies = leadTypes.some((type) => type.leadTypeId === leadTypeId && type.qualifiesForLoyaltyRewards);
    const chance = this.#chance('ordering', orderNumber);
    const loyalty = qualifies && joins(chance) ? { loyalty: { cadence: cadence(chance) } } : {};
    const { checkout, code, finishes } = wayToOrder(chance);
    const wishes = { ...request, ...loyalty };
    if (checkout) {
      await this.#checkOut(orderNumber, wishes, code, finishes);
      return;
    }
    const context = {
      caller: trialCaller(`customer:${customerId}`),
      commandId: this.#id('order', orderNumber),
      ...ONCE,
    };
    const { id } = await must(this.#needs.requests.orders.place(wishes, context));
    this.#buyers.set(id, customerId);
  }

  /** A code may be refused. For a code that was used before, support gives another one, and the customer continues. */
  async #checkOut(
    orderNumber: string,
    { paymentToken, ...wishes }: PlaceOrderRequest,
    code: string | undefined,
    finishes: boolean,
  ): Promise<void> {
    const { requests } = this.#needs;
    const { customerId } = wishes;
    const by = (what: string): RequestContext => ({
      caller: trialCaller(`customer:${customerId}`),
      commandId: this.#id(what, orderNumber),
      ...ONCE,
    });
    const { id: checkoutId } = await must(requests.checkouts.start(wishes, by('checkout')));
    if (code !== undefined) {
      const { outcome } = await requests.checkouts.useCoupon(checkoutId, code, by('coupon'));
      if (outcome.kind === 'refused' && outcome.refusal.details?.reason === 'tried-before') {
        const fresh = { insteadOf: code, customerId, code: `${code}/${orderNumber}` };
        const support = {
          caller: trialCaller('staff:support'),
          commandId: this.#id('fresh', orderNumber),
          ...ONCE,
          reason: 'a good customer',
        };
        await must(requests.coupons.giveAlternative(fresh, support));
        await must(requests.checkouts.useCoupon(checkoutId, fresh.code, by('fresh coupon')));
      }
    }
    if (!finishes) return;
    this.#plan(addSeconds(this.#time, SECONDS_AT_THE_CHECKOUT), async () => {
      const { id } = await must(requests.checkouts.place(checkoutId, paymentToken, by('order')));
      this.#buyers.set(id, customerId);
    });
  }

  /** Registers a customer with the first order. */
  async #customer(customerNumber: string): Promise<string> {
    const known = this.#customers.get(customerNumber);
    if (known) return known;
    const { requests, sample } = this.#needs;
    const { storeId, timeZone } = sample.customers.get(customerNumber) as { storeId: string; timeZone: string };
    const businessAssociation = this.#chance('business', customerNumber).pick(businessAssociations);
    const { firstName, lastName, email } = this.#needs.people.someone(this.#chance('person', customerNumber));
    const address = email.replace('@', `.${customerNumber}@`);
    const request = { storeId, timeZone, businessAssociation, name: { firstName, lastName }, email: address };
    const { id } = await must(requests.accounts.register(request, this.#staff('register', customerNumber)));
    this.#customers.set(customerNumber, id);
    const { off, each, webhookUrl } = wishesAboutMails(this.#chance('mails', customerNumber));
    const by = (what: string): RequestContext => ({
      caller: trialCaller(`customer:${id}`),
      commandId: this.#id(what, customerNumber),
      ...ONCE,
    });
    if (off) await must(requests.accounts.changeMailPreferences(id, off, by('mails off')));
    if (each || webhookUrl !== undefined) {
      const delivery = { mails: each ? 'each' : 'digest', ...(webhookUrl !== undefined && { webhookUrl }) } as const;
      await must(requests.leadDelivery.choose(id, delivery, by('lead delivery')));
    }
    return id;
  }

  async #receive(leads: readonly SuppliedLead[], occasion: string): Promise<void> {
    const { requests } = this.#needs;
    const now = this.#time;
    const answers = await requests.leads.receive(
      leads.map(({ leadTypeId, source, ageDays, contact }) => {
        const captured = ageDays > 0 ? { capturedAt: addDays(now, -ageDays) } : { occasion };
        return { leadTypeId, source, contact, ...captured };
      }),
      { caller: intake, commandId: this.#id('receive', occasion) },
    );
    for (const [index, { id }] of answers.entries()) {
      const { trouble } = leads[index] as SuppliedLead;
      if (trouble) this.#troubles.set(id, trouble);
    }
  }

  /** It was refused the first time, and might be accepted now. */
  #wasRefused(commandId: string): boolean {
    const { lived } = this.#needs;
    return lived !== undefined && this.#time < lived.until && !lived.commandIds.has(commandId);
  }

  #chance(...labels: readonly string[]): Chance {
    return this.#needs.chance.of(...labels);
  }

  #id(...parts: readonly string[]): string {
    return deriveId('demo', ...parts);
  }

  #staff(...what: readonly string[]): RequestContext {
    return { caller: trialCaller('staff:owner'), commandId: this.#id(...what), ...ONCE };
  }
}

const latest = (...instants: readonly Instant[]): Instant => instants.toSorted().at(-1) as Instant;

const byDay = new WeakMap<SampleData, Map<string, SampleOrder[]>>();

function ordersOn(sample: SampleData, date: string): readonly SampleOrder[] {
  let days = byDay.get(sample);
  if (!days) {
    days = Map.groupBy(sample.orders, ({ day }) => day);
    byDay.set(sample, days);
  }
  return days.get(date) ?? [];
}

/** What the demo needs to continue. @throws Error when the ledger refuses */
async function must(asked: Promise<Receipt>): Promise<Receipt> {
  const answer = await asked;
  const { outcome } = answer;
  if (outcome.kind !== 'accepted')
    throw new Error(`the demo was refused: ${outcome.kind === 'refused' ? outcome.refusal.message : outcome.kind}`);
  return answer;
}
