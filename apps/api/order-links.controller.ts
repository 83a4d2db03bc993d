import { Controller, Get, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type OrderDetails, orderDetails, orderDetailsExample } from '#requests/orders';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';

const tokenOfLink = { name: 'token', description: 'The token in the link of the mail.', example: 'token-of-the-link' };

/** The owner of an address sees and cancels what was ordered with it (ACC-7): the mails of such an order have a link. */
@ApiTags('orders')
@Controller('api/order-links')
export class OrderLinksController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get(':token')
  @ApiOperation({ summary: 'The order that was placed without sign-in, by the link in its mails (ACC-7). No sign-in' })
  @ApiParam(tokenOfLink)
  @Responds(200, 'The order with its progress (ORD-7).', orderDetails, orderDetailsExample)
  @Problems(404)
  async getLinkedOrder(@Param('token') token: string, @Reading() reader: Reader): Promise<OrderDetails> {
    const found = await this.#queries.orders.getByLink(reader, { token });
    if (!found) throw new Problem('not-found', 'there is no order with this link, or the link has ended');
    return found;
  }

  @Post(':token/cancel')
  @ApiParam(tokenOfLink)
  @CommandRoute({
    summary: 'Cancel the order of a link in a mail (ORD-5, ACC-7). No sign-in',
    idName: 'orderId',
    records: ['OrderCancelled'],
    takesNothing: true,
  })
  cancelLinkedOrder(@Param('token') token: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.orders.cancelByLink(token, context);
  }
}
