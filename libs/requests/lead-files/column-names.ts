import type { Consent } from '#domain/leads/consent';
import { contact } from '#domain/leads/contact';
import { LeadFileError } from './lead-file-row.ts';

const contactFields = contact.keyof().options;

/** Columns of evidence of consent → what they say. Our export has them, too. */
export const consentColumns = {
  consentText: 'text',
  consentAt: 'at',
  consentPage: 'page',
  consentIp: 'ip',
  consentCertificate: 'certificate',
} as const satisfies Record<string, keyof Consent>;
export type ConsentColumn = keyof typeof consentColumns;
export const isOfConsent = (column: Column): column is ConsentColumn => column in consentColumns;

/** What a column of a file can say: a field of a lead, or a full name, which is split. */
export const columns = [
  ...contactFields,
  'fullName',
  'leadTypeId',
  'source',
  'capturedAt',
  ...(Object.keys(consentColumns) as ConsentColumn[]),
] as const;
export type Column = (typeof columns)[number];

/**
 * How lead ads, pages and consent services (TrustedForm, Jornaya) name evidence of consent. The token of a LeadiD is no address, so it
 * is not among them.
 */
const namesOfConsent: Readonly<Record<ConsentColumn, string>> = {
  consentText:
    'consentlanguage consentdisclosure consentwording consentstatement tcpatext tcpalanguage tcpadisclosure tcpaconsenttext ' +
    'tcpaconsentlanguage disclosure disclosuretext disclaimer disclaimertext optintext optinlanguage',
  consentAt:
    'consentedat consenttime consentdate consentdatetime consenttimestamp tcpatimestamp tcpaconsenttimestamp tcpaconsentdate ' +
    'optinat optedinat optintime optindate optindatetime optintimestamp',
  consentPage:
    'consenturl consentpageurl pageurl landingpage landingpageurl landingurl sourceurl formurl optinurl optinpage tcpaurl',
  consentIp: 'ip ipaddress consentipaddress clientip clientipaddress userip useripaddress leadip leadipaddress optinip',
  consentCertificate:
    'xxtrustedformcerturl xxtrustedformtoken trustedform trustedformurl trustedformcert trustedformcerturl ' +
    'trustedformcertificate trustedformcertificateurl jornayaurl jornayacerturl jornayacertificateurl leadidcertificateurl ' +
    'certificateurl certurl consentcertificateurl consentcerturl',
};

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
  ...Object.entries(namesOfConsent).flatMap(([column, names]) =>
    names.split(' ').map((name) => [name, column as ConsentColumn] as const),
  ),
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
