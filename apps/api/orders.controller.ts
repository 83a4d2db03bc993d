import { Body, Controller, Get, Inject, Post, Put, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { catalogueStream } from '#domain/catalogue/catalogue';
import { orderStream } from '#domain/orders/order';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { OrderRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { Ledger } from '#wiring/ledger';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { CLOCK, EVENT_STORE, READ_MODELS, VAULT } from '#wiring/tokens';
import { CommandRoute, etagOf, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { exampleIds } from './examples.ts';
import {
  Code,
  Count,
  ExactlyOneOf,
  FieldNames,
  Id,
  Line,
  Nested,
  OneOf,
  PaymentToken,
  Percentage,
  Sort,
  TimeZone,
} from './fields.ts';
import { progressOf } from './forecast.ts';
import { HistoryQuery, HistoryRoute, historyOf } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

class DailyMaximum {
  @Count({ description: 'leads a local day at most', example: 5, optional: true })
  leads?: number;

  @Percentage({ description: 'or a percentage of the quantity, rounded up', optional: true })
  percent?: number;
}

class LoyaltyRewards {
  @Line({ description: "how often the order is to be renewed: one of the policy's renewalCadences", example: 'weekly' })
  cadence!: string;
}

/** What is wanted, before anything is paid (CHK-1). */
export class StartCheckoutBody {
  @Id({ description: 'The customer who orders.', example: exampleIds.customerId })
  customerId!: string;

  @Id({ description: 'what is ordered', example: 'exclusive-real-time' })
  leadTypeId!: string;

  @Count({ description: 'leads ordered', example: 25 })
  quantity!: number;

  @Nested(() => DailyMaximum, {
    description: 'either leads or percent; real-time types only, and always there (CHK-1, CHK-3)',
    example: { leads: 5 },
    optional: true,
  })
  @ExactlyOneOf('leads', 'percent')
  dailyMaximum?: { leads: number } | { percent: number };

  @TimeZone({ description: "where the order's days begin; the customer's own when absent", optional: true })
  timeZone?: string;

  @Nested(() => LoyaltyRewards, {
    description: 'to join Loyalty Rewards (LOY-1); types that qualify only (CAT-4)',
    example: { cadence: 'weekly' },
    optional: true,
  })
  loyalty?: LoyaltyRewards;
}

class PlaceOrderBody extends StartCheckoutBody {
  @PaymentToken({ description: "from the payment provider's form; the sandbox takes tok_ok" })
  paymentToken!: string;

  @Code({ description: 'a coupon, as it was typed (CPN-1)', example: 'SPRING 26', optional: true })
  couponCode?: string;
}

class ChangeDailyMaximumBody {
  @Nested(() => DailyMaximum, { description: 'either leads or percent of the quantity', example: { leads: 3 } })
  @ExactlyOneOf('leads', 'percent')
  dailyMaximum!: { leads: number } | { percent: number };
}

class ChangePaymentCardBody {
  @PaymentToken({ description: "of the new card, from the payment provider's form" })
  paymentToken!: string;
}

const statuses = ['awaiting-payment', 'payment-failed', 'open', 'paused', 'filled', 'cancelled'] as const;

const order = z.object({
  orderId: z.string(),
  customerId: z.string(),
  storeId: z.string(),
  leadTypeId: z.string(),
  status: z.enum(statuses),
  quantity: z.int(),
  bonusLeads: z.int(),
  orderedLeads: z.int().describe('quantity and bonus of the first order and all its renewals'),
  renewals: z.int().describe('how often Loyalty Rewards re-opened it (LOY-2)'),
  loyaltyCadence: z.string().nullable().describe('null outside Loyalty Rewards; see /api/programmes'),
  dailyMaximum: z.int().nullable().describe('leads a local day; null for batch types (CHK-3)'),
  timeZone: z.string(),
  pricePerLeadCents: z.int(),
  totalCents: z.int(),
  currency: z.string(),
  statementDescriptor: z.string().describe('what the card statement shows (STO-2)'),
  policyVersion: z.int(),
  deliveredLeads: z.int().describe('replacements do not count (ORD-6)'),
  replacementsOwed: z.int(),
  replacementsDelivered: z.int(),
  placedAt: z.string(),
  paidAt: z.string().nullable(),
  pausedAt: z.string().nullable(),
  restartsAt: z.string().nullable().describe('when it restarts by itself; null: it waits for the customer (ORD-3)'),
  lastDeliveredAt: z.string().nullable(),
  waitingSince: z
    .string()
    .nullable()
    .describe('the last delivery, or when it was opened last; of a refused payment, the refusal'),
  closedAt: z.string().nullable().describe('when it was filled, cancelled, or its payment failed'),
  declineReason: z.string().nullable(),
  maximumReachedOn: z.string().nullable().describe('the last local day on which the daily maximum was reached'),
  revision: z.int(),
}) satisfies z.ZodType<OrderRow>;

const orderWithProgress = order.extend({
  owedLeads: z.int().describe('of what was ordered, bonus and renewals included'),
  expectedFilledAt: z.string().nullable().describe('if leads go on coming as they have so far; no promise (ORD-7)'),
  usualDelivery: z.string().nullable().describe('the usual delivery time of the lead type (CAT-2)'),
});

const orderExample: z.input<typeof order> = {
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  storeId: 'main',
  leadTypeId: 'exclusive-real-time',
  status: 'open',
  quantity: 25,
  bonusLeads: 0,
  orderedLeads: 25,
  renewals: 0,
  loyaltyCadence: null,
  dailyMaximum: 5,
  timeZone: 'America/New_York',
  pricePerLeadCents: 1000,
  totalCents: 25_000,
  currency: 'USD',
  statementDescriptor: 'LEADGER',
  policyVersion: 1,
  deliveredLeads: 7,
  replacementsOwed: 0,
  replacementsDelivered: 1,
  placedAt: '2026-03-01T09:30:00.000Z',
  paidAt: '2026-03-01T09:30:01.000Z',
  pausedAt: null,
  restartsAt: null,
  lastDeliveredAt: '2026-03-02T15:12:40.000Z',
  waitingSince: '2026-03-02T15:12:40.000Z',
  closedAt: null,
  declineReason: null,
  maximumReachedOn: '2026-03-01',
  revision: 11,
};

class OrdersQuery extends PageQuery {
  @Id({ description: 'orders at this store only', example: 'main', optional: true })
  storeId?: string;

  @Id({ description: 'orders of this customer only', optional: true })
  customerId?: string;

  @Id({ description: 'orders of this lead type only', example: 'exclusive-real-time', optional: true })
  leadTypeId?: string;

  @OneOf(statuses, { description: 'orders in this state only (ORD-1)', example: 'open', optional: true })
  status?: OrderRow['status'];

  @Sort('placedAt', '-placedAt')
  sort?: string;

  @FieldNames(order)
  fields?: string;
}

@ApiTags('orders')
@Controller('api/orders')
export class OrdersController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #stores: { events: EventStore; vault: Vault };

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(Ledger) ledger: Ledger,
    @Inject(CLOCK) clock: Clock,
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#stores = { events, vault };
  }

  @Post()
  @CommandRoute({ summary: 'Place an order', answers: 'orderId', records: ['OrderPlaced'], creates: '/api/orders/:id' })
  placeOrder(@Body() body: PlaceOrderBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.placeOrder(body, caller);
  }

  @Get()
  @ReadRoute({ summary: 'Orders, newest first', answer: listOf('Order', order), example: { items: [orderExample] } })
  listOrders(@Query() query: OrdersQuery) {
    return this.#queries.listOrders(pageRequest(query));
  }

  @Get(':orderId')
  @ReadRoute({
    summary: 'An order with its progress (ORD-7); its revision is the ETag',
    answer: named('OrderDetails', orderWithProgress),
    example: {
      ...orderExample,
      owedLeads: 18,
      expectedFilledAt: '2026-03-07T09:30:00.000Z',
      usualDelivery: 'at once',
    },
  })
  async getOrder(
    @IdOf('order') orderId: string,
    @Query() _: ReadQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = await this.#queries.findOrder(orderId);
    if (!found) throw notFound('order', orderId);
    reply.header('etag', etagOf(found.revision));
    const { state: catalogue } = await this.#ledger.read<'catalogue'>(catalogueStream);
    const usualDelivery = catalogue.leadTypes.get(found.leadTypeId)?.usualDelivery ?? null;
    return { ...found, ...progressOf(found, this.#clock.now()), usualDelivery };
  }

  @Post(':orderId/pause')
  @CommandRoute({
    summary: 'Pause an open order (ORD-2)',
    answers: 'orderId',
    records: ['OrderPaused'],
    takesNothing: true,
  })
  pauseOrder(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.pauseOrder(orderId, caller);
  }

  @Post(':orderId/restart')
  @CommandRoute({
    summary: 'Restart a paused order (ORD-2)',
    answers: 'orderId',
    records: ['OrderRestarted'],
    takesNothing: true,
  })
  restartOrder(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.restartOrder(orderId, caller);
  }

  @Post(':orderId/cancel')
  @CommandRoute({
    summary: 'Cancel an order; what was delivered stays delivered (ORD-5)',
    answers: 'orderId',
    records: ['OrderCancelled'],
    takesNothing: true,
  })
  cancelOrder(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.cancelOrder(orderId, caller);
  }

  @Put(':orderId/daily-maximum')
  @CommandRoute({
    summary: 'Change the daily maximum (ORD-4): support only, with a Leadger-Reason; counts for today, too',
    answers: 'orderId',
    records: ['DailyMaximumChanged'],
  })
  @Problems(403)
  changeDailyMaximum(
    @IdOf('order') orderId: string,
    @Body() { dailyMaximum }: ChangeDailyMaximumBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.changeDailyMaximum(orderId, dailyMaximum, caller);
  }

  @Put(':orderId/payment-card')
  @CommandRoute({
    summary: 'Charge another card from the next renewal on (ORD-4): support only, with a Leadger-Reason',
    answers: 'orderId',
    records: ['PaymentCardChanged'],
  })
  @Problems(403)
  changePaymentCard(
    @IdOf('order') orderId: string,
    @Body() { paymentToken }: ChangePaymentCardBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.changePaymentCard(orderId, paymentToken, caller);
  }

  @Get(':orderId/history')
  @HistoryRoute('All that happened to an order, up to any instant, and the state that it led to')
  async getOrderHistory(@IdOf('order') orderId: string, @Query() { at }: HistoryQuery) {
    const found = await historyOf(this.#stores, orderStream(orderId), at);
    if (!found) throw notFound('order', orderId);
    return found;
  }
}
