import fc from 'fast-check';
import type { FactOf } from '#domain/codec';
import { addSeconds } from '#domain/kernel/instants';
import type { AnyEvent } from '#domain/ledger';
import { loyaltyTermsOf } from '#domain/loyalty/bonus';
import { type ProgrammeCommand, programme } from '#domain/loyalty/programme';
import { type OrderCommand, order } from '#domain/orders/order';
import { defaultPolicy } from '#domain/policy/policy';
import { Rows } from '../engine/rows.ts';
import { programmes, programmeTable, renewalTable } from './programmes.ts';

const token = { keyId: 'k1', box: btoa('tok_ok'), secret: true } as const;
const START = '2026-05-01T10:00:00.000Z';

/** An order with its programme, in which each command is decided, folded, and passed to the read model. */
class Membership {
  readonly rows = new Rows();
  readonly #revisions = { order: -1, programme: -1 };
  orderState = order.initialState();
  programmeState = programme.initialState();

  constructor(quantity: number, exclusivity: 'exclusive' | 'shared') {
    const loyalty = loyaltyTermsOf('weekly', exclusivity, defaultPolicy);
    if (!loyalty) throw new Error('no weekly cadence');
    this.askOrder({
      type: 'PlaceOrder',
      at: START,
      orderLimits: { smallest: 1, largest: 1000 },
      batchType: true,
      customerId: 'c1',
      storeId: 'main',
      leadTypeId: 'some',
      quantity,
      timeZone: 'UTC',
      pricePerLeadCents: 100,
      currency: 'USD',
      paymentToken: token,
      statementDescriptor: 'LEADGER',
      policyVersion: 1,
      loyalty,
    });
    this.askOrder({ type: 'CapturePayment', at: START, reference: 'r', amountCents: 1, currency: 'USD' });
    const member = { customerId: 'c1', storeId: 'main', leadTypeId: 'some', cadence: 'weekly', cadenceDays: 7 };
    this.askProgramme({ type: 'JoinProgramme', at: START, ...member, countedFrom: START });
  }

  askOrder(command: OrderCommand): void {
    const decision = order.decide(command, this.orderState);
    if ('refused' in decision) return;
    this.orderState = decision.reduce(order.evolve, this.orderState);
    for (const event of decision) this.#tell('order', event);
  }

  askProgramme(command: ProgrammeCommand): void {
    const decision = programme.decide(command, this.programmeState);
    if ('refused' in decision) return;
    this.programmeState = decision.reduce(programme.evolve, this.programmeState);
    for (const event of decision) this.#tell('programme', event);
  }

  /** The bonus that the order's own stream would give for the next renewal. */
  nextBonus() {
    const renewalNumber = this.orderState.renewals + 1;
    const money = { paymentReference: 'r', amountCents: 1, currency: 'USD' };
    const decision = order.decide({ type: 'ReopenOrder', at: START, renewalNumber, ...money }, this.orderState);
    if ('refused' in decision || decision[0]?.type !== 'OrderReopened') throw new Error('it does not re-open');
    return decision[0].data;
  }

  row() {
    return this.rows.get(programmeTable, 'o1');
  }

  #tell(family: 'order' | 'programme', event: AnyEvent): void {
    this.#revisions[family] += 1;
    if (!(programmes.eventTypes as readonly string[]).includes(event.type)) return;
    const fact = { ...event, stream: `${family}-o1`, revision: this.#revisions[family] };
    programmes.evolve(this.rows, fact as FactOf<(typeof programmes.eventTypes)[number]>);
  }
}

const whatHappens = ['pause', 'restart', 'begin', 'pay', 'decline', 'hold', 'activate', 'announce', 'cancel'] as const;
const step = fc.record({
  what: fc.constantFrom(...whatHappens),
  hours: fc.integer({ min: 0, max: 200 }),
});

describe('the read model of programmes', () => {
  it('BCK-3: shows next date, next bonus and pauses as the domain would decide, after any history', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 100 }),
        fc.constantFrom('exclusive' as const, 'shared' as const),
        (steps, quantity, exclusivity) => {
          const member = new Membership(quantity, exclusivity);
          let at = START;
          for (const { what, hours } of steps) {
            at = addSeconds(at, hours * 3600);
            take(member, what, at);
            const { status, next } = member.programmeState;
            const { bonusLeads, bonusPercent, rule } = member.nextBonus();
            expect(member.row()).toMatchObject({
              status,
              nextDueAt: status === 'cancelled' ? null : next.dueAt,
              nextRenewalNumber: next.number,
              nextBonusLeads: bonusLeads,
              nextBonusPercent: bonusPercent,
              nextBonusRule: rule,
              pausesUsed: member.orderState.pauses,
            });
            const renewal = member.rows.get(renewalTable, `o1/${next.number}`);
            if (renewal)
              expect(renewal).toMatchObject({
                dueAt: next.dueAt,
                attempts: next.attempts,
                retryAt: next.retryAt ?? null,
                announcedAt: next.announced ? expect.any(String) : null,
                paidAt: null,
              });
          }
        },
      ),
    );
  });

  it('LOY-6: shows no next date once the programme is cancelled, also when a charge that was under way is paid', () => {
    const member = new Membership(10, 'shared');
    for (const what of ['begin', 'cancel', 'pay'] as const) take(member, what, addSeconds(START, 7 * 86_400));
    expect(member.row()).toMatchObject({ status: 'cancelled', nextDueAt: null, nextRenewalNumber: 2 });
    expect(member.rows.get(renewalTable, 'o1/1')?.reopenedAt).toEqual(expect.any(String));
  });

  it('has no rows for orders outside Loyalty Rewards', () => {
    const rows = new Rows();
    const paused = { type: 'OrderPaused', data: { at: START }, stream: 'order-o2', revision: 2 };
    programmes.evolve(rows, paused as unknown as FactOf<'OrderPaused'>);
    expect(rows.get(programmeTable, 'o2')).toBeUndefined();
  });
});

function take(member: Membership, what: (typeof whatHappens)[number], at: string): void {
  const { number: renewalNumber, attempts } = member.programmeState.next;
  const money = { amountCents: 1, currency: 'USD' };
  const charge = { token, statementDescriptor: 'LEADGER', ...money };
  const begin = {
    type: 'BeginRenewal',
    at,
    renewalNumber,
    charge,
    retryHours: [24],
    graceHours: 24,
    policyVersion: 1,
  } as const;
  const happenings: Record<typeof what, () => void> = {
    pause: () => member.askOrder({ type: 'PauseOrder', at }),
    restart: () => member.askOrder({ type: 'RestartOrder', at }),
    hold: () => member.askProgramme({ type: 'HoldProgramme', at }),
    activate: () => member.askProgramme({ type: 'ActivateProgramme', at }),
    cancel: () => member.askProgramme({ type: 'CancelProgramme', at, cause: 'customer' }),
    announce: () => member.askProgramme({ type: 'AnnounceRenewal', at, renewalNumber, policyVersion: 1 }),
    decline() {
      member.askProgramme(begin);
      const { attempts: attempt } = member.programmeState.next;
      member.askProgramme({ type: 'RecordRenewalDeclined', at, renewalNumber, attempt, reason: 'other' });
    },
    begin: () => member.askProgramme(begin),
    pay() {
      if (!member.programmeState.underWay) return;
      member.askProgramme({
        type: 'RecordRenewalPaid',
        at,
        renewalNumber,
        attempt: attempts,
        reference: 'r',
        ...money,
      });
      member.askOrder({ type: 'ReopenOrder', at, renewalNumber, paymentReference: 'r', ...money });
    },
  };
  happenings[what]();
}
