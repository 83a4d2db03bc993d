import { z } from 'zod';
import { type Decider, type Decision, type Refusal, refuse, undecided } from '../kernel/decider.ts';
import { cents, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { currency, id, shortStoreText, storeText } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { isCurrency } from '../kernel/minor-units.ts';
import { percentOf } from '../kernel/percent.ts';
import {
  customerInCommand,
  ownerOrSupportWithoutReason,
  type RightsOf,
  staffWith,
  staffWithReason,
  support,
} from '../kernel/rights.ts';
import { isTypable, TYPABLE_CODE } from './typable.ts';

/** One coupon code: its discount, where and when it is valid, and who used it (CPN). */
export const couponStream = (code: string) => `coupon-${couponIdOf(code)}` as const;

/** A code is any text, compared character by character (CPN-1). */
export const couponIdOf = (code: string): string => deriveId('coupon', code);

const share = z.strictObject({ percent: z.number().positive().max(100).describe('A share of the price.') });
const amount = z.strictObject({
  amountCents: cents.positive().describe('An amount off the price, in minor units of its currency.'),
  currency: currency
    .optional()
    .describe('The currency of the amount. Absent on coupons of an older version: that of each price.'),
});

/** Either a share of the price, or an amount. */
export const discount = z.union([share, amount]);
export type Discount = z.infer<typeof discount>;

/** What a new coupon takes off: an amount names its currency. */
export const newDiscount = z.union(
  [
    share,
    amount.extend({
      currency: currency
        .refine(isCurrency, 'must be a currency code of ISO 4217, like USD')
        .describe('The currency of the amount (ISO 4217). Prices in another one are not reduced.'),
    }),
  ],
  'must be either {"percent": …} up to 100, or {"amountCents": …, "currency": …}',
);

/** Whether it is a discount on prices in this currency. */
export const isDiscountIn = (worth: Discount, priceCurrency: string | undefined): boolean =>
  'percent' in worth || worth.currency === undefined || worth.currency === priceCurrency;

const definition = {
  code: shortStoreText(100).describe('The code; every character counts (CPN-1).'),
  storeIds: z.array(id).min(1).describe('The stores at which it is valid.'),
  leadTypeIds: z.array(id).min(1).optional().describe('The lead types for which it is valid; all when absent.'),
  discount: discount.describe('What it takes off the price.'),
  validFrom: instant.describe('From when it is valid.'),
  validUntil: instant.optional().describe('The last instant at which it is valid; absent: for ever.'),
  totalLimit: z.int().positive().optional().describe('How many customers may use it in all; absent: any number.'),
};

/** CPN-3. */
const couponRefusalReasons = [
  'unknown',
  'not-this-store',
  'expired',
  'not-yet-valid',
  'wrong-lead-type',
  'used-up',
  'tried-before',
] as const;
export type CouponRefusalReason = (typeof couponRefusalReasons)[number];

export const couponEvents = {
  CouponDefined: fact(definition),
  /** A new code for one customer, in place of one that is used up (CPN-4). */
  AlternativeCouponGiven: fact({ ...definition, customerId: id, insteadOf: storeText }),
  CouponUsed: fact({ code: storeText, customerId: id, checkoutId: id, discount }),
  /** The checkout did not take it after all: it is as if the customer had not tried it (CPN-2). */
  CouponReturned: fact({ code: storeText, customerId: id, checkoutId: id }),
  /**
   * The customer has another code in its place (CPN-4). From here on this one gives no discount, wherever it was tried.
   * `checkoutId`: where it was tried; for an alternative that ended untried, where the code before it was.
   */
  CouponReplaced: fact({ code: storeText, customerId: id, checkoutId: id, by: storeText }),
  /** Recorded because the business asks who tried which code, and when (CPN-2, CPN-3). */
  CouponRefused: fact({
    code: storeText.describe('A code of the store. A text that is no code is recorded nowhere.'),
    customerId: id,
    checkoutId: id,
    reason: z.enum(couponRefusalReasons),
    triedAt: instant.optional(),
  }),
  /** Nobody can use it any more. Uses until here stay (CAT-5). */
  CouponRetired: fact({ code: storeText }),
  CouponReopened: fact({ code: storeText }),
};
export type CouponEvent = EventsOf<typeof couponEvents>;

type DataOf<Type extends CouponEvent['type']> = Extract<CouponEvent, { type: Type }>['data'];
export type CouponDefinition = Omit<DataOf<'CouponDefined'>, 'at'>;

type CouponCommand =
  | ({ type: 'DefineCoupon'; at: Instant } & CouponDefinition)
  | ({ type: 'GiveAlternativeCoupon'; at: Instant; insteadOf: string } & OfCustomer & CouponDefinition)
  | {
      type: 'TryCoupon';
      at: Instant;
      customerId: string;
      checkoutId: string;
      storeId: string;
      leadTypeId: string;
      /** That of the price. Undefined where the checkout of an older version shows none. */
      currency?: string | undefined;
    }
  | ({ type: 'ReturnCoupon'; at: Instant } & Use)
  /**
   * `by`: the new code. Only the use that was looked at is replaced. `formerly`: the code that was named before, which the
   * customer was not given: it is another coupon.
   */
  | ({ type: 'ReplaceCoupon'; at: Instant; by: string; formerly?: string } & Use)
  | { type: 'RetireCoupon' | 'ReopenCoupon'; at: Instant };

/** `storeId`: of the customer, for the rights of staff. */
interface OfCustomer {
  readonly customerId: string;
  readonly storeId?: string | undefined;
}

interface Use extends OfCustomer {
  readonly checkoutId: string;
}

/** Who may ask for which command. */
export const couponRights = {
  DefineCoupon: staffWith(['catalogue-manager'], 'CPN-3'),
  GiveAlternativeCoupon: support('CPN-4'),
  TryCoupon: ownerOrSupportWithoutReason(customerInCommand, 'CHK-1'),
  ReturnCoupon: ownerOrSupportWithoutReason(customerInCommand, 'CPN-2'),
  ReplaceCoupon: support('CPN-4'),
  RetireCoupon: staffWithReason(['catalogue-manager'], 'CAT-5'),
  ReopenCoupon: staffWithReason(['catalogue-manager'], 'CAT-5'),
} satisfies RightsOf<CouponCommand, CouponState>;

export interface CouponState {
  defined: CouponDefinition | undefined;
  /** The only customer who may use it, for an alternative code from support. */
  customerId: string | undefined;
  /** The code that it replaces. */
  insteadOf: string | undefined;
  /** Customer → its first try, which uses the code up for this customer. */
  readonly uses: Map<string, { readonly at: Instant; readonly checkoutId: string }>;
  /** Checkout → why its try was refused, so that a repeat is not recorded twice. */
  readonly refused: Map<string, CouponRefusalReason>;
  /** Customer → the code that it has instead, and when and where it tried this one. */
  readonly replaced: Map<string, { readonly by: string; readonly triedAt: Instant; readonly checkoutId: string }>;
  isRetired: boolean;
}

export const coupon: Decider<CouponState, CouponCommand, CouponEvent> = {
  initialState: () => ({
    defined: undefined,
    customerId: undefined,
    insteadOf: undefined,
    uses: new Map(),
    refused: new Map(),
    replaced: new Map(),
    isRetired: false,
  }),

  decide(command, state): Decision<CouponEvent> {
    switch (command.type) {
      case 'DefineCoupon': {
        const { type: _, ...data } = command;
        if (state.defined) return isSame(state.defined, data) && !state.customerId ? [] : defined(data.code);
        return nonsenseIn(data) ?? withoutCurrency(data) ?? [{ type: 'CouponDefined', data }];
      }
      case 'GiveAlternativeCoupon': {
        const { type: _, storeId: __, ...data } = command;
        if (state.defined)
          return state.customerId === data.customerId && state.insteadOf === data.insteadOf ? [] : defined(data.code);
        return nonsenseIn(data) ?? [{ type: 'AlternativeCouponGiven', data }];
      }
      case 'TryCoupon':
        return tryIt(command, state);
      case 'ReturnCoupon':
        return giveBack(command, state);
      case 'ReplaceCoupon':
        return replace(command, state);
      case 'RetireCoupon':
      case 'ReopenCoupon':
        return setRetired(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'CouponDefined':
        state.defined = event.data;
        break;
      case 'AlternativeCouponGiven':
        state.defined = event.data;
        state.customerId = event.data.customerId;
        state.insteadOf = event.data.insteadOf;
        break;
      case 'CouponUsed':
        state.uses.set(event.data.customerId, { at: event.data.at, checkoutId: event.data.checkoutId });
        break;
      case 'CouponRefused':
        state.refused.set(event.data.checkoutId, event.data.reason);
        break;
      case 'CouponReturned':
        state.uses.delete(event.data.customerId);
        break;
      case 'CouponReplaced': {
        const { at, customerId, checkoutId, by } = event.data;
        const triedAt = state.replaced.get(customerId)?.triedAt ?? state.uses.get(customerId)?.at ?? at;
        state.replaced.set(customerId, { by, triedAt, checkoutId });
        break;
      }
      case 'CouponRetired':
      case 'CouponReopened':
        state.isRetired = event.type === 'CouponRetired';
        break;
      default:
        event satisfies never;
    }
    return state;
  },
};

/**
 * The first try uses the code up for the customer, even if the checkout is not finished (CPN-2); the same checkout may
 * try again. A refused try is recorded, and does not use the code up.
 */
function tryIt(command: Extract<CouponCommand, { type: 'TryCoupon' }>, state: CouponState): Decision<CouponEvent> {
  const { at, customerId, checkoutId } = command;
  const { defined } = state;
  // What was typed may be anything, a name too: only codes of the store are recorded.
  if (!defined) return invalidCoupon('unknown');
  const { code, discount } = defined;
  const used = state.uses.get(customerId);
  const replaced = state.replaced.get(customerId);
  if (used?.checkoutId === checkoutId && !replaced) return [];
  const reason = reasonAgainst(command, defined, state);
  if (reason === undefined) return [{ type: 'CouponUsed', data: { at, code, customerId, checkoutId, discount } }];
  if (state.refused.get(checkoutId) === reason) return [];
  const earlier = replaced?.triedAt ?? used?.at;
  const triedAt = reason === 'tried-before' && earlier !== undefined ? { triedAt: earlier } : {};
  return [{ type: 'CouponRefused', data: { at, code, customerId, checkoutId, reason, ...triedAt } }];
}

type Command<Type extends CouponCommand['type']> = Extract<CouponCommand, { type: Type }>;

const isUsedFor = ({ uses }: CouponState, { customerId, checkoutId }: Use): boolean =>
  uses.get(customerId)?.checkoutId === checkoutId;

/** A refused attempt does not use the code up (CPN-2). */
function giveBack({ at, customerId, checkoutId }: Command<'ReturnCoupon'>, state: CouponState): Decision<CouponEvent> {
  const { defined } = state;
  if (!defined || !isUsedFor(state, { customerId, checkoutId })) return [];
  return [{ type: 'CouponReturned', data: { at, code: defined.code, customerId, checkoutId } }];
}

/** CPN-4: one alternative at a time. An alternative that ended untried may be replaced, too. */
function replace(command: Command<'ReplaceCoupon'>, state: CouponState): Decision<CouponEvent> {
  const { at, customerId, checkoutId, by, formerly } = command;
  const { defined, replaced } = state;
  const present = replaced.get(customerId)?.by;
  if (present === by) return [];
  if (present !== undefined && present !== formerly) return couponReplaced(present);
  const isReplaceable = present !== undefined || isUsedFor(state, command) || endedUntried(state, customerId, at);
  if (!defined || !isReplaceable) return couponNotUsed;
  return [{ type: 'CouponReplaced', data: { at, code: defined.code, customerId, checkoutId, by } }];
}

/** Whether it is the alternative of this customer, who can never use it any more. */
export const endedUntried = (
  { defined, customerId: only, uses, isRetired }: CouponState,
  customerId: string,
  at: Instant,
): boolean => {
  const isOver = isRetired || (defined?.validUntil !== undefined && at > defined.validUntil);
  return only === customerId && !uses.has(customerId) && isOver;
};

/** CAT-5. A checkout that took the code before keeps its discount. */
function setRetired(
  { type, at }: Command<'RetireCoupon' | 'ReopenCoupon'>,
  { defined, isRetired }: CouponState,
): Decision<CouponEvent> {
  if (!defined) return unknownCoupon;
  if (isRetired === (type === 'RetireCoupon')) return [];
  const event = type === 'RetireCoupon' ? 'CouponRetired' : 'CouponReopened';
  return [{ type: event, data: { at, code: defined.code } }];
}

type Try = Extract<CouponCommand, { type: 'TryCoupon' }>;

/** CPN-3, in the order in which they are checked. */
const reasons: readonly (readonly [
  CouponRefusalReason,
  (tried: Try, coupon: CouponDefinition, state: CouponState) => boolean,
])[] = [
  ['unknown', ({ customerId }, _, state) => state.customerId !== undefined && state.customerId !== customerId],
  ['not-this-store', ({ storeId }, { storeIds }) => !storeIds.includes(storeId)],
  // It is an amount in the currency of other stores.
  ['not-this-store', ({ currency }, { discount }) => !isDiscountIn(discount, currency)],
  ['tried-before', ({ customerId }, _, { uses, replaced }) => uses.has(customerId) || replaced.has(customerId)],
  ['expired', (_, __, { isRetired }) => isRetired],
  ['not-yet-valid', ({ at }, { validFrom }) => at < validFrom],
  ['expired', ({ at }, { validUntil }) => validUntil !== undefined && at > validUntil],
  [
    'wrong-lead-type',
    ({ leadTypeId }, { leadTypeIds }) => leadTypeIds !== undefined && !leadTypeIds.includes(leadTypeId),
  ],
  ['used-up', (_, { totalLimit }, { uses }) => totalLimit !== undefined && uses.size >= totalLimit],
];

const reasonAgainst = (tried: Try, coupon: CouponDefinition, state: CouponState): CouponRefusalReason | undefined =>
  reasons.find(([, holds]) => holds(tried, coupon, state))?.[0];

/** The result of the try of one checkout. */
export function tryOf(state: CouponState, customerId: string, checkoutId: string): Discount | Refusal {
  const used = state.uses.get(customerId);
  const replaced = state.replaced.get(customerId);
  if (used?.checkoutId === checkoutId && !replaced) return (state.defined as CouponDefinition).discount;
  return invalidCoupon(state.refused.get(checkoutId) ?? 'unknown', replaced?.triedAt ?? used?.at);
}

/** CPN-3: one message for all, and the reason for programs; with `tried-before` also the instant of that try (CPN-2). */
export const invalidCoupon = (reason: CouponRefusalReason, triedAt?: Instant): Refusal => ({
  ...refuse('invalid-coupon', 'invalid coupon', 'CPN-3'),
  details: { reason, ...(reason === 'tried-before' && triedAt && { triedAt }) },
});

/** The discount on a price, in whole cents and never more than the price. */
export const discountCentsOf = (worth: Discount, priceCents: number): number =>
  Math.min(priceCents, 'percent' in worth ? Math.floor(percentOf(priceCents, worth.percent)) : worth.amountCents);

export const couponNotUsed = refuse('coupon-not-used', 'the customer has not used this code up', 'CPN-4');

export const unknownCoupon = refuse('coupon-unknown', 'there is no such coupon', 'CAT-5');

export const couponReplaced = (by: string): Refusal => ({
  ...refuse('coupon-replaced', `the customer has ${JSON.stringify(by)} in place of this code`, 'CPN-4'),
  details: { couponCode: by },
});

const defined = (code: string) =>
  refuse('coupon-exists', `the code ${JSON.stringify(code)} is already defined`, 'CPN-1');

function nonsenseIn({ code, validFrom, validUntil }: CouponDefinition): Refusal | undefined {
  if (!isTypable(code)) return refuse('coupon-code-untypable', `a code must be ${TYPABLE_CODE}`, 'CPN-1');
  if (validUntil === undefined || validUntil >= validFrom) return undefined;
  return refuse('coupon-never-valid', 'validUntil lies before validFrom', 'CPN-3');
}

/** An alternative may have the amount of a first code of an older version. */
const withoutCurrency = ({ discount }: CouponDefinition): Refusal | undefined =>
  'amountCents' in discount && discount.currency === undefined
    ? refuse('coupon-without-currency', 'an amount off the price needs its currency', 'CPN-3')
    : undefined;

function isSame(known: CouponDefinition, asked: CouponDefinition & { at: Instant }): boolean {
  const plain = (value: object) => JSON.stringify({ ...value, at: undefined });
  const keys = Object.keys(couponEvents.CouponDefined.shape);
  const pick = (value: object) => Object.fromEntries(keys.map((key) => [key, (value as Record<string, unknown>)[key]]));
  return plain(pick(known)) === plain(pick(asked));
}
