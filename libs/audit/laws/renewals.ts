import { DAY } from './books.ts';
import { Policies } from './policies.ts';
import type { RawEvent } from './raw-log.ts';

type RenewalLaw = 'bonusWrong' | 'renewalOutOfTurn' | 'renewalMissing' | 'renewalChargedLate';

const HOUR = DAY / 24;

/**
 * Follows every order in Loyalty Rewards through its renewals. It computes their dates and bonus leads again from the
 * first order, the pauses and the policy that the order cites. Shares no code with the deciders.
 */
export class RenewalCheck {
  readonly #promised = new Policies(promisedIn);
  readonly #exclusiveTypes = new Set<string>();
  readonly #programmes = new Map<string, Programme>();

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take(event: RawEvent): readonly RenewalLaw[] {
    const at = Date.parse(event.data.at);
    const broken = this.#judge(event, at);
    this.#note(event, at);
    return broken;
  }

  /**
   * Call it at the end of the log. A log may end anywhere, so a renewal counts only if it is a day late by the log's own
   * clock; one that waits for an operator is not missing (LOY-10). @returns the last event of each programme whose renewal is missing
   */
  missing(now: number): readonly RawEvent[] {
    const since = now - DAY;
    return [...this.#programmes.values()].flatMap(
      ({ state, paid, charging, waiting, chargeAt, confirmableUntil, unopenedSince, last }) => {
        const shouldHaveBegun = state === 'active' && paid && !charging && !waiting && chargeAt <= since;
        const shouldHaveEnded = charging && (confirmableUntil ?? since + 1) <= since;
        return shouldHaveBegun || shouldHaveEnded || (unopenedSince ?? since + 1) <= since ? [last] : [];
      },
    );
  }

  #judge({ id, type, data }: RawEvent, at: number): readonly RenewalLaw[] {
    if (type === 'OrderPlaced' && data.loyalty)
      return data.bonusLeads === this.#bonusOf(this.#begin(data, at), 0) ? [] : ['bonusWrong'];
    const programme = this.#programmes.get(id);
    switch (type) {
      case 'RenewalBegun':
        return programme ? this.#judgeBeginning(programme, data, at) : ['renewalOutOfTurn'];
      case 'RenewalMissed':
        return programme && mayWait(programme, data, at) ? [] : ['renewalOutOfTurn'];
      case 'RenewalReleased':
        return programme?.waiting && isNext(programme, data) ? [] : ['renewalOutOfTurn'];
      case 'RenewalSkipped':
        return programme && maySkip(programme, data, at) ? [] : ['renewalOutOfTurn'];
      case 'RenewalPaid':
        return programme?.charging && programme.next === data.renewalNumber ? [] : ['renewalOutOfTurn'];
      case 'OrderReopened':
        return programme ? this.#judgeReopening(programme, data) : ['renewalOutOfTurn'];
      default:
        return [];
    }
  }

  /** LOY-10, by the policy that the beginning cites. */
  #judgeBeginning(programme: Programme, data: RawEvent['data'], at: number): readonly RenewalLaw[] {
    const grace = this.#promised.get(data.policyVersion)?.grace ?? DAY;
    const late = programme.waiting || at > programme.chargeAt + grace;
    return [
      ...(mayBegin(programme, data, at) ? [] : ['renewalOutOfTurn' as const]),
      ...(late ? ['renewalChargedLate' as const] : []),
    ];
  }

  #judgeReopening(programme: Programme, data: RawEvent['data']): readonly RenewalLaw[] {
    const { reopened, next, quantity } = programme;
    const inTurn = data.renewalNumber === reopened + 1 && data.renewalNumber < next;
    const rightLeads = data.bonusLeads === this.#bonusOf(programme, data.renewalNumber) && data.quantity === quantity;
    return [...(inTurn ? [] : ['renewalOutOfTurn' as const]), ...(rightLeads ? [] : ['bonusWrong' as const])];
  }

  #note(event: RawEvent, at: number): void {
    const { id, type, data } = event;
    if (type === 'PolicyPublished') this.#promised.publish(data);
    if (type === 'LeadTypeDefined' && data.exclusivity === 'exclusive') this.#exclusiveTypes.add(data.leadTypeId);
    if (type === 'OrderPlaced' && data.loyalty) this.#programmes.set(id, this.#begin(data, at));
    const programme = this.#programmes.get(id);
    if (!programme || !Object.hasOwn(changes, type)) return;
    changes[type]?.(programme, event, at);
    programme.last = event;
  }

  #begin(data: RawEvent['data'], at: number): Programme {
    const { leadTypeId, quantity, loyalty, policyVersion, renewalsCountedFrom } = data;
    const cadence = loyalty.cadenceDays * DAY;
    const exclusive = this.#exclusiveTypes.has(leadTypeId);
    // A checkout has shown the dates (CHK-5).
    const dueAt = cadence + (renewalsCountedFrom === undefined ? at : Date.parse(renewalsCountedFrom));
    const first = { next: 1, dueAt, chargeAt: dueAt, reopened: 0, pauses: 0 };
    const state = {
      state: 'active',
      paid: false,
      charging: false,
      waiting: false,
      confirmableUntil: undefined,
      unopenedSince: undefined,
    };
    return { exclusive, quantity, policyVersion, cadence, ...first, ...state } as Partial<Programme> as Programme;
  }

  /** How many bonus leads the order or its renewal ought to have; undefined when its policy does not exist. */
  #bonusOf({ exclusive, quantity, policyVersion, pauses }: Programme, renewalNumber: number): number | undefined {
    const promised = this.#promised.get(policyVersion);
    if (!promised) return undefined;
    const step = promised.shared[Math.min(renewalNumber, promised.shared.length - 1)] as number;
    const ofShared = pauses > promised.pauses ? promised.standard : step;
    const hundredths = quantity * (exclusive ? promised.exclusive : ofShared);
    // Percentages may have decimals, so round away the error of floating-point numbers.
    return Math.ceil(Math.round(hundredths * 1e6) / 1e8);
  }
}

