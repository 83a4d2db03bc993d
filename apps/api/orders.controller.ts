import { Body, Controller, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { CommandRoute } from './answers.ts';
import { Asking } from './caller.ts';
import { Count, ExactlyOneOf, Id, Line, Nested, Percentage, TimeZone } from './fields.ts';
import { IdOf } from './ids.ts';

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

  constructor(@Inject(Requests) requests: Requests) {
    this.#requests = requests;
  }

  @Post()
  @CommandRoute({ summary: 'Place an order', records: ['OrderPlaced'], creates: '/api/orders/:id' })
  place(@Body() body: PlaceOrderBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.placeOrder(body, caller);
  }

  @Post(':orderId/pause')
  @CommandRoute({ summary: 'Pause an open order (ORD-2)', records: ['OrderPaused'] })
  pause(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.pauseOrder(orderId, caller);
  }

  @Post(':orderId/restart')
  @CommandRoute({ summary: 'Restart a paused order (ORD-2)', records: ['OrderRestarted'] })
  restart(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.restartOrder(orderId, caller);
  }

  @Post(':orderId/cancel')
  @CommandRoute({ summary: 'Cancel an order; what was delivered stays delivered (ORD-5)', records: ['OrderCancelled'] })
  cancel(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.cancelOrder(orderId, caller);
  }
}
