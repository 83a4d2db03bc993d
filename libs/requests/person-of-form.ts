import { refuse } from '#domain/kernel/decider';
import { normaliseEmail, normaliseTelephone } from '#domain/leads/person-form';
import { RequestRefused } from './rights.ts';

/** How a person is reached, as it was written. */
export interface Reached {
  readonly telephones: readonly string[];
  readonly emails: readonly string[];
}

/** Of numbers, and of addresses: more than one person has at home, at work and on the way, and too few for a list. */
const MOST_OF_A_FORM = 5;

/** Whoever fills in a form speaks for one person (DLV-12), in one row or in several. */
export class PersonOfForm {
  readonly #telephones = new Map<string, string>();
  readonly #emails = new Map<string, string>();

  /** @throws RequestRefused for another person, and for more names than one person has */
  add({ telephones, emails }: Reached): void {
    const numbers = telephones.map((telephone) => [normaliseTelephone(telephone) ?? telephone, telephone] as const);
    const addresses = emails.map((email) => [normaliseEmail(email), email] as const);
    const isFirst = this.#telephones.size + this.#emails.size === 0;
    const isKnown =
      numbers.some(([form]) => this.#telephones.has(form)) || addresses.some(([form]) => this.#emails.has(form));
    for (const [form, telephone] of numbers) this.#telephones.set(form, telephone);
    for (const [form, email] of addresses) this.#emails.set(form, email);
    const most = Math.max(this.#telephones.size, this.#emails.size);
    if (!(isFirst || isKnown) || most > MOST_OF_A_FORM) throw listRefused();
  }

  get reached(): Reached {
    return { telephones: [...this.#telephones.values()], emails: [...this.#emails.values()] };
  }
}

export const listRefused = (): RequestRefused =>
  new RequestRefused(
    refuse(
      'staff-only',
      `staff and programs bring lists of persons; a form names one, by at most ${MOST_OF_A_FORM} telephone numbers and ${MOST_OF_A_FORM} e-mail addresses`,
      'DLV-12',
    ),
  );
