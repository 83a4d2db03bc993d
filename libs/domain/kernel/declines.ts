import { valueIn } from './table.ts';

/**
 * Why a payment was declined, for people. Payment providers also answer with texts; these repeat tokens and names, so
 * no event stores them. Version 1 of the events did: their upcasters read the code from the text.
 */
const declines = {
  'card-declined': 'the bank declined the card',
  'insufficient-funds': 'insufficient funds',
  'expired-card': 'expired card',
  'authentication-required': 'the bank wants a confirmation by the holder of the card',
  'wrong-details': 'wrong card details',
  'unknown-card': 'unknown card',
  'card-not-kept': 'the card was not kept for further payments',
  'amount-not-accepted': 'the payment provider does not charge this amount',
  'payment-details-erased': 'the payment details were erased',
  other: 'the payment provider refused it',
} as const;
export type DeclineReason = keyof typeof declines;

export const declineReasons = Object.keys(declines) as [DeclineReason, ...DeclineReason[]];

export const tellDecline = (reason: DeclineReason): string => declines[reason];

/**
 * The words of payment providers that say more than that the card was declined. A card that was reported as lost or
 * stolen is not among them: the customer is not told.
 */
const providersWords: Readonly<Record<string, DeclineReason>> = {
  declined: 'card-declined',
  card_declined: 'card-declined',
  generic_decline: 'card-declined',
  do_not_honor: 'card-declined',
  do_not_try_again: 'card-declined',
  fraudulent: 'card-declined',
  lost_card: 'card-declined',
  merchant_blacklist: 'card-declined',
  pickup_card: 'card-declined',
  restricted_card: 'card-declined',
  stolen_card: 'card-declined',
  transaction_not_allowed: 'card-declined',
  insufficient_funds: 'insufficient-funds',
  card_velocity_exceeded: 'insufficient-funds',
  withdrawal_count_limit_exceeded: 'insufficient-funds',
  expired_card: 'expired-card',
  authentication_required: 'authentication-required',
  authentication_not_handled: 'authentication-required',
  requires_action_not_handled: 'authentication-required',
  payment_intent_authentication_failure: 'authentication-required',
  requires_action: 'authentication-required',
  incorrect_address: 'wrong-details',
  incorrect_cvc: 'wrong-details',
  incorrect_number: 'wrong-details',
  incorrect_pin: 'wrong-details',
  incorrect_zip: 'wrong-details',
  invalid_account: 'wrong-details',
  invalid_cvc: 'wrong-details',
  invalid_expiry_month: 'wrong-details',
  invalid_expiry_year: 'wrong-details',
  invalid_number: 'wrong-details',
  requires_payment_method: 'wrong-details',
  unknown_token: 'unknown-card',
  amount_too_small: 'amount-not-accepted',
  amount_too_large: 'amount-not-accepted',
};

/** The code for a provider's word. What it means otherwise stays with the provider. */
export const declineReasonOf = (word: string): DeclineReason => valueIn(providersWords, word) ?? 'other';

type Data = Record<string, unknown>;

/** Version 1 kept the provider's word with spaces, sometimes in a sentence. */
export const codedReason = ({ reason, ...data }: Data): Data => ({ ...data, reason: codeIn(String(reason)) });

export const codeIn = (text: string): DeclineReason =>
  declineReasonOf(text.replace(/^the payment is /, '').replaceAll(' ', '_'));
