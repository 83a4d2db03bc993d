import { idOf } from '#domain/codec';
import type { Bonus } from '#domain/loyalty/bonus';
import type { ProgrammeStatus } from '#domain/loyalty/programme';
import { type Model, table } from '../engine/model.ts';

/** An order in Loyalty Rewards, as its manager shows it (BCK-3). */
export interface ProgrammeRow {
  readonly orderId: string;
  readonly customerId: string;
  readonly storeId: string;
  readonly leadTypeId: string;
  readonly status: 'joining' | Exclude<ProgrammeStatus, 'unknown'>;
  /** Why it is held or cancelled; null while it is active. */
  readonly statusCause: string | null;
  readonly cadence: string;
  readonly cadenceDays: number;
  readonly quantity: number;
  readonly joinedAt: string;
  /** When the next renewal is due, also while the programme is held; null once it is cancelled. */
  readonly nextDueAt: string | null;
  readonly nextRenewalNumber: number;
  /** What the next renewal gives and by which rule, as the last event that changed it said (LOY-3, LOY-4). */
  readonly nextBonusPercent: number;
  readonly nextBonusLeads: number;
  readonly nextBonusRule: Bonus['rule'];
  readonly pausesUsed: number;
  readonly pausesThatKeepTheLadder: number;
  /** Of the programme's stream. */
  readonly revision: number;
}

/** One renewal, from its announcement to the re-opened order. */
export interface RenewalRow {
  /** Order and number of the renewal. */
  readonly renewalId: string;
  readonly orderId: string;
  readonly renewalNumber: number;
  readonly dueAt: string;
  readonly announcedAt: string | null;
  readonly attempts: number;
  readonly declineReason: string | null;
  /** When a declined charge is tried again. */
  readonly retryAt: string | null;
  readonly paidAt: string | null;
  readonly reopenedAt: string | null;
  readonly bonusLeads: number | null;
  readonly bonusPercent: number | null;
  readonly bonusRule: Bonus['rule'] | null;
  readonly pausesCounted: number | null;
  readonly totalCents: number | null;
}

export const programmeTable = table<ProgrammeRow>({
  name: 'programmes',
  key: 'orderId',
  columns: {
    orderId: 'text',
    customerId: 'text',
    storeId: 'text',
    leadTypeId: 'text',
    status: 'text',
    statusCause: 'text',
    cadence: 'text',
    cadenceDays: 'double precision',
    quantity: 'integer',
    joinedAt: 'timestamptz',
    nextDueAt: 'timestamptz',
    nextRenewalNumber: 'integer',
    nextBonusPercent: 'double precision',
    nextBonusLeads: 'integer',
    nextBonusRule: 'text',
    pausesUsed: 'integer',
    pausesThatKeepTheLadder: 'integer',
    revision: 'integer',
  },
  indexes: ['joined_at DESC, order_id DESC', 'customer_id, joined_at DESC, order_id DESC'],
});

export const renewalTable = table<RenewalRow>({
  name: 'renewals',
  key: 'renewalId',
  columns: {
    renewalId: 'text',
    orderId: 'text',
    renewalNumber: 'integer',
    dueAt: 'timestamptz',
    announcedAt: 'timestamptz',
    attempts: 'integer',
    declineReason: 'text',
    retryAt: 'timestamptz',
    paidAt: 'timestamptz',
    reopenedAt: 'timestamptz',
    bonusLeads: 'integer',
    bonusPercent: 'double precision',
    bonusRule: 'text',
    pausesCounted: 'integer',
    totalCents: 'bigint',
  },
  indexes: ['order_id, renewal_number', 'decline_reason'],
});

const eventTypes = [
  'OrderPlaced',
  'OrderPaused',
  'OrderReopened',
  'ProgrammeJoined',
  'RenewalAnnounced',
  'RenewalBegun',
  'RenewalPaid',
  'RenewalDeclined',
  'ProgrammeHeld',
  'ProgrammeActivated',
  'ProgrammeCancelled',
] as const;
type ProgrammeFacts = Model<(typeof eventTypes)[number]>;
type ProgrammeFact = Parameters<ProgrammeFacts['evolve']>[1];

export const programmes: ProgrammeFacts = {
  name: 'programmes',
  version: 2,
  tables: [programmeTable, renewalTable],
  eventTypes,

  keysOf(fact) {
    const orderId = idOf(fact.stream);
    const renewalNumber = 'renewalNumber' in fact.data ? fact.data.renewalNumber : undefined;
    return [
      [programmeTable, orderId],
      ...(renewalNumber === undefined ? [] : [[renewalTable, renewalIdOf(orderId, renewalNumber)] as const]),
    ];
  },

  evolve(rows, fact) {
    const orderId = idOf(fact.stream);
    const before = fact.type === 'OrderPlaced' ? placed(orderId, fact.data) : rows.get(programmeTable, orderId);
    // Most orders take no part in Loyalty Rewards.
    if (!before) return;
    const renewalNumber = 'renewalNumber' in fact.data ? fact.data.renewalNumber : undefined;
    if (renewalNumber !== undefined) {
      const renewalId = renewalIdOf(orderId, renewalNumber);
      const renewal = rows.get(renewalTable, renewalId) ?? firstHeardOf(renewalId, orderId, fact);
      if (renewal) rows.put(renewalTable, { ...renewal, ...renewalChangedBy(fact) });
    }
    // An order has revisions of its own.
    const revision = fact.stream.startsWith('programme-') ? fact.revision : before.revision;
    rows.put(programmeTable, { ...before, ...changeBy(fact, before), revision });
  },
};

