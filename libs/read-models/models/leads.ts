import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { sealed } from '#domain/kernel/events';
import { matches, whyWithdrawn, withdrawals } from '#domain/leads/lead';
import { column } from '../engine/columns.ts';
import { model, type RowKey, table } from '../engine/model.ts';
import type { Rows } from '../engine/rows.ts';
import { exampleBox, exampleIds } from './examples.ts';

export const leadRow = z.object({
  leadId: column.id().describe('Id of the lead.'),
  leadTypeId: column.id().describe('Lead type that it is sold as now: leads that are not sold age (DLV-6).'),
  receivedLeadTypeId: column.id().describe('Lead type that it was received as.'),
  agedAt: column.instant().nullable().describe('When it aged last. Null: never.'),
  source: column.text().describe('Where it comes from.'),
  receivedAt: column.instant().describe('When it was received.'),
  capturedAt: column
    .instant()
    .nullable()
    .describe('When the person asked to be contacted. Null: the source did not say.'),
  openPlaces: column.count().describe('How many more customers it can be delivered to.'),
  withdrawn: column.flag().describe('Whether it was withdrawn: as bad, or because another lead has the person.'),
  withdrawnAs: column
    .oneOf(withdrawals)
    .nullable()
    .describe(
      'Why: returned as bad; kept by its buyer, because the return was denied after all; superseded by another lead of the person; erased; or suppressed, because the person is not sold any more. Null: it was not withdrawn.',
    ),
  duplicateOf: column
    .id()
    .nullable()
    .describe('The lead that had the person already; this one is never sold (DLV-11). Null: it is no duplicate.'),
  match: column.oneOf(matches).nullable().describe('What a duplicate has in common with that lead.'),
  contact: column.json(sealed).nullable().describe('The person. Null for a duplicate: its contact is not stored.'),
  consent: column
    .json(sealed)
    .nullable()
    .describe('Evidence that the person agreed to be contacted (DLV-12). Null: the source gave none.'),
  consentedAt: column.instant().nullable().describe('When the person agreed. Null: the source gave no evidence.'),
  suppressedAt: column
    .instant()
    .nullable()
    .describe('When it was withdrawn because its person is not sold any more (DLV-12). Null: never.'),
  revision: column.revision(),
});
export type LeadRow = z.infer<typeof leadRow>;

export const leadExample: LeadRow = {
  leadId: exampleIds.leadId,
  leadTypeId: exampleIds.leadTypeId,
  receivedLeadTypeId: exampleIds.leadTypeId,
  agedAt: null,
  source: 'landing-page-7',
  receivedAt: '2026-03-01T09:30:00.000Z',
  capturedAt: '2026-03-01T09:29:58.000Z',
  openPlaces: 0,
  withdrawn: false,
  withdrawnAs: null,
  duplicateOf: null,
  match: null,
  contact: exampleBox,
  consent: exampleBox,
  consentedAt: '2026-03-01T09:29:58.000Z',
  suppressedAt: null,
  revision: 1,
};

/** A lead as one customer has it. */
export const deliveredLeadRow = z.object({
  deliveredLeadId: column.id().describe('Customer and lead.'),
  customerId: column.id().describe('Customer to whom it was delivered.'),
  leadId: column.id().describe('Id of the lead.'),
  orderId: column.id().describe('Order that it was delivered for.'),
  storeId: column.id().describe('Store that sold it.'),
  leadTypeId: column.id().describe('Lead type that it was delivered as.'),
  deliveredAt: column.instant().describe('The receipt (DLV-8): returns are possible for some days from it (RPL-2).'),
  returnableUntil: column
    .instant()
    .nullable()
    .describe('Until when it may be returned (RPL-2). Null in older deliveries: the policy of that time says it.'),
  localDay: column.localDay().describe('Day of the delivery in the time zone of the order.'),
  forReplacementId: column
    .id()
    .nullable()
    .describe('The return that it is the replacement for. Null: it is no replacement.'),
  rating: column.count().nullable().describe("The customer's rating, 1 to 5. Null: not rated."),
  suppressedAt: column
    .instant()
    .nullable()
    .describe('Since when the person must not be contacted any more (DLV-12). Null: nothing is known of that.'),
});
export type DeliveredLeadRow = z.infer<typeof deliveredLeadRow>;

export const deliveredLeadExample: DeliveredLeadRow = {
  deliveredLeadId: `${exampleIds.customerId}/${exampleIds.leadId}`,
  customerId: exampleIds.customerId,
  leadId: exampleIds.leadId,
  orderId: exampleIds.orderId,
  storeId: exampleIds.storeId,
  leadTypeId: exampleIds.leadTypeId,
  deliveredAt: '2026-03-01T09:30:00.000Z',
  returnableUntil: '2026-03-06T09:30:00.000Z',
  localDay: '2026-03-01',
  forReplacementId: null,
  rating: 4,
  suppressedAt: null,
};

