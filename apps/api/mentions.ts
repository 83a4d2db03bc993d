import { type Contact, normaliseTelephone } from '#domain/leads/contact';

/** What a telephone number may be written with; one digit at least. */
const NUMBER = /^[\d\s().+-]*\d[\d\s().+-]*$/;

/**
 * Whether what is known of a person holds every word of a search: part of a field is enough, case and accents do not
 * count, nor how a telephone number is written.
 */
export function mentions(person: Contact, search: string): boolean {
  if (NUMBER.test(search) && digitsOf(numberOf(person)).includes(digitsOf(search))) return true;
  const fields = Object.values(person as Record<string, string>).map(plain);
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
