import { Body, Controller, Get, Inject, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { orderStatuses } from '#domain/orders/order';
import { exampleIds } from '#read-models/models/examples';
import { type OrderRow, orderExample, orderRow } from '#read-models/models/orders';
import { damaged } from '#read-models/queries/damaged';
import { orderListing } from '#read-models/queries/orders';
import { orderDetails, orderDetailsExample } from '#requests/orders';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { answerAlike } from './alike.ts';
import { Asking } from './caller.ts';
import { Code, ExactlyOneOf, FieldNames, Id, Nested, OneOf, PaymentToken, Sort, TimeZone } from './fields.ts';
import { FormThrottle } from './form-throttle.ts';
import { HistoryQuery, HistoryRoute } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { Network } from './network.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { type AnsweredReceipt, CommandRoute, Problems } from './responses.ts';
import {
  DailyMaximum,
  ExpectedCurrency,
  ExpectedTotal,
  StartCheckoutBody,
  withoutZone,
} from './start-checkout-body.ts';

/** Marked when its streams are damaged. */
const order = orderRow.extend({ damaged }).meta({ id: 'Order' });

const markedExample: z.infer<typeof order> = { ...orderExample, damaged: false };

class PlaceOrderBody extends StartCheckoutBody {
  @PaymentToken({ description: "The token of the card, from the payment provider's form. The sandbox accepts tok_ok." })
  paymentToken!: string;

  @Code({
    description: 'The code of a coupon, as the customer typed it (CPN-1).',
    example: exampleIds.couponCode,
    optional: true,
  })
  couponCode?: string;

  @ExpectedTotal()
  expectedTotalCents?: number;

  @ExpectedCurrency()
  expectedCurrency?: string;
}

class ChangeDailyMaximumBody {
  @Nested(() => DailyMaximum, { description: 'Either leads or percent of the quantity.', example: { leads: 3 } })
  @ExactlyOneOf('leads', 'percent')
  dailyMaximum!: { leads: number } | { percent: number };
}

class ChangePaymentCardBody {
  @PaymentToken({ description: "The token of the new card, from the payment provider's form." })
  paymentToken!: string;
}

class CorrectTimeZoneBody {
  @TimeZone({ description: "The IANA time zone in which the order's days begin.", example: 'America/New_York' })
  timeZone!: string;
}

class OrdersQuery extends PageQuery {
  @Id({ description: 'Orders at this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @Id({ description: 'Orders of this customer only.', optional: true })
  customerId?: string;

  @Id({ description: 'Orders of this lead type only.', example: exampleIds.leadTypeId, optional: true })
  leadTypeId?: string;

  @OneOf(orderStatuses, { description: 'Orders in this state only (ORD-1).', example: 'open', optional: true })
  status?: OrderRow['status'];

  @Sort(orderListing)
  sort?: string;

  @FieldNames(order)
  fields?: string;
}

@ApiTags('orders')
@Controller('api/orders')
export class OrdersController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  readonly #throttle: FormThrottle;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(QUERIES) queries: Queries,
    @Inject(FormThrottle) throttle: FormThrottle,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#throttle = throttle;
  }

  @Post()
  @CommandRoute({
    summary: 'Place an order',
    idName: 'orderId',
    records: ['OrderPlaced'],
    creates: '/api/orders/:id',
    hidesPlace: true,
  })
  @Problems(429)
  async placeOrder(
    @Body() { account, customerId, ...order }: PlaceOrderBody,
    @Asking() context: RequestContext,
    @Network() network: string,
  ): Promise<AnsweredReceipt> {
    const { orders } = this.#requests;
    if (account) await this.#throttle.countAccount(network, context.caller);
    return account
      ? answerAlike(orders.placeWithoutSignIn({ ...withoutZone(order), account }, context))
      : orders.place({ ...order, customerId: customerId as string }, context);
  }

  @Get()
  @ReadRoute({ summary: 'Orders, newest first', answer: listOf(order), example: { items: [markedExample] } })
  listOrders(@Query() query: OrdersQuery, @Reading() reader: Reader) {
    return this.#queries.orders.list(reader, pageRequest(query));
  }

  @Get(':orderId')
  @ReadRoute({
    summary: 'An order with its progress (ORD-7); its revision is the ETag',
    answer: orderDetails,
    example: orderDetailsExample,
  })
  async getOrder(@IdOf('order') orderId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.orders.get(reader, { orderId });
    if (!found) throw notFound('order', orderId);
    return found;
  }

  @Post(':orderId/pause')
  @CommandRoute({
    summary: 'Pause an open order (ORD-2)',
    idName: 'orderId',
    records: ['OrderPaused'],
    takesNothing: true,
  })
  pauseOrder(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.orders.pause(orderId, context);
  }

  @Post(':orderId/restart')
  @CommandRoute({
    summary: 'Restart a paused order (ORD-2)',
    idName: 'orderId',
    records: ['OrderRestarted'],
    takesNothing: true,
  })
  restartOrder(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.orders.restart(orderId, context);
  }

  @Post(':orderId/cancel')
  @CommandRoute({
    summary: 'Cancel an order; what was delivered stays delivered (ORD-5)',
    idName: 'orderId',
    records: ['OrderCancelled'],
    takesNothing: true,
  })
  cancelOrder(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.orders.cancel(orderId, context);
  }

  @Put(':orderId/daily-maximum')
  @CommandRoute({
    summary: 'Change the daily maximum (ORD-4): support only, with a Leadger-Reason; it counts for today, too',
    idName: 'orderId',
    records: ['DailyMaximumChanged'],
  })
  changeDailyMaximum(
    @IdOf('order') orderId: string,
    @Body() { dailyMaximum }: ChangeDailyMaximumBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.orders.changeDailyMaximum(orderId, dailyMaximum, context);
  }

  @Put(':orderId/time-zone')
  @CommandRoute({
    summary:
      'Correct a time zone that an older version took and nobody knows (DLV-5): support only, with a Leadger-Reason',
    idName: 'orderId',
    records: ['OrderTimeZoneCorrected'],
  })
  correctTimeZone(
    @IdOf('order') orderId: string,
    @Body() { timeZone }: CorrectTimeZoneBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.orders.correctTimeZone(orderId, timeZone, context);
  }

  @Put(':orderId/payment-card')
  @CommandRoute({
    summary: 'Charge another card from the next renewal on (ORD-4): support only, with a Leadger-Reason',
    idName: 'orderId',
    records: ['PaymentCardChanged'],
  })
  changePaymentCard(
    @IdOf('order') orderId: string,
    @Body() { paymentToken }: ChangePaymentCardBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.orders.changePaymentCard(orderId, paymentToken, context);
  }

  @Get(':orderId/history')
  @HistoryRoute('All that happened to an order, up to any instant, and the state that it led to')
  async getOrderHistory(@IdOf('order') orderId: string, @Query() { at }: HistoryQuery, @Reading() reader: Reader) {
    const found = await this.#queries.orders.history(reader, { orderId, at });
    if (!found) throw notFound('order', orderId);
    return found;
  }
}
