import { contact } from '#domain/leads/contact';
import { LeadFileError } from './lead-file-row.ts';

const contactFields = contact.keyof().options;

/** What a column of a file can say: a field of a lead, or a full name, which is split. */
export const columns = [...contactFields, 'fullName', 'leadTypeId', 'source', 'capturedAt'] as const;
export type Column = (typeof columns)[number];

/** Usual names of columns in addition to our own, compared without case, spacing and punctuation. */
const usualNames: Readonly<Record<string, Column>> = {
  first: 'firstName',
  givenname: 'firstName',
  last: 'lastName',
  surname: 'lastName',
  familyname: 'lastName',
  name: 'fullName',
  phone: 'telephone',
  phonenumber: 'telephone',
  mobile: 'telephone',
  cell: 'telephone',
  emailaddress: 'email',
  street: 'address',
  streetaddress: 'address',
  zip: 'postalCode',
  zipcode: 'postalCode',
  postcode: 'postalCode',
  leadtype: 'leadTypeId',
  vendor: 'source',
  captured: 'capturedAt',
  comments: 'comment',
};

export const plain = (name: string): string => name.toLowerCase().replace(/[^\p{Letter}\p{Number}]/gu, '');

const byName = new Map<string, Column>([
  ...Object.entries(usualNames),
  ...columns.map((column) => [plain(column), column] as const),
]);

/** @returns what a column with this name usually says */
export const usualColumn = (name: string): Column | undefined => byName.get(plain(name));

/** @throws LeadFileError */
export function columnNamed(name: string): Column {
  const column = columns.find((column) => column === name);
  if (!column) throw new LeadFileError(`there is no field ${name}: there are ${columns.join(', ')}`);
  return column;
}
