import type { Chance } from './chance.ts';
import type { Trouble } from './lead-supply.ts';
import { troubles } from './lead-supply.ts';

/** What people do of themselves, some hours after something happened. */
export interface Intention {
  readonly afterHours: number;
  readonly deed: Deed;
}

export type Deed =
  | { readonly kind: 'rate'; readonly rating: number }
  | { readonly kind: 'return'; readonly reason: string; readonly note?: string }
  | { readonly kind: 'grant' }
  | { readonly kind: 'deny'; readonly explanation: string }
  | { readonly kind: 'pause' | 'restart' | 'cancel' };

const DAY = 24;

const invalidReasons = [
  'not interested',
  'cannot be reached',
  'no voice mail possible',
  'bad e-mail address',
  'already in network marketing',
];

const notes = [
  'Tried three times on two days.',
  'A recording says that the number is not in service.',
  'She says that she never asked for anything.',
  'Please send another one.',
];

/** A customer telephones a lead. Whoever finds something wrong mostly returns it, some too late; few return a good one. */
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

/** Staff telephone too: they grant what is true, and now and then let a request lie too long (RPL-5). */
export function onRequest(chance: Chance, reason: string, trouble: Trouble | undefined): Intention {
  return {
    afterHours: chance.happens(0.05) ? chance.between(7.1 * DAY, 10 * DAY) : chance.between(4, 6.5 * DAY),
    deed:
      reason === trouble
        ? { kind: 'grant' }
        : { kind: 'deny', explanation: `We called the person ourselves and did not find "${reason}" to be true.` },
  };
}

/** Some go on holiday; few cancel. */
export function onPayment(chance: Chance): Intention[] {
  const pausedAfter = chance.between(0.5 * DAY, 10 * DAY);
  if (chance.happens(0.08))
    return [
      { afterHours: pausedAfter, deed: { kind: 'pause' } },
      { afterHours: pausedAfter + chance.between(1 * DAY, 12 * DAY), deed: { kind: 'restart' } },
    ];
  return chance.happens(0.03) ? [{ afterHours: chance.between(1 * DAY, 20 * DAY), deed: { kind: 'cancel' } }] : [];
}
