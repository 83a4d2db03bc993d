import { decode } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { addDays, addSeconds } from '#domain/kernel/instants';
import { BEFORE_FIRST, type EventStore, type Position } from '#event-store/port';
import type { MovedClock } from '#gateways/clock';
import type { ProcessEngine } from '#processes/engine/engine';
import type { RowCounts } from '#requests/lead-files/counts';
import type { Requests } from '#requests/requests';
import { Agenda } from './agenda.ts';
import { Buyers } from './buyers.ts';
import type { Chance } from './chance.ts';
import { commandIdOf, REPEATABLE } from './contexts.ts';
import { askFor } from './deeds.ts';
import { importFile } from './file-import.ts';
import type { Deed } from './habits.ts';
import type { LeadSupply, SuppliedLead, Trouble } from './lead-supply.ts';
import { type OddFile, oddFileOn } from './odd-files.ts';
import { openForBusiness, setPrices } from './opening.ts';
import type { People } from './people.ts';
import { eventsPeopleReactTo, type Reaction, reactionTo } from './reactions.ts';
import { firstDayOf, ordersOn, type SampleData } from './sample-orders.ts';

interface LifeDependencies {
  readonly requests: Requests;
  readonly engine: ProcessEngine;
  readonly events: EventStore;
  readonly clock: MovedClock;
  readonly sample: SampleData;
  readonly supply: LeadSupply;
  readonly people: People;
  readonly chance: Chance;
  /** When the first of its days of 24 hours begins, and how many there are. */
  readonly start: Instant;
  readonly days: number;
  /** Whether things go wrong outside the store. */
  readonly trouble: boolean;
  /** The part that an interrupted demo has completed. */
  readonly lived?: Lived | undefined;
}

/** The commands that were recorded, and the instants of the first and the last event. */
export interface Lived {
  readonly since: Instant;
  readonly until: Instant;
  readonly commandIds: ReadonlySet<string>;
}

const intake: Caller = {
  kind: 'program',
  actor: 'system:intake',
  roles: ['lead-source'],
  stores: 'all',
  authenticated: 'cli',
};
const SECONDS_AN_HOUR = 3600;
const HOUR_OF_FILES = 15;
const DAYS_A_YEAR = 365;
/** In each year the store is switched off once, longer than the shortest cadence of Loyalty Rewards (LOY-10). */
const STAND_STILL = { day: 16, days: 10 } as const;

/**
 * The days of a simulated lead store: who orders, calls and complains. All of it follows from the sample data and the
 * seed. A demo that was interrupted starts again at its first day: commands that were recorded are sent again with the
 * same ids, which changes nothing, and commands that were refused are left out.
 */
export class Life {
  readonly #dependencies: LifeDependencies;
  readonly #agenda: Agenda;
  readonly #buyers: Buyers;
  /** Lead → what is wrong with it. */
  readonly #troubles = new Map<string, Trouble>();
  /** What became of the rows of the files that were imported. */
  readonly #files: RowCounts[] = [];
  /** The last event that people reacted to. */
  #seenUpTo: Position = BEFORE_FIRST;

  constructor(dependencies: LifeDependencies) {
    this.#dependencies = dependencies;
    this.#agenda = new Agenda(dependencies.clock, dependencies.start);
    this.#buyers = new Buyers({ ...dependencies, agenda: this.#agenda });
  }

