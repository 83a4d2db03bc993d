import { idOf } from '#domain/codec';
import type { Sealed } from '#domain/kernel/events';
import { type Model, table } from '../engine/model.ts';

export interface ReplacementRow {
  readonly replacementId: string;
  readonly orderId: string;
  readonly leadId: string;
  readonly leadTypeId: string;
  readonly customerId: string;
  readonly storeId: string;
  readonly status: 'requested' | 'granted' | 'denied' | 'replaced';
  readonly reason: string;
  /** Sealed. */
  readonly note: Sealed | null;
  readonly deliveredAt: string;
  readonly requestedAt: string;
  /** Until when it is to be verified (RPL-5). */
  readonly verifyBy: string;
  readonly overdue: boolean;
  /** When it was granted or denied. */
  readonly decidedAt: string | null;
  /** Why it was denied. */
  readonly explanation: string | null;
  readonly replacementLeadId: string | null;
  readonly replacedAt: string | null;
  readonly policyVersion: number;
  readonly revision: number;
}

export const replacementTable = table<ReplacementRow>({
  name: 'replacements',
  key: 'replacementId',
  columns: {
    replacementId: 'text',
    orderId: 'text',
    leadId: 'text',
    leadTypeId: 'text',
    customerId: 'text',
    storeId: 'text',
    status: 'text',
    reason: 'text',
    note: 'jsonb',
    deliveredAt: 'timestamptz',
    requestedAt: 'timestamptz',
    verifyBy: 'timestamptz',
    overdue: 'boolean',
    decidedAt: 'timestamptz',
    explanation: 'text',
    replacementLeadId: 'text',
    replacedAt: 'timestamptz',
    policyVersion: 'integer',
    revision: 'integer',
  },
  indexes: ['verify_by, replacement_id', 'status, verify_by, replacement_id', 'customer_id, verify_by, replacement_id'],
});

const eventTypes = [
  'ReplacementRequested',
  'ChargebackGranted',
  'ChargebackDenied',
  'VerificationOverdue',
  'ReplacementDelivered',
] as const;
type ReplacementFacts = Model<(typeof eventTypes)[number]>;
type ReplacementFact = Parameters<ReplacementFacts['evolve']>[1];

/** Returns of leads, as a queue by due date. */
export const replacements: ReplacementFacts = {
  name: 'replacements',
  version: 2,
  tables: [replacementTable],
  eventTypes,
  keysOf: ({ stream }) => [[replacementTable, idOf(stream)]],

  evolve(rows, fact) {
    const replacementId = idOf(fact.stream);
    const before =
      fact.type === 'ReplacementRequested'
        ? requested(replacementId, fact.data)
        : rows.get(replacementTable, replacementId);
    if (!before) throw new Error(`${fact.type} of a replacement that was never requested`);
    rows.put(replacementTable, { ...before, ...changeBy(fact), revision: fact.revision });
  },
};

function requested(
  replacementId: string,
  data: Extract<ReplacementFact, { type: 'ReplacementRequested' }>['data'],
): ReplacementRow {
  const { at: requestedAt, note = null, ...request } = data;
  return {
    replacementId,
    ...request,
    note,
    requestedAt,
    status: 'requested',
    overdue: false,
    decidedAt: null,
    explanation: null,
    replacementLeadId: null,
    replacedAt: null,
    revision: 0,
  };
}

function changeBy(fact: ReplacementFact): Partial<ReplacementRow> {
  const { at } = fact.data;
  switch (fact.type) {
    case 'ReplacementRequested':
      return {};
    case 'ChargebackGranted':
      return { status: 'granted', decidedAt: at };
    case 'ChargebackDenied':
      return { status: 'denied', decidedAt: at, explanation: fact.data.explanation };
    case 'VerificationOverdue':
      return { overdue: true };
    case 'ReplacementDelivered':
      return { status: 'replaced', replacedAt: at, replacementLeadId: fact.data.replacementLeadId };
  }
}
