import { type Column, plain } from './column-names.ts';

/** How a tool names the columns of its exports. */
export interface KnownExport {
  readonly name: string;
  /** A header is one of the tool if it has all names of one of these lists. */
  readonly signatures: readonly (readonly string[])[];
  /** The columns of a field, in plain names: of a row, the first one that is not empty counts. */
  readonly columns: Partial<Record<Column, readonly string[]>>;
  /** Prefixes of columns that are one postal address together. The first address that is not empty counts. */
  readonly addresses?: readonly string[];
  /** Stands between several values of one cell, of which the first counts. */
  readonly between?: string;
}

/** Fields that are taken from one address, never from two, and how their columns are named behind a prefix. */
export const addressColumns = {
  address: ['street'],
  city: ['city'],
  state: ['state', 'region'],
  postalCode: ['postalcode'],
  country: ['country', 'countryregion'],
} as const;

const names = {
  firstName: ['firstname', 'givenname'],
  lastName: ['lastname', 'familyname'],
  fullName: ['fullname', 'name'],
} as const;

const formFields = {
  ...names,
  telephone: ['phonenumber', 'phone', 'userphone', 'workphonenumber', 'workphone'],
  email: ['email', 'useremail', 'workemail'],
  address: ['streetaddress'],
  city: ['city'],
  state: ['state', 'province', 'region'],
  postalCode: ['postalcode', 'postcode', 'zipcode', 'zip'],
  country: ['country'],
} as const;

/**
 * The tools whose exports are read without a mapping (docs/how-to/import-leads.md). What somebody noted about a person is not
 * read as what the person wrote.
 */
export const knownExports: readonly KnownExport[] = [
  { name: 'Leadger', signatures: [['deliveredat', 'leadtypeid', 'orderid', 'leadid']], columns: {} },
  {
    name: 'Zapier',
    signatures: [
      ['zapmetatimestamp'],
      ['zapmetahumannow'],
      ['createdtime', 'pagename', 'formname'],
      ['rawcreatedtime', 'rawformid'],
    ],
    columns: { ...formFields, capturedAt: ['createdtime', 'rawcreatedtime'] },
  },
  {
    name: 'Meta lead ads',
    signatures: [
      ['createdtime', 'isorganic', 'platform'],
      ['createdtime', 'adid', 'formid'],
    ],
    columns: { ...formFields, capturedAt: ['createdtime'] },
  },
  {
    name: 'Google lead forms',
    signatures: [
      ['leadid', 'formid', 'campaignid'],
      ['gclid', 'userphone'],
      ['gclid', 'useremail'],
      ['leadsubmittime'],
    ],
    columns: { ...formFields, capturedAt: ['leadsubmittime'] },
  },
  {
    name: 'Google contacts',
    signatures: [['email1value'], ['phone1value']],
    columns: {
      ...names,
      telephone: ['phone1value', 'phone2value', 'phone3value', 'phone4value'],
      email: ['email1value', 'email2value', 'email3value'],
    },
    addresses: ['address1', 'address2'],
    between: ' ::: ',
  },
  {
    name: 'Outlook contacts',
    signatures: [
      ['emailaddress', 'businessphone'],
      ['emailaddress', 'homestreet'],
      ['emailaddress', 'email2address'],
    ],
    columns: {
      ...names,
      telephone: [
        'mobilephone',
        'primaryphone',
        'homephone',
        'businessphone',
        'homephone2',
        'businessphone2',
        'otherphone',
      ],
      email: ['emailaddress', 'email2address', 'email3address'],
    },
    addresses: ['home', 'business', 'other'],
  },
  {
    name: 'HubSpot',
    signatures: [
      ['recordid', 'email'],
      ['recordid', 'phonenumber'],
      ['recordidcontact', 'email'],
    ],
    columns: {
      ...names,
      telephone: ['phonenumber', 'mobilephonenumber'],
      email: ['email'],
      address: ['streetaddress'],
      city: ['city'],
      state: ['stateregion'],
      postalCode: ['postalcode'],
      country: ['countryregion'],
    },
  },
  {
    name: 'Salesforce',
    signatures: [['leadowner'], ['leadsource', 'company'], ['leadsource', 'companyaccount'], ['leadsource', 'ownerid']],
    columns: {
      ...names,
      telephone: ['phone', 'mobilephone', 'mobile', 'homephone', 'otherphone'],
      email: ['email'],
      address: ['street'],
      city: ['city'],
      state: ['state', 'stateprovince'],
      postalCode: ['postalcode', 'zippostalcode'],
      country: ['country'],
      source: ['leadsource'],
    },
    addresses: ['mailing', 'other'],
  },
];

export function exportOf(header: readonly string[]): KnownExport | undefined {
  const found = new Set(header.map(plain));
  return knownExports.find(({ signatures }) =>
    signatures.some((signature) => signature.every((name) => found.has(name))),
  );
}
