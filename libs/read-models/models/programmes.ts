import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { declineReasons } from '#domain/kernel/declines';
import { type Bonus, bonusRule } from '#domain/loyalty/bonus';
import { cancellationCauses, holdCauses, programmeStatuses } from '#domain/loyalty/programme';
import { column } from '../engine/columns.ts';
import { model, type RowKey, table } from '../engine/model.ts';
import type { Rows } from '../engine/rows.ts';
import { exampleIds } from './examples.ts';

const statusCauses = [...new Set([...holdCauses, ...cancellationCauses])] as const;

/** An order in Loyalty Rewards, as the programme manager shows it (BCK-3). */
export const programmeRow = z.object({
  orderId: column.id().describe('Order whose programme it is.'),
  customerId: column.id().describe('Customer who takes part.'),
  storeId: column.id().describe('Store that sold the order.'),
  leadTypeId: column.id().describe('Lead type that is renewed.'),
  status: column
    .oneOf(['joining', ...programmeStatuses])
    .describe('State of the programme; `joining`: the order is not paid yet.'),
  statusCause: column.oneOf(statusCauses).nullable().describe('Why it is held or cancelled. Null: it is neither.'),
  cadence: column.text().describe('How often it renews: a name from the policy.'),
  cadenceDays: column.number().describe('Length of the cadence, in days of 24 hours (LOY-1).'),
  quantity: column.count().describe('Leads of each renewal, without bonus.'),
  joinedAt: column.instant().describe('When the order joined.'),
  nextDueAt: column
    .instant()
    .nullable()
    .describe('When the next renewal is due, unless the programme is on hold then (LOY-5). Null: none is due.'),
  nextRenewalNumber: column.count().describe('Number of the next renewal; the first is 1.'),
  missedDueAt: column
    .instant()
    .nullable()
    .describe(
      'Date of the renewal that came too late, because the store stood still or its order has no known time zone, and waits for an operator (LOY-10). Null: none does.',
    ),
  missedUnderWay: column
    .flag()
    .describe(
      'Whether the charge of that renewal was begun before the store stood still, and may have been captured: then it can be released, and not skipped.',
    ),
  skippedRenewals: column
    .count()
    .describe('Dates on which nothing was charged, because the store stood still (LOY-10).'),
  nextBonusPercent: column.number().describe('Bonus of the next renewal, in percent of the quantity (LOY-3).'),
  nextBonusLeads: column.count().describe('Bonus leads of the next renewal.'),
  nextBonusRule: column.oneOf(bonusRule.options).describe('Rule that gives that bonus (LOY-3, LOY-4).'),
  pausesUsed: column.count().describe('Pauses in the whole life of the order (LOY-4).'),
  pausesThatKeepTheLadder: column.count().describe('Pauses after which the bonus ladder is still kept.'),
  revision: column
    .revision()
    .describe('Revision of the programme: the ETag, and what If-Match compares. -1 while the order joins.'),
});
export type ProgrammeRow = z.infer<typeof programmeRow>;

export const programmeExample: ProgrammeRow = {
  orderId: exampleIds.orderId,
  customerId: exampleIds.customerId,
  storeId: exampleIds.storeId,
  leadTypeId: exampleIds.leadTypeId,
  status: 'active',
  statusCause: null,
  cadence: 'once-a-month',
  cadenceDays: 30,
  quantity: 50,
  joinedAt: '2026-03-01T09:30:00.000Z',
  nextDueAt: '2026-04-30T09:30:00.000Z',
  nextRenewalNumber: 2,
  missedDueAt: null,
  missedUnderWay: false,
  skippedRenewals: 0,
  nextBonusPercent: 10,
  nextBonusLeads: 5,
  nextBonusRule: 'exclusive',
  pausesUsed: 1,
  pausesThatKeepTheLadder: 1,
  revision: 4,
};

