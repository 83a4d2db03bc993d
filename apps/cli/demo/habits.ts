import type { Chance } from './chance.ts';
import type { Trouble } from './lead-supply.ts';
import { troubles } from './lead-supply.ts';

/** What people will do some hours after an event. */
export interface Intention {
  readonly afterHours: number;
  readonly deed: Deed;
}

export type Deed =
  | { readonly kind: 'rate'; readonly rating: number }
  | { readonly kind: 'return'; readonly reason: string; readonly note?: string }
  | { readonly kind: 'grant' }
  | { readonly kind: 'deny'; readonly explanation: string }
  | { readonly kind: 'goodwill' }
  /** Without an explanation, to granted; with one, to denied. */
  | { readonly kind: 'correct'; readonly explanation?: string }
  | { readonly kind: 'pause' | 'restart' | 'cancel' }
  | { readonly kind: 'hold' | 'activate' | 'leave' }
  | { readonly kind: 'release-renewal' | 'skip-renewal' }
  | { readonly kind: 'change-card'; readonly paymentToken: string }
  | { readonly kind: 'write'; readonly subject: string; readonly message: string; readonly callBack: boolean }
  | { readonly kind: 'give-back'; readonly amountCents?: number }
  | { readonly kind: 'answer'; readonly answer: string };

const DAY = 24;

const invalidReasons = [
  'not-interested',
  'cannot-be-reached',
  'no-voice-mail',
  'bad-email-address',
  'already-in-network-marketing',
];

const notes = [
  'Tried three times on two days.',
  'A recording says that the number is not in service.',
  'She says that she never asked for anything.',
  'Please send another one.',
];

/** A customer calls a lead. Most bad leads are returned, some too late; few good leads are returned. */
export function onDelivery(chance: Chance, trouble: Trouble | undefined): Intention[] {
  const returned = returnOf(chance, trouble);
  const rating = trouble ? chance.integer(1, 2) : chance.integer(2, 5);
  return [
    ...(chance.happens(0.3)
      ? [{ afterHours: chance.between(0.2, 4 * DAY), deed: { kind: 'rate', rating } as const }]
      : []),
    ...(returned ? [returned] : []),
  ];
}

function returnOf(chance: Chance, trouble: Trouble | undefined): Intention | undefined {
  if (!chance.happens(trouble ? 0.85 : 0.04)) return undefined;
  const late = chance.happens(0.06);
  const reason = trouble ?? (chance.happens(0.2) ? chance.pick(troubles) : chance.pick(invalidReasons));
  return {
    afterHours: late ? chance.between(5.1 * DAY, 9 * DAY) : chance.between(0.5, 4.9 * DAY),
    deed: { kind: 'return', reason, ...(chance.happens(0.5) && { note: chance.pick(notes) }) },
  };
}

/** Staff call the person too: they grant true reasons, and sometimes verify too late (RPL-5). */
export function onRequest(chance: Chance, reason: string, trouble: Trouble | undefined): Intention {
  return {
    afterHours: chance.happens(0.05) ? chance.between(7.1 * DAY, 10 * DAY) : chance.between(4, 6.5 * DAY),
    deed:
      reason === trouble
        ? { kind: 'grant' }
        : { kind: 'deny', explanation: `We called the person ourselves and did not find "${reason}" to be true.` },
  };
}

/** Some customers give another reason. Staff find that they were wrong, or give a replacement as goodwill. */
export function onDenial(chance: Chance): Intention[] {
  const afterHours = chance.between(1, 2 * DAY);
  if (chance.happens(0.15)) return [{ afterHours, deed: { kind: 'return', reason: chance.pick(troubles) } }];
  if (chance.happens(0.1)) return [{ afterHours, deed: { kind: 'correct' } }];
  return chance.happens(0.1) ? [{ afterHours, deed: { kind: 'goodwill' } }] : [];
}

/** A few grants were wrong. Where the replacement was delivered meanwhile, it is too late to take them back. */
export function onGrant(chance: Chance): Intention[] {
  if (!chance.happens(0.1)) return [];
  const deed = { kind: 'correct', explanation: 'We reached the person at the second try.' } as const;
  return [{ afterHours: chance.between(0, 2), deed }];
}

/** Some go on holiday; few cancel; some write to support; a few get a part of their money back. */
export function onPayment(chance: Chance): Intention[] {
  return [...holidays(chance), ...letters(chance), ...goodwill(chance)];
}

const questions = [
  ['Where are my leads?', 'I ordered some days ago. When do they come?'],
  ['An unknown name on my card', 'My statement shows a name that I do not know. Is that you?'],
  ['Fewer a day', 'Please send me fewer leads a day, I cannot call them all.'],
] as const;

function letters(chance: Chance): Intention[] {
  if (!chance.happens(0.1)) return [];
  const [subject, message] = chance.pick(questions);
  const deed = { kind: 'write', subject, message, callBack: chance.happens(0.2) } as const;
  return [{ afterHours: chance.between(3, 6 * DAY), deed }];
}

