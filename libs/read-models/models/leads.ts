import { type FactOf, idOf } from '#domain/codec';
import type { Sealed } from '#domain/kernel/events';
import { type Model, type RowKey, type Rows, table } from '../engine/model.ts';

export interface LeadRow {
  readonly leadId: string;
  readonly leadTypeId: string;
  /** As what it came in. */
  readonly receivedLeadTypeId: string;
  /** When it aged last; null when it never did. */
  readonly agedAt: string | null;
  readonly source: string;
  readonly receivedAt: string;
  readonly capturedAt: string | null;
  /** To how many customers it can still be given. */
  readonly openPlaces: number;
  readonly withdrawn: boolean;
  /** Sealed. */
  readonly contact: Sealed;
  readonly revision: number;
}

/** A lead as one customer has it. */
export interface DeliveredLeadRow {
  readonly deliveredLeadId: string;
  readonly customerId: string;
  readonly leadId: string;
  readonly orderId: string;
  readonly storeId: string;
  /** As which type it was delivered. */
  readonly leadTypeId: string;
  /** The receipt (DLV-8). */
  readonly deliveredAt: string;
  readonly localDay: string;
  /** The replacement that it was delivered for. */
  readonly replacementFor: string | null;
  readonly rating: number | null;
  /** Sealed. */
  readonly contact: Sealed;
}

export interface StockRow {
  readonly leadTypeId: string;
  /** Leads that can be given to somebody. */
  readonly leads: number;
  /** Deliveries that they are good for. */
  readonly openPlaces: number;
}

export const leadTable = table<LeadRow>({
  name: 'leads',
  key: 'leadId',
  columns: {
    leadId: 'text',
    leadTypeId: 'text',
    receivedLeadTypeId: 'text',
    agedAt: 'timestamptz',
    source: 'text',
    receivedAt: 'timestamptz',
    capturedAt: 'timestamptz',
    openPlaces: 'integer',
    withdrawn: 'boolean',
    contact: 'jsonb',
    revision: 'integer',
  },
  indexes: [],
});

export const deliveredLeadTable = table<DeliveredLeadRow>({
  name: 'delivered_leads',
  key: 'deliveredLeadId',
  columns: {
    deliveredLeadId: 'text',
    customerId: 'text',
    leadId: 'text',
    orderId: 'text',
    storeId: 'text',
    leadTypeId: 'text',
    deliveredAt: 'timestamptz',
    localDay: 'text',
    replacementFor: 'text',
    rating: 'integer',
    contact: 'jsonb',
  },
  indexes: ['customer_id, delivered_at DESC, delivered_lead_id DESC', 'order_id'],
});

export const stockTable = table<StockRow>({
  name: 'stock',
  key: 'leadTypeId',
  columns: { leadTypeId: 'text', leads: 'integer', openPlaces: 'integer' },
  indexes: [],
});

const eventTypes = [
  'LeadReceived',
  'LeadAssigned',
  'LeadReleased',
  'LeadAged',
  'LeadWithdrawn',
  'LeadDelivered',
  'ContactRated',
] as const;
type LeadFacts = Model<(typeof eventTypes)[number]>;
type LeadFact = Parameters<LeadFacts['evolve']>[1];

/** Leads, who was given them, and what is left in stock. */
export const leads: LeadFacts = {
  name: 'leads',
  version: 2,
  tables: [leadTable, deliveredLeadTable, stockTable],
  eventTypes,
  keysOf,

  evolve(rows, fact) {
    switch (fact.type) {
      case 'LeadDelivered':
        deliver(rows, fact);
        return;
      case 'ContactRated':
        rate(rows, fact);
        return;
      default:
        changeStanding(rows, fact);
    }
  },
};

export const deliveredLeadId = (customerId: string, leadId: string): string => `${customerId}/${leadId}`;

function keysOf(fact: LeadFact): RowKey[] {
  switch (fact.type) {
    case 'LeadDelivered':
      return [
        [leadTable, fact.data.leadId],
        [deliveredLeadTable, deliveredLeadId(fact.data.customerId, fact.data.leadId)],
      ];
    case 'ContactRated':
      return [[deliveredLeadTable, deliveredLeadId(idOf(fact.stream), fact.data.leadId)]];
    case 'LeadAged':
      return [
        [leadTable, idOf(fact.stream)],
        [stockTable, fact.data.fromLeadTypeId],
        [stockTable, fact.data.leadTypeId],
      ];
    default:
      return [
        [leadTable, idOf(fact.stream)],
        [stockTable, fact.data.leadTypeId],
      ];
  }
}

type StandingFact = Exclude<LeadFact, { type: 'LeadDelivered' | 'ContactRated' }>;

/** Every event of a lead says of which type it is now and how many places it has left. */
function changeStanding(rows: Rows, fact: StandingFact): void {
  const leadId = idOf(fact.stream);
  const before = rows.get(leadTable, leadId);
  const { leadTypeId, openPlaces } = fact.data;
  const { revision } = fact;
  if (fact.type === 'LeadReceived') {
    const { at: receivedAt, source, capturedAt = null, contact } = fact.data;
    const received = {
      leadId,
      leadTypeId,
      receivedLeadTypeId: leadTypeId,
      agedAt: null,
      source,
      receivedAt,
      capturedAt,
      openPlaces,
      withdrawn: false,
      contact,
      revision,
    };
    rows.put(leadTable, received);
  } else {
    if (!before) throw new Error(`${fact.type} of a lead that was never received`);
    const withdrawn = before.withdrawn || fact.type === 'LeadWithdrawn';
    const agedAt = fact.type === 'LeadAged' ? fact.data.at : before.agedAt;
    rows.put(leadTable, { ...before, leadTypeId, agedAt, openPlaces, withdrawn, revision });
  }
  if (before) changeStock(rows, before, -1);
  changeStock(rows, { leadTypeId, openPlaces }, 1);
}

function changeStock(rows: Rows, lead: Pick<LeadRow, 'leadTypeId' | 'openPlaces'>, sign: 1 | -1): void {
  if (lead.openPlaces === 0) return;
  const { leadTypeId } = lead;
  const { leads, openPlaces } = rows.get(stockTable, leadTypeId) ?? { leads: 0, openPlaces: 0 };
  rows.put(stockTable, { leadTypeId, leads: leads + sign, openPlaces: openPlaces + sign * lead.openPlaces });
}

function deliver(rows: Rows, { stream, data }: FactOf<'LeadDelivered'>): void {
  const { at: deliveredAt, leadId, customerId, storeId, leadTypeId, localDay, replacementFor = null } = data;
  const lead = rows.get(leadTable, leadId);
  if (!lead) throw new Error(`a lead was delivered that was never received: ${leadId}`);
  rows.put(deliveredLeadTable, {
    deliveredLeadId: deliveredLeadId(customerId, leadId),
    customerId,
    leadId,
    orderId: idOf(stream),
    storeId,
    leadTypeId,
    deliveredAt,
    localDay,
    replacementFor,
    rating: null,
    contact: lead.contact,
  });
}

function rate(rows: Rows, { stream, data }: FactOf<'ContactRated'>): void {
  const row = rows.get(deliveredLeadTable, deliveredLeadId(idOf(stream), data.leadId));
  // Rated between assignment and receipt: the rating has nothing to stand on yet.
  if (row) rows.put(deliveredLeadTable, { ...row, rating: data.rating });
}
