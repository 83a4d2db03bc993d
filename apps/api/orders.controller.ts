import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { orderStream } from '#domain/orders/order';
import type { EventStore } from '#event-store/port';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { Answers, CommandRoute, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { Count, ExactlyOneOf, Id, Line, Nested, Percentage, TimeZone } from './fields.ts';
import { HistoryQuery, history, historyExample, historyOf } from './history.ts';
import { IdOf, notFound } from './ids.ts';

class DailyMaximum {
  @Count({ description: 'leads a local day at most', example: 5, optional: true })
  leads?: number;

  @Percentage({ description: 'or a percentage of the quantity, rounded up', optional: true })
  percent?: number;
}

class PlaceOrderBody {
  @Id({ description: 'who orders', example: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10' })
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

  @Line({ description: "from the payment provider's form; the sandbox takes tok_ok", example: 'tok_ok' })
  paymentToken!: string;
}

@ApiTags('orders')
@Controller('api/orders')
export class OrdersController {
  readonly #requests: Requests;
  readonly #stores: { events: EventStore; vault: Vault };

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#stores = { events, vault };
  }

  @Post()
  @CommandRoute({ summary: 'Place an order', records: ['OrderPlaced'], creates: '/api/orders/:id' })
  place(@Body() body: PlaceOrderBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.placeOrder(body, caller);
  }

  @Post(':orderId/pause')
  @CommandRoute({ summary: 'Pause an open order (ORD-2)', records: ['OrderPaused'], takesNothing: true })
  pause(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.pauseOrder(orderId, caller);
  }

  @Post(':orderId/restart')
  @CommandRoute({ summary: 'Restart a paused order (ORD-2)', records: ['OrderRestarted'], takesNothing: true })
  restart(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.restartOrder(orderId, caller);
  }

  @Post(':orderId/cancel')
  @CommandRoute({
    summary: 'Cancel an order; what was delivered stays delivered (ORD-5)',
    records: ['OrderCancelled'],
    takesNothing: true,
  })
  cancel(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.cancelOrder(orderId, caller);
  }

  @Get(':orderId/history')
  @ApiOperation({ summary: 'All that happened to an order, up to any instant, and what it came to' })
  @Answers(200, 'the history', history, historyExample)
  @Problems(400, 404)
  async history(@IdOf('order') orderId: string, @Query() { at }: HistoryQuery) {
    const told = await historyOf(this.#stores, orderStream(orderId), at);
    if (!told) throw notFound('order', orderId);
    return told;
  }
}