/** By which number or address a lead is found: all leads of one person. */
const leadPersonRow = z.object({
  leadPersonId: column.id().describe('Person and lead.'),
  personKey: column.text().describe('Keyed hash of the telephone number or of the e-mail address.'),
  leadId: column.id().describe('Id of the lead.'),
});

/** What a customer rated before its receipt, as the contact book has it. */
const earlyRatingRow = z.object({
  deliveredLeadId: column.id().describe('Customer and lead.'),
  rating: column.count().nullable().describe("The customer's rating, 1 to 5. Null: none any more."),
});

export const stockRow = z.object({
  leadTypeId: column.id().describe('Id of the lead type.'),
  leads: column.count().describe('Leads in stock: they can be delivered to somebody.'),
  openPlaces: column.count().describe('Deliveries that those leads can serve.'),
});

export const leadTable = table(leadRow, {
  name: 'leads',
  key: 'leadId',
  family: 'lead',
  belongsTo: {},
  indexes: [],
});

export const deliveredLeadTable = table(deliveredLeadRow, {
  name: 'delivered_leads',
  key: 'deliveredLeadId',
  madeOf: { contacts: 'customerId', order: 'orderId', lead: 'leadId' },
  belongsTo: { customer: 'customerId', store: 'storeId' },
  indexes: ['customer_id, delivered_at DESC, delivered_lead_id DESC', 'order_id', 'lead_id'],
});

export const leadPersonTable = table(leadPersonRow, {
  name: 'lead_persons',
  key: 'leadPersonId',
  belongsTo: {},
  indexes: ['person_key'],
});

const earlyRatingTable = table(earlyRatingRow, {
  name: 'early_ratings',
  key: 'deliveredLeadId',
  belongsTo: {},
  indexes: [],
});

export const stockTable = table(stockRow, { name: 'stock', key: 'leadTypeId', belongsTo: {}, indexes: [] });

/** Leads, to whom they were delivered, and what is in stock. */
export const leads = model({
  name: 'leads',
  tables: [leadTable, deliveredLeadTable, leadPersonTable, earlyRatingTable, stockTable],
  keysOf,
  on: {
    LeadReceived: receive,
    DuplicateReceived: receiveDuplicate,
    LeadAssigned: (rows, fact) => changeStanding(rows, fact, {}),
    LeadReleased: (rows, fact) => changeStanding(rows, fact, {}),
    LeadAged: (rows, fact) => changeStanding(rows, fact, { agedAt: fact.data.at }),
    LeadWithdrawn: withdraw,
    WithdrawalCorrected: (rows, { stream }) => {
      const row = rows.get(leadTable, idOf(stream));
      if (row) rows.put(leadTable, { ...row, withdrawnAs: 'kept-by-buyer' });
    },
    LeadDelivered: deliver,
    ContactRated: rate,
    ContactRemoved: (rows, { stream, data }) => noteEarlyRating(rows, deliveredLeadId(idOf(stream), data.leadId), null),
  },
});

type StandingFact = FactOf<'LeadReceived' | 'LeadAssigned' | 'LeadReleased' | 'LeadAged' | 'LeadWithdrawn'>;
type LeadFact =
  | StandingFact
  | FactOf<'WithdrawalCorrected' | 'DuplicateReceived' | 'LeadDelivered' | 'ContactRated' | 'ContactRemoved'>;

export const deliveredLeadId = (customerId: string, leadId: string): string => `${customerId}/${leadId}`;

function keysOf(fact: LeadFact): RowKey[] {
  switch (fact.type) {
    case 'LeadDelivered': {
      const { leadId, customerId } = fact.data;
      return keysOfDelivery(deliveredLeadId(customerId, leadId));
    }
    case 'ContactRated':
    case 'ContactRemoved':
      return keysOfDelivery(deliveredLeadId(idOf(fact.stream), fact.data.leadId));
    case 'WithdrawalCorrected':
    case 'DuplicateReceived':
      return [[leadTable, idOf(fact.stream)]];
    default:
      return keysOfStanding(fact);
  }
}

/** Whoever has a lead of a person who is not sold any more. */
const suppressedDeliveries = ({ stream, data: { suppression, buyers = [] } }: FactOf<'LeadWithdrawn'>): string[] =>
  suppression ? buyers.map(({ customerId }) => deliveredLeadId(customerId, idOf(stream))) : [];

const keysOfDelivery = (id: string): RowKey[] => [
  [deliveredLeadTable, id],
  [earlyRatingTable, id],
];

function keysOfStanding(fact: StandingFact): RowKey[] {
  const types = [fact.data.leadTypeId, ...(fact.type === 'LeadAged' ? [fact.data.fromLeadTypeId] : [])];
  const told = fact.type === 'LeadWithdrawn' ? suppressedDeliveries(fact) : [];
  return [
    [leadTable, idOf(fact.stream)],
    ...types.map((type): RowKey => [stockTable, type]),
    ...told.map((id): RowKey => [deliveredLeadTable, id]),
  ];
}

