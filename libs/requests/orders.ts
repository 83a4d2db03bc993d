import { z } from 'zod';
import { customerStream } from '#domain/accounts/customer';
import { catalogueStream, leadTypeAt } from '#domain/catalogue/catalogue';
import { couponStream, isDiscountIn } from '#domain/coupons/coupon';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { isUnsealed, type Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { programmeStream } from '#domain/loyalty/programme';
import type { Advised } from '#domain/orders/instead';
import { type DailyMaximum, order, orderStream, unknownOrder } from '#domain/orders/order';
import { type ExpectedTotal, refuseOtherTotal } from '#domain/orders/total';
import { orderExample, orderRow } from '#read-models/models/orders';
import { damaged } from '#read-models/queries/damaged';
import { CannotOpenBox } from '#vault/vault';
import { sealSecret } from './account-seals.ts';
import { returnCoupon, tryCoupon } from './coupons.ts';
import { withFirstPassword } from './first-password.ts';
import { forecastOf, orderForecast } from './forecast.ts';
import type { HistoryRequest } from './histories.ts';
import { cancelByLink, orderOfLink } from './order-links.ts';
import {
  type PlaceOrderRequest,
  type Placing,
  paidWith,
  placingOf,
  refuseCurrencyLeftOut,
  withCoupon,
} from './placing.ts';
import { refuseTotal } from './provider-limits.ts';
import { asRows, type QueryDependencies, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';
import { termsOfBusiness } from './terms-of-business.ts';
import { type OrderWithoutSignIn, placeWithoutSignIn } from './without-sign-in.ts';

/** Orders: placed at once, and changed afterwards (ORD). */
export function orderRequests(tools: RequestTools) {
  const send = (orderId: string, command: CommandOf<'order'>, context: RequestContext) =>
    tools.send(orderId, orderStream(orderId), command, context);
  const { now } = tools;
  return {
    placeWithoutSignIn: (request: OrderWithoutSignIn, context: RequestContext) =>
      placeWithoutSignIn(tools, request, context),
    place: ({ password, ...request }: PlaceOrderRequest & { readonly password?: string }, context: RequestContext) =>
      withFirstPassword(tools, { customerId: request.customerId, password }, context, {
        refused: (refusal) => refusePlaced(tools, refusal, context),
        ask: () => place(tools, request, context),
      }),
    pause: (orderId: string, context: RequestContext) => pause(tools, orderId, context),
    restart: async (orderId: string, context: RequestContext) =>
      send(orderId, { type: 'RestartOrder', at: now(), ...(await adviceOn(tools, orderId)) }, context),
    cancel: async (orderId: string, context: RequestContext) =>
      send(orderId, { type: 'CancelOrder', at: now(), ...(await adviceOn(tools, orderId)) }, context),
    cancelByLink: (token: string, context: RequestContext) => cancelByLink(tools, token, context),
    changeDailyMaximum: (orderId: string, dailyMaximum: DailyMaximum, context: RequestContext) =>
      changeDailyMaximum(tools, orderId, dailyMaximum, context),
    correctTimeZone: (orderId: string, timeZone: string, context: RequestContext) =>
      send(orderId, { type: 'CorrectOrderTimeZone', at: now(), timeZone }, context),
    changePaymentCard: (orderId: string, paymentToken: string, context: RequestContext) =>
      changePaymentCard(tools, orderId, paymentToken, context),
  };
}

const refusePlaced = (tools: RequestTools, refusal: Refusal, context: RequestContext): Promise<Receipt> => {
  const id = deriveId('order', context.commandId);
  return tools.refuse(id, orderStream(id), refusal, context);
};

const NO_ORDER_YET = -1;

/** CHK-1, CAT-3: the order keeps the price, the descriptor and the policy version of this moment. */
async function place(tools: RequestTools, request: PlaceOrderRequest, context: RequestContext): Promise<Receipt> {
  const id = deriveId('order', context.commandId);
  const stream = orderStream(id);
  const { customerId, couponCode, paymentToken, expectedTotalCents, expectedCurrency, ...wishes } = request;
  const { storeId } = await tools.stateOf<'customer'>(customerStream(customerId));
  const draft = { type: 'PlaceOrder', customerId, storeId } as const;
  const refusal = checkRightEarly(stream, draft, order.initialState(), context);
  if (refusal) return tools.refuse(id, stream, refusal, context);
  const placing = await placingOf(tools, { customerId, ...wishes });
  if (isRefusal(placing)) return tools.send(id, stream, placing, context);
  const otherTotal = await refuseUnexpectedTotal(tools, placing, request);
  if (otherTotal) return tools.send(id, stream, otherTotal, context);
  const expected = { expectedTotalCents, expectedCurrency };
  const command = { ...(await paidWith(tools, placing, paymentToken)), ...expected };
  // The key was used before, or no new order is of this revision: no coupon is tried, even if the request differs.
  const { ifRevision = NO_ORDER_YET } = context;
  if (couponCode === undefined || ifRevision !== NO_ORDER_YET || (await tools.stateOf<'order'>(stream)).terms)
    return tools.send(id, stream, command, context);
  const use = { ...placing, checkoutId: id };
  const worth = await tryCoupon(tools, couponCode, use, context);
  if (isRefusal(worth)) return tools.send(id, stream, worth, context);
  const discounted = withCoupon(command, couponCode, worth);
  const notChargeable = refuseTotal(tools, discounted);
  const receipt = await tools.send(id, stream, notChargeable ?? discounted, context);
  // Another request with this key was first: the order will never have this code.
  const { terms } = await tools.stateOf<'order'>(stream);
  if (notChargeable || (terms && terms.coupon?.code !== couponCode))
    await returnCoupon(tools, couponCode, use, context);
  return receipt;
}

/** CHK-5, before a code is used up for an order that is refused. */
export async function refuseUnexpectedTotal(
  tools: RequestTools,
  placing: Placing,
  { couponCode, ...expected }: ExpectedTotal & Pick<PlaceOrderRequest, 'couponCode'>,
): Promise<Refusal | undefined> {
  const currencyLeftOut = await refuseCurrencyLeftOut(tools, placing, expected);
  if (currencyLeftOut) return currencyLeftOut;
  if (couponCode === undefined) return refuseOtherTotal(placing, expected);
  const { defined } = await tools.stateOf<'coupon'>(couponStream(couponCode));
  // A code that does not hold here is refused when it is tried.
  if (!defined || !isDiscountIn(defined.discount, placing.currency)) return undefined;
  return refuseOtherTotal(withCoupon(placing, couponCode, defined.discount), expected);
}

/** ORD-4, CHK-3: only real-time types take a maximum. */
async function changeDailyMaximum(
  tools: RequestTools,
  orderId: string,
  dailyMaximum: DailyMaximum,
  context: RequestContext,
): Promise<Receipt> {
  const stream = orderStream(orderId);
  const { terms } = await tools.stateOf<'order'>(stream);
  const { leadTypes } = await tools.stateOf<'catalogue'>(catalogueStream);
  const realTime = leadTypes.get(terms?.leadTypeId ?? '')?.freshness === 'real-time';
  const command = { type: 'ChangeDailyMaximum', at: tools.now(), dailyMaximum, realTime } as const;
  return tools.send(orderId, stream, command, context);
}

/** ORD-4. Each box differs, so the present card keeps its own: then nothing changes. */
async function changePaymentCard(
  tools: RequestTools,
  orderId: string,
  token: string,
  context: RequestContext,
): Promise<Receipt> {
  const stream = orderStream(orderId);
  const state = await tools.stateOf<'order'>(stream);
  const refusal = checkRightEarly(stream, { type: 'ChangePaymentCard' }, state, context);
  if (refusal) return tools.refuse(orderId, stream, refusal, context);
  if (!state.terms) return tools.send(orderId, stream, unknownOrder, context);
  const { customerId, paymentToken: present } = state.terms;
  const paymentToken = (await isSealedIn(tools, present, token))
    ? present
    : await sealSecret(tools.vault, customerId, 'payment-token', token);
  return tools.send(orderId, stream, { type: 'ChangePaymentCard', at: tools.now(), paymentToken }, context);
}

/** A card that an older version stored as it is, or which cannot be opened, is sealed anew. */
async function isSealedIn({ vault }: RequestTools, box: Sealed, token: string): Promise<boolean> {
  if (isUnsealed(box)) return false;
  return vault.open(box).then(
    (present) => present === token,
    (error: unknown) => {
      if (error instanceof CannotOpenBox) return false;
      throw error;
    },
  );
}

/** ORD-3: in Loyalty Rewards a pause ends automatically, after the number of days in the current policy. */
async function pause(tools: RequestTools, orderId: string, context: RequestContext): Promise<Receipt> {
  const at = tools.now();
  const [programme, { policy }] = await Promise.all([
    tools.stateOf<'programme'>(programmeStream(orderId)),
    termsOfBusiness(tools, at),
  ]);
  const restart = programme.status !== 'cancelled' &&
    policy && { afterDays: policy.policy.restartPausedAfterDays, policyVersion: policy.version };
  const advice = await adviceOn(tools, orderId);
  const command = { type: 'PauseOrder', at, ...(restart && { restart }), ...advice } as const;
  return tools.send(orderId, orderStream(orderId), command, context);
}

/** NTF-5. It is no basis of a decision: it only changes what a refusal says. */
async function adviceOn({ streams }: RequestTools, orderId: string): Promise<Advised> {
  const { state: programme } = await streams.read<'programme'>(programmeStream(orderId));
  return programme.status === 'cancelled' ? { renewsNoMore: true } : {};
}

export const orderDetails = orderRow
  .extend({
    ...orderForecast.shape,
    damaged,
    usualDelivery: z
      .string()
      .nullable()
      .describe('Usual delivery time of the lead type when it was ordered (CAT-2). Null: not set.'),
  })
  .meta({ id: 'OrderDetails' });
export type OrderDetails = z.infer<typeof orderDetails>;

export const orderDetailsExample: OrderDetails = {
  ...orderExample,
  damaged: false,
  owedLeads: 18,
  expectedFilledAt: '2026-03-07T09:30:00.000Z',
  usualDelivery: 'at once',
};

export const orderQueries = (tools: QueryTools & Pick<QueryDependencies, 'vault'>) => ({
  list: asRows(tools.rows.orders.list),
  get: (context: RequestContext, { orderId }: { orderId: string }) => getOrder(tools, context, orderId),
  /** Who has the link sees the order as its customer does. */
  async getByLink(context: RequestContext, { token }: { token: string }) {
    const linked = await orderOfLink(tools, token);
    return linked && getOrder(tools, { ...context, caller: linked.caller }, linked.orderId);
  },
  history: (context: RequestContext, { orderId, ...upTo }: { orderId: string } & HistoryRequest) =>
    tools.histories.of(context, orderStream(orderId), upTo),
});

/** ORD-7: an order with the leads owed and a forecast. */
async function getOrder(
  { rows, stateOf, now }: QueryTools,
  { caller }: RequestContext,
  orderId: string,
): Promise<OrderDetails | undefined> {
  const row = await rows.orders.find(caller, orderId);
  if (!row) return undefined;
  const catalogue = await stateOf<'catalogue'>(catalogueStream);
  const usualDelivery = leadTypeAt(catalogue, row.leadTypeId, row.placedAt)?.usualDelivery ?? null;
  return { ...row, ...forecastOf(row, now()), usualDelivery };
}