const GOODWILL_CENTS = 1000;

function goodwill(chance: Chance): Intention[] {
  if (!chance.happens(0.05)) return [];
  const deed = { kind: 'give-back', amountCents: GOODWILL_CENTS } as const;
  return [{ afterHours: chance.between(1 * DAY, 12 * DAY), deed }];
}

/** Some who cancel ask for their money, and support gives back all of it or a part. */
export function onCancelling(chance: Chance): Intention[] {
  if (!chance.happens(0.5)) return [];
  const amount = chance.happens(0.4) ? {} : { amountCents: GOODWILL_CENTS };
  return [{ afterHours: chance.between(1, 3 * DAY), deed: { kind: 'give-back', ...amount } }];
}

/** Usually within the time that the store promises (SUP-1). */
export function onTicket(chance: Chance): Intention {
  const deed = {
    kind: 'answer',
    answer: 'Thank you for writing. We looked into it, and all is as it should be.',
  } as const;
  return { afterHours: chance.happens(0.1) ? chance.between(4 * DAY, 7 * DAY) : chance.between(1, 40), deed };
}

/** How often a new order joins Loyalty Rewards, if it qualifies. */
export const joins = (chance: Chance): boolean => chance.happens(0.3);

const CADENCES = ['weekly', 'every-other-week', 'once-a-month'] as const;
export const cadence = (chance: Chance): string => CADENCES[chance.weighted([3, 2, 3])] as string;

/** Members stay for some months. Some put the programme on hold for some time, and the cards of some expire. */
export function onJoining(chance: Chance): Intention[] {
  const intentions: Intention[] = [{ afterHours: chance.between(20 * DAY, 200 * DAY), deed: { kind: 'leave' } }];
  if (chance.happens(0.25)) {
    const heldAfter = chance.between(2 * DAY, 60 * DAY);
    intentions.push({ afterHours: heldAfter, deed: { kind: 'hold' } });
    intentions.push({ afterHours: heldAfter + chance.between(3 * DAY, 40 * DAY), deed: { kind: 'activate' } });
  }
  if (chance.happens(0.15)) {
    const expiredAfter = chance.between(5 * DAY, 60 * DAY);
    const renewedAfter = expiredAfter + chance.between(10 * DAY, 45 * DAY);
    intentions.push({
      afterHours: expiredAfter,
      deed: { kind: 'change-card', paymentToken: 'tok_declined_expired_card' },
    });
    intentions.push({ afterHours: renewedAfter, deed: { kind: 'change-card', paymentToken: 'tok_ok' } });
    intentions.push({ afterHours: renewedAfter + 1, deed: { kind: 'activate' } });
  }
  return intentions;
}

/** After a stand-still, support says of each renewal that came too late whether it is charged after all (LOY-10). */
export const onMissedRenewal = (chance: Chance): Intention => ({
  afterHours: chance.between(2, 20),
  deed: { kind: chance.happens(0.5) ? 'release-renewal' : 'skip-renewal' },
});

/** How a customer orders: directly or through a checkout, with or without a coupon, finished or not. */
export interface WayToOrder {
  readonly checkout: boolean;
  readonly code?: string;
  readonly finishes: boolean;
}

export const coupons = [
  { code: 'WELCOME-10', discount: { percent: 10 } },
  { code: 'FIVE OFF', discount: { amountCents: 500, currency: 'USD' } },
] as const;
const MISTYPED = ['WELCOME-10 ', 'welcome-10', 'TEN-OFF'];

export function wayToOrder(chance: Chance): WayToOrder {
  if (!chance.happens(0.3)) return { checkout: false, finishes: true };
  const typed = chance.happens(0.15) ? chance.pick(MISTYPED) : chance.pick(coupons).code;
  return { checkout: true, finishes: chance.happens(0.85), ...(chance.happens(0.6) && { code: typed }) };
}

/** Customers whose own program gets their leads. */
const OWN_PROGRAM = 0.04;

/** How a customer wants to receive leads, if not in the usual way. */
export function wishesAboutMails(
  chance: Chance,
  ownProgram = OWN_PROGRAM,
): { off?: ['leads-delivered']; each?: true; webhookUrl?: string } {
  return {
    ...(chance.happens(0.05) && { off: ['leads-delivered'] as ['leads-delivered'] }),
    ...(chance.happens(0.06) && { each: true as const }),
    ...(chance.happens(ownProgram) && { webhookUrl: 'https://crm.example/leads' }),
  };
}

function holidays(chance: Chance): Intention[] {
  const pausedAfter = chance.between(0.5 * DAY, 10 * DAY);
  if (chance.happens(0.08))
    return [
      { afterHours: pausedAfter, deed: { kind: 'pause' } },
      { afterHours: pausedAfter + chance.between(1 * DAY, 12 * DAY), deed: { kind: 'restart' } },
    ];
  return chance.happens(0.03) ? [{ afterHours: chance.between(1 * DAY, 20 * DAY), deed: { kind: 'cancel' } }] : [];
}