/** One renewal, from its announcement to the re-opened order. */
export const renewalRow = z
  .object({
    renewalId: column.id().describe('Order and number of the renewal.'),
    orderId: column.id().describe('Order that is renewed.'),
    renewalNumber: column.count().describe('Number of the renewal; the first is 1.'),
    dueAt: column.instant().describe('When it is, or was, due.'),
    announcedAt: column.instant().nullable().describe('When it was announced to the customer. Null: it was not.'),
    attempts: column.count().describe('Attempts to charge it.'),
    declineReason: column
      .oneOf(declineReasons)
      .nullable()
      .describe('Why the last attempt was declined (LOY-8). Null: none was, or it is paid.'),
    retryAt: column.instant().nullable().describe('When it is charged again. Null: no attempt is planned.'),
    confirmableUntil: column
      .instant()
      .nullable()
      .describe('Until when the customer may confirm the charge, as the bank wants. Null: the bank does not want it.'),
    paidAt: column.instant().nullable().describe('When it was paid. Null: not yet.'),
    reopenedAt: column.instant().nullable().describe('When the order re-opened for it. Null: not yet.'),
    bonusLeads: column.count().nullable().describe('Bonus leads that it gave. Null until the order re-opened.'),
    bonusPercent: column.number().nullable().describe('Bonus in percent. Null until the order re-opened.'),
    bonusRule: column
      .oneOf(bonusRule.options)
      .nullable()
      .describe('Rule that gave the bonus. Null until the order re-opened.'),
    pausesCounted: column
      .count()
      .nullable()
      .describe('Pauses that counted for the bonus. Null until the order re-opened.'),
    totalCents: column
      .cents()
      .nullable()
      .describe('Price paid, in minor units of the currency. Null until it is paid.'),
    refundedCents: column.cents().describe('What was given back of it, in minor units of the currency (CHK-6).'),
  })
  .meta({ id: 'Renewal' });
export type RenewalRow = z.infer<typeof renewalRow>;

export const renewalExample: RenewalRow = {
  renewalId: `${exampleIds.orderId}/1`,
  orderId: exampleIds.orderId,
  renewalNumber: 1,
  dueAt: '2026-03-31T09:30:00.000Z',
  announcedAt: '2026-03-28T09:30:00.000Z',
  attempts: 1,
  declineReason: null,
  retryAt: null,
  confirmableUntil: null,
  paidAt: '2026-03-31T09:30:01.000Z',
  reopenedAt: '2026-03-31T09:30:01.000Z',
  bonusLeads: 5,
  bonusPercent: 10,
  bonusRule: 'ladder',
  pausesCounted: 1,
  totalCents: 12_500,
  refundedCents: 0,
};

export const programmeTable = table(programmeRow, {
  name: 'programmes',
  key: 'orderId',
  family: 'programme',
  madeOf: { programme: 'orderId', order: 'orderId' },
  belongsTo: { customer: 'customerId', store: 'storeId' },
  indexes: [
    'joined_at DESC, order_id DESC',
    'customer_id, joined_at DESC, order_id DESC',
    'missed_due_at',
    'status, next_due_at',
  ],
});

export const renewalTable = table(renewalRow, {
  name: 'renewals',
  key: 'renewalId',
  belongsTo: { sameAs: programmeTable },
  indexes: ['order_id, renewal_number', 'decline_reason'],
});

