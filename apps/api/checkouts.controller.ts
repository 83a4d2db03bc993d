import { Body, Controller, Get, Inject, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { exampleIds } from '#read-models/models/examples';
import { type CheckoutDetails, checkoutDetails } from '#requests/checkout-details';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { answerAlike } from './alike.ts';
import { Asking } from './caller.ts';
import { Code, PaymentToken } from './fields.ts';
import { FormThrottle } from './form-throttle.ts';
import { IdOf, notFound } from './ids.ts';
import { Network } from './network.ts';
import { type Reader, Reading } from './reading.ts';
import { type AnsweredReceipt, CommandRoute, Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';
import {
  ExpectedCurrency,
  ExpectedTotal,
  FirstPassword,
  StartCheckoutBody,
  WishesBody,
  withoutZone,
} from './start-checkout-body.ts';

/** The whole of what is wished now. The customer and the lead type stay. */
class QuoteCheckoutBody extends WishesBody {}

class UseCouponBody {
  @Code({ description: 'The code as the customer typed it: every character counts (CPN-1).', example: 'SPRING 26-2' })
  couponCode!: string;
}

class PlaceCheckoutBody {
  @PaymentToken({ description: "The token of the card, from the payment provider's form. The sandbox accepts tok_ok." })
  paymentToken!: string;

  @FirstPassword()
  password?: string;

  @ExpectedTotal()
  expectedTotalCents?: number;

  @ExpectedCurrency()
  expectedCurrency?: string;
}

const checkoutExample: CheckoutDetails = {
  checkoutId: exampleIds.checkoutId,
  status: 'started',
  customerId: exampleIds.customerId,
  storeId: exampleIds.storeId,
  leadTypeId: exampleIds.leadTypeId,
  quantity: 25,
  pricePerLeadCents: 1000,
  discountCents: 2500,
  totalCents: 22_500,
  currency: 'USD',
  couponCode: 'SPRING 26-2',
  bonusLeads: 3,
  dailyMaximum: 5,
  timeZone: 'America/New_York',
  cadence: 'weekly',
  renewals: [{ renewalNumber: 1, dueAt: '2026-03-08T09:30:00.000Z', bonusLeads: 3, totalCents: 25_000 }],
  policyVersion: 1,
  statementDescriptor: 'LEADGER',
  quotedAt: '2026-03-01T09:30:00.000Z',
  giveUpAt: '2026-03-02T09:30:00.000Z',
  revision: 3,
};

@ApiTags('checkout')
@Controller('api/checkouts')
export class CheckoutsController {
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
    summary: 'Start a checkout (CHK-1); it is refused at once where the order could not be placed',
    idName: 'checkoutId',
    records: ['CheckoutStarted', 'CheckoutQuoted'],
    creates: '/api/checkouts/:id',
    hidesPlace: true,
  })
  @Problems(429)
  async startCheckout(
    @Body() { account, customerId, ...wishes }: StartCheckoutBody,
    @Asking() context: RequestContext,
    @Network() network: string,
  ): Promise<AnsweredReceipt> {
    const { checkouts } = this.#requests;
    if (account) await this.#throttle.countAccount(network, context.caller);
    return account
      ? answerAlike(checkouts.startWithoutSignIn({ ...withoutZone(wishes), account }, context))
      : checkouts.start({ ...wishes, customerId: customerId as string }, context);
  }

  @Post(':checkoutId/quote')
  @CommandRoute({
    summary:
      'Wish something else, or ask for the terms of this moment: what the checkout shows is recorded anew (CHK-5)',
    idName: 'checkoutId',
    records: ['CheckoutQuoted'],
    hidesPlace: true,
  })
  quoteCheckout(
    @IdOf('checkout') checkoutId: string,
    @Body() body: QuoteCheckoutBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.checkouts.quote(checkoutId, body, context);
  }

  @Get(':checkoutId')
  @ApiOperation({ summary: 'What the order costs, when it renews, and what the card statement will show (CHK-5)' })
  @Responds(200, 'The checkout.', named('Checkout', checkoutDetails), checkoutExample)
  @Problems(404)
  async getCheckout(@IdOf('checkout') checkoutId: string, @Reading() reader: Reader): Promise<CheckoutDetails> {
    const found = await this.#queries.checkouts.get(reader, { checkoutId });
    if (!found) throw notFound('checkout', checkoutId);
    return found;
  }

  @Put(':checkoutId/coupon')
  @CommandRoute({
    summary: 'Use a coupon: an accepted code is used up for the customer, even if the checkout is not placed (CPN-2)',
    idName: 'checkoutId',
    records: ['CheckoutCouponTaken', 'CheckoutQuoted'],
    hidesPlace: true,
  })
  useCoupon(
    @IdOf('checkout') checkoutId: string,
    @Body() { couponCode }: UseCouponBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.checkouts.useCoupon(checkoutId, couponCode, context);
  }

  @Post(':checkoutId/place')
  @CommandRoute({
    summary: 'Place the order that the checkout shows (CHK-5); a repeat answers the same order',
    idName: 'orderId',
    records: ['OrderPlaced'],
    ifMatch: 'taken',
    creates: '/api/orders/:id',
    hidesPlace: true,
  })
  @Problems(429)
  placeCheckout(
    @IdOf('checkout') checkoutId: string,
    @Body() placement: PlaceCheckoutBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.checkouts.place(checkoutId, placement, context);
  }
}
