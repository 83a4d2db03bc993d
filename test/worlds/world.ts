import { decode, idOf } from '#domain/codec';
import { trialCaller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import { leadStream } from '#domain/leads/lead';
import { orderStream } from '#domain/orders/order';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { noWebhooks } from '#gateways/webhooks';
import type { ProcessEngine } from '#processes/engine/engine';
import type { AddressedCommand, Outcome } from '#requests/addressed-command';
import { CommandHandler } from '#requests/command-handler';
import { prepareNewStore } from '#requests/first-start';
import type { RequestContext } from '#requests/request-tools';
import { createRequests, type Requests } from '#requests/requests';
import { openSqliteSessions } from '#sessions/sqlite-sessions';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { createReactions } from '#wiring/reactions';

/** What can happen in a small world of five customers with four businesses, two time zones and few persons. */
export type Step =
  | {
      readonly kind: 'order';
      readonly customer: number;
      readonly type: number;
      readonly quantity: number;
      /** Loyalty Rewards, every week. */
      readonly joins?: boolean;
    }
  | { readonly kind: 'leads'; readonly type: number; readonly count: number; readonly person: number }
  | { readonly kind: 'pause' | 'restart' | 'cancel'; readonly order: number }
  | { readonly kind: 'hold' | 'activate' | 'leave'; readonly order: number }
  | { readonly kind: 'maximum'; readonly order: number; readonly leads: number }
  | { readonly kind: 'card'; readonly order: number; readonly pays: boolean }
  | { readonly kind: 'return' | 'grant' | 'deny' | 'goodwill'; readonly delivery: number }
  | { readonly kind: 'correct'; readonly delivery: number; readonly toGranted: boolean }
  | { readonly kind: 'move'; readonly customer: number; readonly business: number }
  /** An operator's word about the renewal that waits. */
  | { readonly kind: 'release' | 'skip'; readonly order: number }
  | { readonly kind: 'wait'; readonly hours: number }
  /** No process runs for some time. */
  | { readonly kind: 'stand-still'; readonly hours: number }
  /** The process crashes after `afterCommands` commands. `carriedOut`: whether the last of them was still executed. */
  | { readonly kind: 'crash'; readonly afterCommands: number; readonly carriedOut: boolean };

const LEAD_TYPES = ['exclusive-real-time', 'shared-real-time', 'shared-fresh', 'shared-club'];
const BUSINESSES = ['Abc', 'a.b.c.', 'Other', 'Third'];
const RETURN_REASONS = ['wrong number', 'Disconnected telephone', 'not interested'];
const ZONES = ['America/New_York', 'Pacific/Honolulu'];
const CUSTOMERS = 5;

/** The real ledger, processes and stores, with a test clock and crashes on demand. */
export class World {
  readonly events: EventStore;
  readonly vault: Vault;
  readonly #payments: PaymentGateway;
  readonly clock = new MovedClock('2026-03-07T15:00:00.000Z');
  readonly #customers: string[] = [];
  #handler!: CommandHandler;
  #requests!: Requests;
  #engine!: ProcessEngine;
  #commands = 0;
  #crash: { readonly at: number; readonly carriedOut: boolean; readonly happened: () => void } | undefined;

  private constructor(events: EventStore, vault: Vault, payments: PaymentGateway) {
    this.events = events;
    this.vault = vault;
    this.#payments = payments;
  }

  static async create(payments = sandboxPayments()): Promise<World> {
    const vault = await openVault({ matchingSecret: new Uint8Array(32) });
    const world = new World(await openEmbeddedStore(), vault, payments);
    world.#startProcess();
    await prepareNewStore(world.#requests);
    await sellQualifyingSharedLeads(world.#requests);
    for (let number = 0; number < CUSTOMERS; number += 1) {
      const request = {
        storeId: 'main',
        businessAssociation: BUSINESSES[number % BUSINESSES.length] as string,
        timeZone: ZONES[number % ZONES.length] as string,
      };
      world.#customers.push((await world.#requests.accounts.register(request, caller('customer', number))).id);
    }
    await world.#engine.settle();
    return world;
  }

  /** Carries out the steps in order. A crash interrupts a later step, and a new process continues. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      if (step.kind === 'crash') {
        this.#crashAfter(step.afterCommands, step.carriedOut);
        continue;
      }
      await this.#untilItCrashes(async () => {
        await this.#carryOut(step, index);
        await this.#engine.settle();
      });
    }
    this.#crash = undefined;
    await this.#engine.settle();
  }

  async close(): Promise<void> {
    await this.#engine.stop();
    await this.vault.close();
    await this.events.close();
  }

  /** The number of leads of each customer. */
  async deliveredByCustomer(): Promise<number[]> {
    const counts = this.#customers.map(() => 0);
    for await (const event of this.events.readAll({ filter: { types: ['LeadDelivered'] } })) {
      const customer = this.#customers.indexOf((decode(event).data as { customerId: string }).customerId);
      counts[customer] = (counts[customer] as number) + 1;
    }
    return counts;
  }

  /** Orders that could receive a lead in stock, as `order ← lead`. There are none when everything has settled. */
  async missedDeliveries(): Promise<string[]> {
    const { orders, leads } = await this.#ordersAndLeads();
    const missed: string[] = [];
    for (const order of orders) {
      const book = await this.#handler.streams.read<'contacts'>(`contacts-${order.customerId}`);
      for (const lead of leads) {
        const persons = [lead.state.telephoneKey, lead.state.emailKey].filter((key) => key !== undefined);
        const suits =
          lead.state.leadTypeId === order.leadTypeId &&
          !persons.some((key) => book.state.personKeys.has(key)) &&
          !lead.state.assignments.some(
            ({ customerId, businessKey }) => customerId === order.customerId || businessKey === order.businessKey,
          );
        if (suits) missed.push(`${order.id} ← ${lead.id}`);
      }
    }
    return missed;
  }

  async #ordersAndLeads() {
    const streams = new Set<string>();
    for await (const { stream } of this.events.readAll()) streams.add(stream);
    const orders = [];
    const leads = [];
    for (const stream of streams) {
      const id = idOf(stream);
      if (stream.startsWith('order-')) {
        const { state } = await this.#handler.streams.read<'order'>(orderStream(id));
        const { customerId, leadTypeId, dailyMaximum, timeZone } = state.terms as NonNullable<typeof state.terms>;
        const open = state.status === 'open' && state.deliveredLeads < state.orderedLeads;
        const today = new Intl.DateTimeFormat('en-CA', { timeZone }).format(Date.parse(this.clock.now()));
        const deliveredToday = state.day.localDay === today ? state.day.deliveredLeads : 0;
        const wants =
          (open && deliveredToday < (dailyMaximum ?? Number.POSITIVE_INFINITY)) ||
          (state.owed.size > 0 && state.status !== 'paused');
        const { state: customer } = await this.#handler.streams.read<'customer'>(`customer-${customerId}`);
        if (wants) orders.push({ id, customerId, leadTypeId, businessKey: customer.businessKey });
      }
      if (stream.startsWith('lead-')) {
        const { state } = await this.#handler.streams.read<'lead'>(leadStream(id));
        if (state.status === 'available' && state.openPlaces > 0) leads.push({ id, state });
      }
    }
    return { orders, leads };
  }

  /** Starts a new process on the same log. It knows only what the previous one wrote. */
  #startProcess(): void {
    const { events: store, vault, clock } = this;
    this.#handler = new CommandHandler(store);
    const { streams } = this.#handler;
    const life = Symbol('life');
    this.#life = life;
    // What a process that crashed was about to send is never sent, also not after the next one began.
    const dispatch = (command: AddressedCommand) =>
      this.#life === life ? this.#send(command) : new Promise<Outcome>(() => {});
    this.#requests = createRequests({ streams, vault, clock, dispatch });
    this.#engine = createReactions({
      store,
      vault: this.vault,
      sessions: openSqliteSessions(undefined),
      streams,
      clock,
      payments: this.#payments,
      mails: mailInMemory(),
      webhooks: noWebhooks(),
      dispatch,
    });
    this.#engine.start().catch(() => {});
  }

  #send(command: AddressedCommand): Promise<Outcome> {
    this.#commands += 1;
    const crash = this.#crash;
    if (!crash || this.#commands < crash.at) return this.#execute(command);
    // From here on the process has crashed: its commands are not sent, and it receives no answers. What it sent before is recorded.
    if (this.#commands === crash.at) {
      if (crash.carriedOut) void this.#execute(command);
      void Promise.allSettled(this.#underWay).then(() => crash.happened());
    }
    return new Promise(() => {});
  }

  #execute(command: AddressedCommand): Promise<Outcome> {
    const outcome = this.#handler.execute(command);
    this.#underWay.add(outcome);
    void outcome.catch(() => {}).then(() => this.#underWay.delete(outcome));
    return outcome;
  }

  readonly #underWay = new Set<Promise<Outcome>>();
  /** Of the present process. */
  #life: symbol | undefined;
  #crashSignal = Promise.withResolvers<void>();

  #crashAfter(commands: number, carriedOut: boolean): void {
    this.#crashSignal = Promise.withResolvers();
    this.#crash = { at: this.#commands + commands, carriedOut, happened: this.#crashSignal.resolve };
  }

  async #untilItCrashes(work: () => Promise<void>): Promise<void> {
    const crashed = await Promise.race([work().then(() => false), this.#crashSignal.promise.then(() => true)]);
    if (!crashed) return;
    this.#crash = undefined;
    this.#crashSignal = Promise.withResolvers();
    void this.#engine.stop();
    this.#startProcess();
    await this.#engine.settle();
  }

  async #carryOut(step: Exclude<Step, { kind: 'crash' }>, index: number): Promise<void> {
    const requests = this.#requests;
    const by = caller(step.kind, index);
    switch (step.kind) {
      case 'order': {
        const leadTypeId = LEAD_TYPES[step.type % LEAD_TYPES.length] as string;
        const request = {
          customerId: this.#customers[step.customer % CUSTOMERS] as string,
          leadTypeId,
          quantity: step.quantity,
          ...(leadTypeId.endsWith('real-time') && { dailyMaximum: { leads: 2 } }),
          paymentToken: step.quantity === 5 ? 'tok_declined' : 'tok_ok',
          ...(step.joins && { loyalty: { cadence: 'weekly' } }),
        };
        await requests.orders.place(request, by);
        return;
      }
      case 'leads': {
        const leadTypeId = LEAD_TYPES[step.type % LEAD_TYPES.length] as string;
        await requests.leads.receive(
          Array.from({ length: step.count }, (_, number) => ({
            leadTypeId,
            // The same record within an hour is known, and no new one.
            source: `world ${index} ${number}`,
            contact: { telephone: `212555${String(1000 + ((step.person + number) % 30))}` },
          })),
          by,
        );
        return;
      }
      case 'pause':
        await this.#withOrder(step.order, (id) => requests.orders.pause(id, by));
        return;
      case 'restart':
        await this.#withOrder(step.order, (id) => requests.orders.restart(id, by));
        return;
      case 'cancel':
        await this.#withOrder(step.order, (id) => requests.orders.cancel(id, by));
        return;
      case 'hold':
        await this.#withOrder(step.order, (id) => requests.programmes.hold(id, by));
        return;
      case 'activate':
        await this.#withOrder(step.order, (id) => requests.programmes.activate(id, by));
        return;
      case 'leave':
        await this.#withOrder(step.order, (id) => requests.programmes.cancel(id, by));
        return;
      case 'release':
        await this.#withOrder(step.order, (id) => requests.programmes.releaseRenewal(id, by));
        return;
      case 'skip':
        await this.#withOrder(step.order, (id) => requests.programmes.skipRenewal(id, by));
        return;
      case 'maximum':
        await this.#withOrder(step.order, (id) => requests.orders.changeDailyMaximum(id, { leads: step.leads }, by));
        return;
      case 'card': {
        const token = step.pays ? 'tok_ok' : 'tok_declined_expired_card';
        await this.#withOrder(step.order, (id) => requests.orders.changePaymentCard(id, token, by));
        return;
      }
      case 'return': {
        const delivery = await this.#pick('LeadDelivered', step.delivery);
        if (!delivery) return;
        const { leadId } = delivery.data as { leadId: string };
        const reason = RETURN_REASONS[index % RETURN_REASONS.length] as string;
        await requests.returns.request({ orderId: idOf(delivery.stream), leadId, reason }, by);
        return;
      }
      case 'deny':
        await this.#withReturn(step.delivery, (id) => requests.returns.deny(id, 'It rang.', by));
        return;
      case 'goodwill':
        await this.#withReturn(step.delivery, (id) => requests.returns.grantGoodwill(id, by));
        return;
      case 'correct': {
        const explanation = step.toGranted ? undefined : 'It rang.';
        await this.#withReturn(step.delivery, (id) => requests.returns.correct(id, explanation, by));
        return;
      }
      case 'grant':
        await this.#withReturn(step.delivery, (id) => requests.returns.grant(id, by));
        return;
      case 'move':
        await requests.accounts.changeBusinessAssociation(
          this.#customers[step.customer % CUSTOMERS] as string,
          BUSINESSES[step.business % BUSINESSES.length] as string,
          by,
        );
        return;
      case 'wait':
        await this.clock.moveTo(this.#in(step.hours));
        return;
      case 'stand-still':
        await this.#engine.stop();
        await this.clock.moveTo(this.#in(step.hours));
        this.#startProcess();
        return;
    }
  }

  #in(hours: number): Instant {
    return addSeconds(this.clock.now(), hours * 3600);
  }

  async #withOrder(number: number, ask: (orderId: string) => Promise<unknown>): Promise<void> {
    const placed = await this.#pick('OrderPlaced', number);
    if (placed) await ask(idOf(placed.stream));
  }

  async #withReturn(number: number, ask: (replacementId: string) => Promise<unknown>): Promise<void> {
    const requested = await this.#pick('ReplacementRequested', number);
    if (requested) await ask(idOf(requested.stream));
  }

  async #pick(type: string, number: number) {
    const found = [];
    for await (const event of this.events.readAll({ filter: { types: [type] } })) found.push(decode(event));
    return found[number % found.length];
  }
}

/** No shared type of a new store qualifies for Loyalty Rewards (CAT-4). */
async function sellQualifyingSharedLeads(requests: Requests): Promise<void> {
  const leadTypeId = 'shared-club';
  const traits = { exclusivity: 'shared', freshness: 'fresh', usualDelivery: 'one business day' } as const;
  const leadType = { leadTypeId, name: 'Club leads', ...traits, qualifiesForLoyaltyRewards: true };
  await requests.catalogue.defineLeadType(leadType, caller('lead-type', 0));
  const price = { storeId: 'main', leadTypeId, pricePerLeadCents: 250, currency: 'USD' };
  await requests.catalogue.setPrice({ ...price, smallestOrder: 1, largestOrder: 1000 }, caller('price', 0));
}

const caller = (what: string, number: number): RequestContext => ({
  caller: trialCaller('staff:world'),
  reason: 'it happens',
  commandId: deriveId('world', what, String(number)),
});