export const programmes = model({
  name: 'programmes',
  tables: [programmeTable, renewalTable],
  keysOf,
  on: {
    OrderPlaced(rows, fact) {
      const programme = joining(fact);
      if (programme) rows.put(programmeTable, programme);
    },
    ProgrammeJoined: (rows, fact) => change(rows, fact, { status: 'active', nextDueAt: fact.data.dueAt }),
    OrderPaused: pause,
    OrderReopened: reopen,
    RenewalAnnounced: (rows, fact) => begin(rows, fact, { announcedAt: fact.data.at }),
    RenewalBegun(rows, fact) {
      const { dueAt, attempt } = fact.data;
      begin(rows, fact, { dueAt, attempts: attempt, retryAt: null });
    },
    RenewalConfirmationRequested: (rows, fact) => changeRenewal(rows, fact, { confirmableUntil: fact.data.until }),
    RenewalDeclined(rows, fact) {
      const { reason, retryAt = null } = fact.data;
      changeRenewal(rows, fact, { declineReason: reason, retryAt, confirmableUntil: null });
      change(rows, fact, nothingMissed);
    },
    RenewalUnknown: (rows, fact) => change(rows, fact, nothingMissed),
    RenewalPaid: pay,
    PaymentRefunded: giveBack,
    RefundSettled: giveBack,
    RefundReturned: takeBack,
    RenewalMissed(rows, fact) {
      const { dueAt, attempt } = fact.data;
      changeRenewal(rows, fact, { dueAt, retryAt: null });
      change(rows, fact, { missedDueAt: dueAt, missedUnderWay: attempt !== undefined, ...due(rows, fact, dueAt) });
    },
    RenewalReleased(rows, fact) {
      const { dueAt } = fact.data;
      changeRenewal(rows, fact, { dueAt });
      change(rows, fact, { ...nothingMissed, ...due(rows, fact, dueAt) });
    },
    RenewalSkipped: skip,
    ProgrammeHeld(rows, fact) {
      changeRenewal(rows, fact, { retryAt: null });
      change(rows, fact, { status: 'held', statusCause: fact.data.cause, ...stillMissed(rows, fact) });
    },
    ProgrammeActivated(rows, fact) {
      const { dueAt } = fact.data;
      changeRenewal(rows, fact, { dueAt });
      change(rows, fact, { status: 'active', statusCause: null, nextDueAt: dueAt, ...stillMissed(rows, fact) });
    },
    ProgrammeCancelled(rows, fact) {
      changeRenewal(rows, fact, { retryAt: null });
      const ended = { status: 'cancelled', statusCause: fact.data.cause, nextDueAt: null } as const;
      change(rows, fact, { ...ended, ...stillMissed(rows, fact) });
    },
  },
});

type AboutOrder = { readonly stream: string };
type AboutRenewal = AboutOrder & { readonly data: { readonly renewalNumber: number } };

const renewalIdOf = ({ stream, data }: AboutRenewal): string => `${idOf(stream)}/${data.renewalNumber}`;

function keysOf(fact: AboutOrder & { readonly data: object }): RowKey[] {
  const programme: RowKey = [programmeTable, idOf(fact.stream)];
  return 'renewalNumber' in fact.data ? [programme, [renewalTable, renewalIdOf(fact as AboutRenewal)]] : [programme];
}

function joining({ stream, data }: FactOf<'OrderPlaced'>): ProgrammeRow | undefined {
  const { customerId, storeId, leadTypeId, quantity, loyalty, nextBonus } = data;
  if (!loyalty || !nextBonus) return undefined;
  const { cadence, cadenceDays, pausesThatKeepTheLadder } = loyalty;
  const terms = { cadence, cadenceDays, pausesThatKeepTheLadder };
  return {
    orderId: idOf(stream),
    customerId,
    storeId,
    leadTypeId,
    status: 'joining',
    statusCause: null,
    ...terms,
    quantity,
    joinedAt: data.at,
    nextDueAt: null,
    nextRenewalNumber: 1,
    ...nothingMissed,
    skippedRenewals: 0,
    ...nextBonusIn(nextBonus),
    pausesUsed: 0,
    revision: -1,
  };
}

const nextBonusIn = ({ bonusPercent, bonusLeads, rule }: Bonus) => ({
  nextBonusPercent: bonusPercent,
  nextBonusLeads: bonusLeads,
  nextBonusRule: rule,
});

/** Most orders take no part in Loyalty Rewards: they have no row. */
function change(rows: Rows, { stream }: AboutOrder, changed: Partial<ProgrammeRow>): void {
  const programme = rows.get(programmeTable, idOf(stream));
  if (programme) rows.put(programmeTable, { ...programme, ...changed });
}

function changeRenewal(rows: Rows, fact: AboutRenewal, changed: Partial<RenewalRow>): void {
  const renewal = rows.get(renewalTable, renewalIdOf(fact));
  if (renewal) rows.put(renewalTable, { ...renewal, ...changed });
}

const nothingMissed = { missedDueAt: null, missedUnderWay: false };