interface Promised {
  readonly exclusive: number;
  readonly shared: readonly number[];
  readonly standard: number;
  readonly pauses: number;
  /** How late a renewal may be charged without a word of an operator, in milliseconds. */
  readonly grace: number;
}

/** The first version of the policy had no bonus leads: these are the promises of that time. */
const promisedIn = (policy: RawEvent['data']): Promised => ({
  exclusive: policy.exclusiveBonusPercent ?? 10,
  shared: policy.sharedBonusPercents ?? [10, 10, 20, 30],
  standard: policy.standardBonusPercent ?? 10,
  pauses: policy.pausesThatKeepTheLadder ?? 1,
  grace: (policy.renewalGraceHours ?? 24) * HOUR,
});

interface Programme {
  readonly exclusive: boolean;
  readonly quantity: number;
  readonly policyVersion: number;
  readonly cadence: number;
  pauses: number;
  /** The last renewal that re-opened the order, and the next renewal: all before it are paid. */
  reopened: number;
  next: number;
  /** The date of the next renewal, from which later dates count, and when it may be charged: a retry is later. */
  dueAt: number;
  chargeAt: number;
  state: 'active' | 'held' | 'over';
  paid: boolean;
  charging: boolean;
  /** Until when the customer may confirm the charge under way; undefined: the bank does not want it. */
  confirmableUntil: number | undefined;
  /** The renewal came too late and waits for an operator. */
  waiting: boolean;
  /** When the renewal was paid that has not re-opened the order yet. */
  unopenedSince: number | undefined;
  last: RawEvent;
}

const mayBegin = ({ state, paid, charging, next, chargeAt }: Programme, data: RawEvent['data'], at: number): boolean =>
  state === 'active' && paid && !charging && data.renewalNumber === next && at >= chargeAt;

const isNext = ({ next, dueAt }: Programme, data: RawEvent['data']): boolean =>
  data.renewalNumber === next && Date.parse(data.dueAt) === dueAt;

const mayWait = (programme: Programme, data: RawEvent['data'], at: number): boolean =>
  isNext(programme, data) && at >= programme.dueAt && (programme.charging || programme.state === 'active');

/** Only while an operator decides about it, or once the next date has come too. */
const maySkip = (programme: Programme, data: RawEvent['data'], at: number): boolean => {
  const { state, charging, waiting, dueAt, cadence } = programme;
  return isNext(programme, data) && state === 'active' && !charging && at >= (waiting ? dueAt : dueAt + cadence);
};

type Change = (programme: Programme, event: RawEvent, at: number) => void;

const changes: Readonly<Record<string, Change>> = {
  OrderPlaced: () => {},
  PaymentCaptured: (programme) => {
    programme.paid = true;
  },
  OrderPaused: (programme) => {
    programme.pauses += 1;
  },
  OrderReopened: (programme, { data }) => {
    programme.reopened = data.renewalNumber;
    programme.unopenedSince = undefined;
  },
  PaymentCapturedTooLate: (programme) => {
    programme.unopenedSince = undefined;
  },
  RenewalBegun: (programme) => {
    programme.charging = true;
    programme.confirmableUntil = undefined;
  },
  RenewalConfirmationRequested: (programme, { data }) => {
    programme.confirmableUntil = Date.parse(data.until);
  },
  RenewalMissed: (programme) => {
    programme.waiting = true;
  },
  RenewalReleased: (programme, _, at) => {
    programme.waiting = false;
    programme.chargeAt = at;
  },
  /** A word about several dates skips them one after the other. */
  RenewalSkipped: (programme, _, at) => {
    programme.dueAt += programme.cadence;
    programme.chargeAt = programme.dueAt;
    programme.waiting &&= programme.dueAt <= at;
  },
  RenewalPaid: (programme, { data }, at) => {
    programme.charging = false;
    programme.waiting = false;
    programme.next = data.renewalNumber + 1;
    programme.dueAt += programme.cadence;
    programme.chargeAt = programme.dueAt;
    programme.unopenedSince = at;
  },
  RenewalDeclined: (programme, { data }) => {
    programme.charging = false;
    programme.waiting = false;
    if (data.retryAt !== undefined) programme.chargeAt = Date.parse(data.retryAt);
  },
  ProgrammeHeld: (programme) => {
    programme.state = 'held';
    programme.waiting &&= programme.charging;
  },
  /** LOY-5. A pending charge keeps its date. */
  ProgrammeActivated: (programme, _, at) => {
    programme.state = 'active';
    if (!programme.charging) programme.dueAt = Math.max(programme.dueAt, at);
    programme.chargeAt = programme.dueAt;
    programme.waiting &&= programme.charging;
  },
  ProgrammeCancelled: (programme) => {
    programme.state = 'over';
    programme.waiting &&= programme.charging;
  },
};