  /** What went wrong outside the store: for the summary of a demo with trouble. */
  get trouble() {
    return { files: this.#files, paidWith: this.#buyers.paidWith };
  }

  open(): Promise<void> {
    return openForBusiness(this.#dependencies.requests, this.#agenda.now);
  }

  /** Simulates one day. @param day days since the first one, in order */
  async live(day: number): Promise<void> {
    const dayStart = addDays(this.#dependencies.start, day);
    this.#plan(day, dayStart);
    await this.#agenda.liveUntil(addDays(dayStart, 1), () => this.#react());
  }

  #plan(day: number, dayStart: Instant): void {
    const { requests, sample, supply, chance, people, trouble } = this.#dependencies;
    const date = dayStart.slice(0, 10);
    const planAt = (hour: number, keep: () => Promise<void>) =>
      this.#agenda.plan(addSeconds(dayStart, hour * SECONDS_AN_HOUR), keep);
    if (day % DAYS_A_YEAR === 0) planAt(0, () => setPrices(requests, day / DAYS_A_YEAR));
    if (day % DAYS_A_YEAR === STAND_STILL.day && day + STAND_STILL.days < this.#dependencies.days)
      planAt(0, () => this.#agenda.standStillUntil(addDays(dayStart, STAND_STILL.days)));
    for (const order of ordersOn(sample, addDays(firstDayOf(sample), day).slice(0, 10)))
      planAt(chance.of('order hour', order.orderNumber).between(13, 23), () => this.#buyers.order(order));
    for (const [index, { hour, leads }] of supply.onDay(day).entries())
      planAt(hour, () => this.#receive(leads, `${date} ${index}`));
    const atFiles = addSeconds(dayStart, HOUR_OF_FILES * SECONDS_AN_HOUR);
    const file = trouble ? oddFileOn(day, atFiles, chance.of('files'), people) : undefined;
    if (file) this.#agenda.plan(atFiles, () => this.#importFile(file));
  }

  async #importFile(file: OddFile): Promise<void> {
    const { requests } = this.#dependencies;
    this.#files.push(await importFile(requests, file, { caller: intake, at: this.#agenda.now }));
  }

  async #receive(leads: readonly SuppliedLead[], occasion: string): Promise<void> {
    const { now } = this.#agenda;
    const requests = leads.map(({ leadTypeId, source, ageDays, contact }) => {
      return { leadTypeId, source, contact, capturedAt: addDays(now, -ageDays) };
    });
    const context = { caller: intake, commandId: commandIdOf('receive', occasion) };
    const answers = await this.#dependencies.requests.leads.receive(requests, context);
    for (const [index, { id }] of answers.entries()) {
      const { trouble } = leads[index] as SuppliedLead;
      if (trouble) this.#troubles.set(id, trouble);
    }
  }

  /** Waits until the processes are done, and lets people react to the new events. */
  async #react(): Promise<void> {
    const { engine, events, chance } = this.#dependencies;
    await engine.settle();
    for await (const recorded of events.readAll({ after: this.#seenUpTo, filter: { types: eventsPeopleReactTo } })) {
      const fact = decode(recorded);
      if (fact.data.at > this.#agenda.now) return;
      this.#seenUpTo = recorded.position;
      const reaction = reactionTo(fact, chance, this.#troubles);
      if (reaction) this.#intend(fact.data.at, reaction);
    }
  }

  #intend(since: Instant, { who, intentions, about, occasion }: Reaction): void {
    for (const [index, { afterHours, deed }] of intentions.entries()) {
      const at = addSeconds(since, afterHours * SECONDS_AN_HOUR);
      this.#agenda.plan(at, () =>
        this.#do(deed, who, about, [`${deed.kind} ${index}`, ...(occasion ? [occasion] : [])]),
      );
    }
  }

  /** The store may refuse (a pause of a filled order, a grant after a denial): people accept that. */
  async #do(deed: Deed, id: string, { orderId, leadId }: Reaction['about'], purpose: readonly string[]): Promise<void> {
    const commandId = commandIdOf(...purpose, id, orderId, leadId);
    if (this.#wasRefused(commandId)) return;
    const customerId = this.#buyers.buyerOf(orderId) as string;
    const command = { commandId, ...REPEATABLE };
    await askFor(this.#dependencies.requests, deed, { id, orderId, leadId, customerId }, command);
  }

  /** The demo was interrupted after the command was refused. Sent again, it might be accepted. */
  #wasRefused(commandId: string): boolean {
    const { lived } = this.#dependencies;
    return lived !== undefined && this.#agenda.now < lived.until && !lived.commandIds.has(commandId);
  }
}
