import type { ProviderLimits } from './payments.ts';
import { multipleOf } from './stripe-amounts.ts';

/** https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in the currency's minor units (ISO 4217). */
const smallestCharges: Readonly<Record<string, number>> = {
  ...{ AED: 200, AUD: 50, BRL: 50, CAD: 50, CHF: 50, CZK: 1500, DKK: 250, EUR: 50, GBP: 30, HKD: 400, HUF: 17_500 },
  ...{ INR: 50, JPY: 50, MXN: 1000, MYR: 200, NOK: 300, NZD: 50, PLN: 200, RON: 200, SEK: 300, SGD: 50, THB: 1000 },
  USD: 50,
};

/** A statement shows `PREFIX* SUFFIX`, of 22 characters (https://docs.stripe.com/get-started/account/statement-descriptors). */
const STATEMENT_LENGTH = 22;
const SEPARATOR_LENGTH = 2;
/** The longest prefix that an account can have. */
const LONGEST_PREFIX = 10;
const NOT_ON_STATEMENTS = /[<>\\'"*]|[^\x20-\x7e]/g;

/** How many characters stay for the store's descriptor. `prefix`: the account's; undefined: not known, so the longest. */
const suffixLength = (prefix: string | undefined): number =>
  STATEMENT_LENGTH - SEPARATOR_LENGTH - (prefix?.length ?? LONGEST_PREFIX);

/** What of a descriptor goes on the statement, after the prefix. Undefined: it has no letter, so the prefix stands alone. */
export function suffixOf(descriptor: string, prefix: string | undefined): string | undefined {
  const suffix = descriptor.replace(NOT_ON_STATEMENTS, '').slice(0, suffixLength(prefix)).trim();
  return /[A-Za-z]/.test(suffix) ? suffix : undefined;
}

export const stripeLimits = (prefix?: string): ProviderLimits => ({
  amountsOf: (currency) => ({ smallest: smallestCharges[currency] ?? 1, multipleOf: multipleOf(currency) }),
  refuseDescriptor(descriptor) {
    const longest = suffixLength(prefix);
    if (suffixOf(descriptor, prefix) === descriptor) return undefined;
    return `Stripe shows at most ${longest} characters after the prefix of the account, with a letter, and none of < > \\ ' " *`;
  },
  // Without a letter the prefix stands alone; where it is not known, there is nothing better to say.
  shownDescriptor: (descriptor) => suffixOf(descriptor, prefix) ?? prefix ?? descriptor,
});
