import type { Contact } from '#domain/leads/contact';
import type { Chance } from './chance.ts';
import type { People, Person } from './people.ts';

/** What is wrong with some leads, by the code of an approved return (RPL-3). A call reveals it. */
export const troubles = [
  'telephone-disconnected',
  'wrong-number',
  'outside-us-and-canada',
  'submitted-by-third-party',
] as const;
export type Trouble = (typeof troubles)[number];

export interface SuppliedLead {
  readonly leadTypeId: string;
  readonly source: string;
  /** Days between the person's request and the arrival of the lead. */
  readonly ageDays: number;
  readonly contact: Contact;
  readonly trouble?: Trouble;
}

/** One lead, or a batch that was bought, and its time of arrival. */
interface Arrival {
  /** Hours since the beginning of the day, UTC. */
  readonly hour: number;
  readonly leads: readonly SuppliedLead[];
}

const realTime = [
  { leadTypeId: 'exclusive-real-time', source: 'own landing pages', leadsADay: 30 },
  { leadTypeId: 'shared-real-time', source: 'partner sites', leadsADay: 8 },
] as const;

const batches = [
  { leadTypeId: 'exclusive-fresh', source: 'Prospect Exchange', everyDays: 7, leads: [40, 120], ageDays: [1, 4] },
  { leadTypeId: 'shared-fresh', source: 'Prospect Exchange', everyDays: 9, leads: [30, 90], ageDays: [1, 4] },
  { leadTypeId: 'exclusive-aged', source: 'Attic Lists', everyDays: 21, leads: [40, 90], ageDays: [31, 90] },
  { leadTypeId: 'shared-aged', source: 'Attic Lists', everyDays: 24, leads: [20, 60], ageDays: [31, 90] },
] as const;

const GROWTH_A_YEAR = 1.15;

/** Leads by UTC hour: few in the American night, most in the American evening. */
const leadsByHour = [9, 9, 8, 7, 5, 3, 2, 1, 1, 1, 1, 2, 4, 5, 6, 7, 8, 9, 9, 8, 8, 8, 8, 9];

/** The share of leads whose person comes again, in another record. */
const PERSON_AGAIN = 0.04;
const troubleWeights = [3, 2, 2, 1];
const NO_TROUBLE_WEIGHT = 92;
const PERSONS_REMEMBERED = 2_000;

/** The leads of a seed. Ask for the days in order, because some persons come again. */
export class LeadSupply {
  readonly #chance: Chance;
  readonly #people: People;
  readonly #recent: Person[] = [];

  constructor(chance: Chance, people: People) {
    this.#chance = chance;
    this.#people = people;
  }

  /** The arrivals of a day, in order. @param day days since the first one */
  onDay(day: number): Arrival[] {
    const chance = this.#chance.of(`day ${day}`);
    const growth = GROWTH_A_YEAR ** (day / 365);
    const singles = realTime.flatMap(({ leadTypeId, source, leadsADay }) =>
      Array.from({ length: Math.round(leadsADay * growth * chance.between(0.6, 1.4)) }, () => ({
        hour: chance.weighted(leadsByHour) + chance.next(),
        leads: [this.#lead(chance, leadTypeId, source, 0)],
      })),
    );
    const bought = batches
      .filter(({ everyDays }) => chance.happens(1 / everyDays))
      .map(({ leadTypeId, source, leads: [fewest, most], ageDays: [youngest, oldest] }) => ({
        hour: chance.between(13, 23),
        leads: Array.from({ length: Math.round(chance.integer(fewest, most) * growth) }, () =>
          this.#lead(chance, leadTypeId, source, chance.between(youngest, oldest)),
        ),
      }));
    return [...singles, ...bought].sort((a, b) => a.hour - b.hour);
  }

  #lead(chance: Chance, leadTypeId: string, source: string, ageDays: number): SuppliedLead {
    const trouble = [...troubles, undefined][chance.weighted([...troubleWeights, NO_TROUBLE_WEIGHT])];
    const person = this.#person(chance, trouble === 'outside-us-and-canada');
    return { leadTypeId, source, ageDays, contact: person, ...(trouble && { trouble }) };
  }

  #person(chance: Chance, abroad: boolean): Person {
    if (abroad) return this.#people.abroad(chance);
    if (this.#recent.length > 0 && chance.happens(PERSON_AGAIN))
      return this.#people.again(chance, chance.pick(this.#recent));
    const person = this.#people.someone(chance);
    this.#recent.push(person);
    if (this.#recent.length > PERSONS_REMEMBERED) this.#recent.shift();
    return person;
  }
}