const renewalIdOf = (orderId: string, renewalNumber: number): string => `${orderId}/${renewalNumber}`;

function placed(
  orderId: string,
  data: Extract<ProgrammeFact, { type: 'OrderPlaced' }>['data'],
): ProgrammeRow | undefined {
  const { customerId, storeId, leadTypeId, quantity, loyalty, nextBonus } = data;
  if (!loyalty || !nextBonus) return undefined;
  const { cadence, cadenceDays, pausesThatKeepTheLadder } = loyalty;
  return {
    orderId,
    customerId,
    storeId,
    leadTypeId,
    status: 'joining',
    statusCause: null,
    cadence,
    cadenceDays,
    quantity,
    joinedAt: data.at,
    nextDueAt: null,
    nextRenewalNumber: 1,
    ...nextBonusIn(nextBonus),
    pausesUsed: 0,
    pausesThatKeepTheLadder,
    revision: 0,
  };
}

const nextBonusIn = ({ bonusPercent, bonusLeads, rule }: Bonus) => ({
  nextBonusPercent: bonusPercent,
  nextBonusLeads: bonusLeads,
  nextBonusRule: rule,
});

function changeBy(fact: ProgrammeFact, before: ProgrammeRow): Partial<ProgrammeRow> {
  switch (fact.type) {
    case 'ProgrammeJoined':
      return { status: 'active', nextDueAt: fact.data.dueAt };
    case 'OrderPaused': {
      const { pauseNumber = before.pausesUsed + 1, nextBonus } = fact.data;
      return { pausesUsed: pauseNumber, ...(nextBonus && nextBonusIn(nextBonus)) };
    }
    case 'OrderReopened':
      return nextBonusIn(fact.data.nextBonus);
    case 'RenewalPaid':
      return {
        nextRenewalNumber: fact.data.renewalNumber + 1,
        ...(before.status !== 'cancelled' && { nextDueAt: fact.data.nextDueAt }),
      };
    case 'ProgrammeHeld':
      return { status: 'held', statusCause: fact.data.cause };
    case 'ProgrammeActivated':
      return { status: 'active', statusCause: null, nextDueAt: fact.data.dueAt };
    case 'ProgrammeCancelled':
      return { status: 'cancelled', statusCause: fact.data.cause, nextDueAt: null };
    case 'OrderPlaced':
    case 'RenewalAnnounced':
    case 'RenewalBegun':
    case 'RenewalDeclined':
      return {};
  }
}

/** A renewal that is not announced and not begun is no more than a date of its programme. */
function firstHeardOf(renewalId: string, orderId: string, fact: ProgrammeFact): RenewalRow | undefined {
  if (fact.type !== 'RenewalAnnounced' && fact.type !== 'RenewalBegun') return undefined;
  const { renewalNumber, dueAt } = fact.data;
  return {
    renewalId,
    orderId,
    renewalNumber,
    dueAt,
    announcedAt: null,
    attempts: 0,
    declineReason: null,
    retryAt: null,
    paidAt: null,
    reopenedAt: null,
    bonusLeads: null,
    bonusPercent: null,
    bonusRule: null,
    pausesCounted: null,
    totalCents: null,
  };
}

function renewalChangedBy(fact: ProgrammeFact): Partial<RenewalRow> {
  const { at } = fact.data;
  switch (fact.type) {
    case 'RenewalAnnounced':
      return { announcedAt: at };
    case 'RenewalBegun':
      return { dueAt: fact.data.dueAt, attempts: fact.data.attempt, retryAt: null };
    case 'RenewalDeclined':
      return { declineReason: fact.data.reason, retryAt: fact.data.retryAt ?? null };
    case 'RenewalPaid':
      return { paidAt: at, declineReason: null, totalCents: fact.data.amountCents };
    case 'OrderReopened': {
      const { bonusLeads, bonusPercent, rule: bonusRule, pausesCounted } = fact.data;
      return { reopenedAt: at, bonusLeads, bonusPercent, bonusRule, pausesCounted };
    }
    case 'ProgrammeHeld':
    case 'ProgrammeCancelled':
      return { retryAt: null };
    case 'ProgrammeActivated':
      return { dueAt: fact.data.dueAt };
    default:
      return {};
  }
}