function receive(rows: Rows, fact: FactOf<'LeadReceived'>): void {
  const { openPlaces, contact, consent = null, consentedAt = null } = fact.data;
  putLead(rows, fact, { openPlaces, duplicateOf: null, match: null, contact, consent, consentedAt });
  changeStock(rows, fact.data, 1);
}

function receiveDuplicate(rows: Rows, fact: FactOf<'DuplicateReceived'>): void {
  const { duplicateOf, match } = fact.data;
  putLead(rows, fact, { openPlaces: 0, duplicateOf, match, contact: null, consent: null, consentedAt: null });
}

function putLead(
  rows: Rows,
  { stream, revision, data }: FactOf<'LeadReceived' | 'DuplicateReceived'>,
  about: Pick<LeadRow, 'openPlaces' | 'duplicateOf' | 'match' | 'contact' | 'consent' | 'consentedAt'>,
): void {
  rows.put(leadTable, {
    leadId: idOf(stream),
    leadTypeId: data.leadTypeId,
    receivedLeadTypeId: data.leadTypeId,
    agedAt: null,
    source: data.source,
    receivedAt: data.at,
    capturedAt: data.capturedAt ?? null,
    withdrawn: false,
    withdrawnAs: null,
    suppressedAt: null,
    ...about,
    revision,
  });
  for (const personKey of [data.telephoneKey, data.emailKey]) if (personKey) notePerson(rows, personKey, idOf(stream));
}

const notePerson = (rows: Rows, personKey: string, leadId: string): void =>
  rows.put(leadPersonTable, { leadPersonId: `${personKey}/${leadId}`, personKey, leadId });

/** Every event of a lead says of which type it is now and how many places are open. */
function changeStanding(rows: Rows, { type, stream, data }: StandingFact, change: Partial<LeadRow>): void {
  const before = rows.get(leadTable, idOf(stream));
  if (!before) throw new Error(`${type} of a lead that was never received`);
  const { leadTypeId, openPlaces } = data;
  rows.put(leadTable, { ...before, ...change, leadTypeId, openPlaces });
  changeStock(rows, before, -1);
  changeStock(rows, data, 1);
}

function withdraw(rows: Rows, fact: FactOf<'LeadWithdrawn'>): void {
  const { at, suppression } = fact.data;
  const suppressed = suppression && { suppressedAt: at };
  changeStanding(rows, fact, { withdrawn: true, withdrawnAs: whyWithdrawn(fact.data).withdrawnAs, ...suppressed });
  for (const id of suppressedDeliveries(fact)) {
    const row = rows.get(deliveredLeadTable, id);
    if (row) rows.put(deliveredLeadTable, { ...row, suppressedAt: at });
  }
}

function changeStock(rows: Rows, lead: Pick<LeadRow, 'leadTypeId' | 'openPlaces'>, sign: 1 | -1): void {
  if (lead.openPlaces === 0) return;
  const { leadTypeId } = lead;
  const { leads, openPlaces } = rows.get(stockTable, leadTypeId) ?? { leads: 0, openPlaces: 0 };
  rows.put(stockTable, { leadTypeId, leads: leads + sign, openPlaces: openPlaces + sign * lead.openPlaces });
}

/** The person is in the row of the lead, whose stream may be parked: a delivery is shown and counts all the same. */
function deliver(rows: Rows, { stream, data }: FactOf<'LeadDelivered'>): void {
  const {
    at: deliveredAt,
    leadId,
    customerId,
    storeId,
    leadTypeId,
    localDay,
    returnableUntil = null,
    replacementFor: forReplacementId = null,
  } = data;
  const id = deliveredLeadId(customerId, leadId);
  rows.put(deliveredLeadTable, {
    deliveredLeadId: id,
    customerId,
    leadId,
    orderId: idOf(stream),
    storeId,
    leadTypeId,
    deliveredAt,
    returnableUntil,
    localDay,
    forReplacementId,
    rating: rows.get(earlyRatingTable, id)?.rating ?? null,
    suppressedAt: null,
  });
}

/** Rated between assignment and receipt: there is no row of the delivery yet. */
function rate(rows: Rows, { stream, data: { leadId, rating } }: FactOf<'ContactRated'>): void {
  const id = deliveredLeadId(idOf(stream), leadId);
  const row = rows.get(deliveredLeadTable, id);
  if (row) rows.put(deliveredLeadTable, { ...row, rating });
  else noteEarlyRating(rows, id, rating);
}

function noteEarlyRating(rows: Rows, id: string, rating: number | null): void {
  if (rating !== null || rows.get(earlyRatingTable, id)) rows.put(earlyRatingTable, { deliveredLeadId: id, rating });
}
