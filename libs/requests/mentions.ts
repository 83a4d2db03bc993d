import type { Contact } from '#domain/leads/contact';
import { normaliseTelephone } from '#domain/leads/person-form';

/** The characters of a telephone number, with one digit at least. */
const NUMBER = /^(?=\D*\d)[\d\s().+-]*$/;

/**
 * Whether a contact contains every word of a search. A part of a field is enough. Case, accents and the punctuation of
 * telephone numbers do not matter.
 */
export function mentions(person: Contact, search: string): boolean {
  if (NUMBER.test(search) && digitsOf(numberOf(person)).includes(digitsOf(search))) return true;
  const { extraFields = {}, ...own } = person;
  const fields = [...Object.values(own as Record<string, string>), ...Object.values(extraFields)].map(plain);
  return plain(search)
    .split(/\s+/)
    .every((word) => fields.some((field) => field.includes(word)));
}

const numberOf = ({ telephone = '' }: Contact): string => normaliseTelephone(telephone) ?? telephone;

const digitsOf = (text: string): string => text.replace(/\D/g, '');

const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .trim()
    .toLowerCase();
