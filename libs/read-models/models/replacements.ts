import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { sealed } from '#domain/kernel/events';
import { replacementStatuses } from '#domain/replacements/replacement';
import { column } from '../engine/columns.ts';
import { modelOfStreams, table } from '../engine/model.ts';
import { exampleBox, exampleIds } from './examples.ts';

export const replacementRow = z.object({
  replacementId: column.id().describe('Id of the return.'),
  orderId: column.id().describe('Order to which the lead was delivered.'),
  leadId: column.id().describe('Lead that was returned.'),
  leadTypeId: column.id().describe('Lead type of the order.'),
  customerId: column.id().describe('Customer who returned it.'),
  storeId: column.id().describe('Store that sold it.'),
  status: column
    .oneOf(replacementStatuses)
    .describe('State of the return; `replaced`: the new lead was delivered; `ended`: its customer was erased.'),
  reason: column.text().describe('Code of the reason that the customer chose (RPL-3, RPL-4).'),
  reasonLabel: column.text().describe('That reason as customers see it.'),
  note: column.json(sealed).nullable().describe('What the customer wrote about it. Null: nothing.'),
  deliveredAt: column.instant().describe('When the lead was delivered.'),
  returnableUntil: column
    .instant()
    .nullable()
    .describe('Until when it could be returned, as promised with the delivery (RPL-2). Null in older requests.'),
  requests: column.count().describe('How often it was requested: after a denial, for another reason (RPL-8).'),
  requestedAt: column.instant().describe('When the customer returned it; of several requests, the last one.'),
  dueAt: column.instant().describe('When it is due to be verified (RPL-5).'),
  overdue: column.flag().describe('Whether that time passed without a decision.'),
  decidedAt: column.instant().nullable().describe('When it was granted or denied. Null: not yet.'),
  goodwill: column.flag().describe('Whether it was granted as goodwill, beyond the rules (RPL-11).'),
  correctedAt: column.instant().nullable().describe('When the verdict was corrected (RPL-10). Null: it was not.'),
  correctionRequestedAt: column
    .instant()
    .nullable()
    .describe('Since when staff take the grant back, while that is not done (RPL-10). Null: they do not.'),
  explanation: column.json(sealed).nullable().describe('Why it was denied (RPL-7). Null: it was not.'),
  replacementLeadId: column.id().nullable().describe('The lead delivered for it. Null: none yet.'),
  replacedAt: column.instant().nullable().describe('When that lead was delivered. Null: not yet.'),
  policyVersion: column.count().describe('Version of the policy that was in force when it was requested.'),
  revision: column.revision(),
});
export type ReplacementRow = z.infer<typeof replacementRow>;

export const replacementExample: ReplacementRow = {
  replacementId: exampleIds.replacementId,
  orderId: exampleIds.orderId,
  leadId: exampleIds.leadId,
  leadTypeId: exampleIds.leadTypeId,
  customerId: exampleIds.customerId,
  storeId: exampleIds.storeId,
  status: 'requested',
  reason: 'telephone-disconnected',
  reasonLabel: 'Disconnected telephone',
  note: exampleBox,
  deliveredAt: '2026-03-01T09:30:00.000Z',
  returnableUntil: '2026-03-06T09:30:00.000Z',
  requests: 1,
  requestedAt: '2026-03-02T11:00:00.000Z',
  dueAt: '2026-03-09T11:00:00.000Z',
  overdue: false,
  decidedAt: null,
  goodwill: false,
  correctedAt: null,
  correctionRequestedAt: null,
  explanation: null,
  replacementLeadId: null,
  replacedAt: null,
  policyVersion: 1,
  revision: 0,
};

export const replacementTable = table(replacementRow, {
  name: 'replacements',
  key: 'replacementId',
  family: 'replacement',
  belongsTo: { customer: 'customerId', store: 'storeId' },
  indexes: ['due_at, replacement_id', 'status, due_at, replacement_id', 'customer_id, due_at, replacement_id'],
});

/** Returns of leads, as a queue by due date. */
export const replacements = modelOfStreams({
  name: 'replacements',
  table: replacementTable,
  never: 'a replacement that was never requested',
  on: {
    ReplacementRequested: (replacement, fact) =>
      replacement.create({ ...requested(fact), requests: 1 + (replacement.before?.requests ?? 0) }),
    ChargebackGranted: (replacement, { data }) => replacement.set({ status: 'granted', decidedAt: data.at }),
    ChargebackDenied: (replacement, { data: { at, explanation } }) =>
      replacement.set({ status: 'denied', decidedAt: at, explanation }),
    GoodwillGranted: (replacement, { data: { at } }) =>
      replacement.set({ status: 'granted', decidedAt: at, goodwill: true, explanation: null }),
    CorrectionRequested: (replacement, { data: { at } }) => replacement.set({ correctionRequestedAt: at }),
    VerdictCorrected: (replacement, fact) => replacement.set(corrected(fact)),
    ReplacementEnded: (replacement) => replacement.set({ status: 'ended', correctionRequestedAt: null }),
    VerificationOverdue: (replacement) => replacement.set({ overdue: true }),
    ReplacementDelivered: (replacement, { data: { at, replacementLeadId } }) =>
      replacement.set({ status: 'replaced', replacedAt: at, replacementLeadId, correctionRequestedAt: null }),
  },
});

const corrected = ({ data }: FactOf<'VerdictCorrected'>): Partial<ReplacementRow> => ({
  status: data.verdict,
  reason: data.reason,
  reasonLabel: data.reasonLabel ?? data.reason,
  explanation: data.explanation ?? null,
  decidedAt: data.at,
  correctedAt: data.at,
  correctionRequestedAt: null,
  goodwill: false,
});

const requested = ({ stream, revision, data }: FactOf<'ReplacementRequested'>): ReplacementRow => ({
  replacementId: idOf(stream),
  orderId: data.orderId,
  leadId: data.leadId,
  leadTypeId: data.leadTypeId,
  customerId: data.customerId,
  storeId: data.storeId,
  status: 'requested',
  reason: data.reason,
  reasonLabel: data.reasonLabel ?? data.reason,
  note: data.note ?? null,
  deliveredAt: data.deliveredAt,
  returnableUntil: data.returnableUntil ?? null,
  requests: 1,
  requestedAt: data.at,
  dueAt: data.verifyBy,
  overdue: false,
  decidedAt: null,
  goodwill: false,
  correctedAt: null,
  correctionRequestedAt: null,
  explanation: null,
  replacementLeadId: null,
  replacedAt: null,
  policyVersion: data.policyVersion,
  revision,
});