/** A charge that was under way goes on waiting, also when the programme is held or cancelled. */
const stillMissed = (rows: Rows, { stream }: AboutOrder): Partial<ProgrammeRow> =>
  rows.get(programmeTable, idOf(stream))?.missedUnderWay ? {} : nothingMissed;

/** A charge that was under way when the programme was cancelled has its end, and nothing is due after it (LOY-6). */
const due = (rows: Rows, { stream }: AboutOrder, nextDueAt: string): Partial<ProgrammeRow> =>
  rows.get(programmeTable, idOf(stream))?.status === 'cancelled' ? {} : { nextDueAt };

/** The number comes again on the next date, so what is known of it is of a date that is over. */
function skip(rows: Rows, fact: FactOf<'RenewalSkipped'>): void {
  const { nextDueAt } = fact.data;
  changeRenewal(rows, fact, { dueAt: nextDueAt, announcedAt: null, declineReason: null, retryAt: null });
  const skippedBefore = rows.get(programmeTable, idOf(fact.stream))?.skippedRenewals ?? 0;
  change(rows, fact, { ...nothingMissed, skippedRenewals: skippedBefore + 1, ...due(rows, fact, nextDueAt) });
}

/** A renewal has a row once it is announced or begun; before that it is only a date of its programme. */
function begin(rows: Rows, fact: FactOf<'RenewalAnnounced' | 'RenewalBegun'>, changed: Partial<RenewalRow>): void {
  const orderId = idOf(fact.stream);
  if (!rows.get(programmeTable, orderId)) return;
  const { renewalNumber, dueAt } = fact.data;
  const renewalId = renewalIdOf(fact);
  const renewal = rows.get(renewalTable, renewalId) ?? { ...noRenewalYet, renewalId, orderId, renewalNumber, dueAt };
  rows.put(renewalTable, { ...renewal, ...changed });
}

const noRenewalYet = {
  announcedAt: null,
  attempts: 0,
  declineReason: null,
  retryAt: null,
  confirmableUntil: null,
  paidAt: null,
  reopenedAt: null,
  bonusLeads: null,
  bonusPercent: null,
  bonusRule: null,
  pausesCounted: null,
  totalCents: null,
  refundedCents: 0,
} satisfies Partial<RenewalRow>;

/** Events of older versions do not say which pause of the order it is. */
function pause(rows: Rows, fact: FactOf<'OrderPaused'>): void {
  const before = rows.get(programmeTable, idOf(fact.stream));
  if (!before) return;
  const { pauseNumber = before.pausesUsed + 1, nextBonus } = fact.data;
  change(rows, fact, { pausesUsed: pauseNumber, ...(nextBonus && nextBonusIn(nextBonus)) });
}

function reopen(rows: Rows, fact: FactOf<'OrderReopened'>): void {
  const { at: reopenedAt, bonusLeads, bonusPercent, rule: bonusRule, pausesCounted, nextBonus } = fact.data;
  changeRenewal(rows, fact, { reopenedAt, bonusLeads, bonusPercent, bonusRule, pausesCounted });
  change(rows, fact, nextBonusIn(nextBonus));
}

/** The first payment is not one of a renewal. */
function giveBack(rows: Rows, fact: FactOf<'PaymentRefunded' | 'RefundSettled'>): void {
  const renewal = rows.get(renewalTable, renewalIdOf(fact));
  if (renewal) changeRenewal(rows, fact, { refundedCents: renewal.refundedCents + fact.data.amountCents });
}

function takeBack(rows: Rows, fact: FactOf<'RefundReturned'>): void {
  const renewal = rows.get(renewalTable, renewalIdOf(fact));
  if (renewal) changeRenewal(rows, fact, { refundedCents: renewal.refundedCents - fact.data.amountCents });
}

function pay(rows: Rows, fact: FactOf<'RenewalPaid'>): void {
  const { at: paidAt, amountCents: totalCents, renewalNumber, nextDueAt } = fact.data;
  changeRenewal(rows, fact, { paidAt, declineReason: null, totalCents, confirmableUntil: null });
  change(rows, fact, { nextRenewalNumber: renewalNumber + 1, ...nothingMissed, ...due(rows, fact, nextDueAt) });
}
