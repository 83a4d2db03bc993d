import { type DeclineReason, declineReasonOf } from '#domain/kernel/declines';

/** What the sandbox does with a charge. */
export type SandboxAnswer =
  | { readonly kind: 'pays'; readonly afterMilliseconds: number; readonly losesFirstAnswer: boolean }
  | { readonly kind: 'declines'; readonly reason: DeclineReason }
  | { readonly kind: 'asks-to-confirm'; readonly isConfirmed: boolean }
  | { readonly kind: 'gives-no-answer' }
  | { readonly kind: 'refuses'; readonly why: string };

interface SandboxCard {
  /** As the page of the sandbox shows it, with what may be chosen in `<…>`. */
  readonly token: string;
  readonly shape: RegExp;
  /** What becomes of a first or only charge, and of the charge of a renewal if that differs. */
  readonly about: string;
  answer(chosen: string): SandboxAnswer;
  /** Default: as to the first charge. */
  answerToRenewal?(chosen: string): SandboxAnswer;
}

const pays: SandboxAnswer = { kind: 'pays', afterMilliseconds: 0, losesFirstAnswer: false };
const declines = (word: string): SandboxAnswer => ({ kind: 'declines', reason: declineReasonOf(word || 'declined') });

/** One card for each thing that a payment provider can do. The first one that fits counts. */
export const sandboxCards: readonly SandboxCard[] = [
  { token: 'tok_ok', shape: /^tok_ok$/, about: 'It pays.', answer: () => pays },
  {
    token: 'tok_declined_<reason>',
    shape: /^tok_declined_?(.*)$/s,
    about:
      "It is declined. The reason is a provider's word, such as `insufficient_funds`, `expired_card`, `incorrect_cvc`, `authentication_required`; `tok_declined` says no more than that.",
    answer: declines,
  },
  {
    token: 'tok_delay_<milliseconds>',
    shape: /^tok_delay_(\d{1,5})$/,
    about: 'It pays after that time, at most 99999.',
    answer: (chosen) => ({ ...pays, afterMilliseconds: Number(chosen) }),
  },
  {
    token: 'tok_lost_reply',
    shape: /^tok_lost_reply$/,
    about: 'It pays, but the first answer is lost. The store asks again with the same key, and is not charged twice.',
    answer: () => ({ ...pays, losesFirstAnswer: true }),
  },
  {
    token: 'tok_no_reply',
    shape: /^tok_no_reply$/,
    about: 'The provider is out of reach: no answer ever comes, and the store goes on asking.',
    answer: () => ({ kind: 'gives-no-answer' }),
  },
  {
    token: 'tok_refused',
    shape: /^tok_refused$/,
    about: 'The provider refuses the request, as it does with a wrong key: the charge is parked for people.',
    answer: () => ({ kind: 'refuses', why: 'it refuses the request (tok_refused)' }),
  },
  {
    token: 'tok_renewal_declined_<reason>',
    shape: /^tok_renewal_declined_?(.*)$/s,
    about: 'It pays at first, and declines the charges of renewals, with the reasons of `tok_declined_<reason>`.',
    answer: () => pays,
    answerToRenewal: declines,
  },
  {
    token: 'tok_renewal_confirmed',
    shape: /^tok_renewal_confirmed$/,
    about:
      'It pays at first. At a renewal the bank wants a confirmation: the customer gets a mail with a link (to the loyalty page of the store), and has confirmed when the store looks a quarter of an hour later.',
    answer: () => pays,
    answerToRenewal: () => ({ kind: 'asks-to-confirm', isConfirmed: true }),
  },
  {
    token: 'tok_renewal_unconfirmed',
    shape: /^tok_renewal_unconfirmed$/,
    about:
      'The same, and the customer never confirms: the charge is declined when the time is over. At the last attempt it is declined at once.',
    answer: () => pays,
    answerToRenewal: () => ({ kind: 'asks-to-confirm', isConfirmed: false }),
  },
  {
    token: 'pm_…, card_…, src_…',
    shape: /^(pm|card|src)_/,
    about:
      'Cards of a store that was run with Stripe before: they are parked for people, and nothing is said about them.',
    answer: () => ({ kind: 'refuses', why: 'the card is kept by Stripe, and STRIPE_SECRET_KEY is not set' }),
  },
];

/** Every other token is declined as unknown. */
export function sandboxAnswer(token: string, isRenewal: boolean): SandboxAnswer {
  for (const { shape, answer, answerToRenewal = answer } of sandboxCards) {
    const found = shape.exec(token);
    if (found) return (isRenewal ? answerToRenewal : answer)(found[1] ?? '');
  }
  return { kind: 'declines', reason: 'unknown-card' };
}
