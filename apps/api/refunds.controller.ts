import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { disputeStages } from '#domain/orders/refunds';
import { type Finding, findings } from '#domain/orders/unknown-payments';
import {
  type DisputeRow,
  disputeExample,
  disputeRow,
  type RefundRow,
  refundExample,
  refundRow,
  refundStatuses,
} from '#read-models/models/refunds';
import { damaged } from '#read-models/queries/damaged';
import { disputeListing, refundListing } from '#read-models/queries/refunds';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Count, FieldNames, Id, MOST_CENTS, OneOf, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { notYet } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute } from './responses.ts';

/** Marked when their order's stream is damaged. */
const refund = refundRow.extend({ damaged }).meta({ id: 'Refund' });
const oneRefund = refund
  .extend({
    revision: z.int().describe('How often it has changed: the ETag, and what If-Match of its commands compares.'),
  })
  .meta({ id: 'OneRefund' });
const dispute = disputeRow.extend({ damaged }).meta({ id: 'Dispute' });

const markedRefund: z.infer<typeof refund> = { ...refundExample, damaged: false };
const markedDispute: z.infer<typeof dispute> = { ...disputeExample, damaged: false };

class GiveBackBody {
  @Count({
    description: 'Which payment: the number of its renewal. 0, or absent: the payment of the order itself.',
    example: 0,
    minimum: 0,
    optional: true,
  })
  renewalNumber?: number;

  @Count({
    description:
      'How much, in minor units of the currency; never more than was paid and not given back. Absent: all that is left.',
    example: 2500,
    maximum: MOST_CENTS,
    optional: true,
  })
  amountCents?: number;
}

class ResolvePaymentBody {
  @OneOf(findings, { description: 'What the payment provider shows about the charge.', example: 'captured' })
  result!: Finding['result'];

  @Id({
    description: 'The payment, as the provider names it. Only of one that was captured.',
    example: 'pi_3PqL8x2eZvKYlo2C',
    optional: true,
  })
  reference?: string;
}

class RefundsQuery extends PageQuery {
  @Id({ description: 'Refunds of this order only.', optional: true })
  orderId?: string;

  @OneOf(refundStatuses, {
    description: 'Refunds in this state only, for example those that are stuck.',
    optional: true,
  })
  status?: RefundRow['status'];

  @Sort(refundListing)
  sort?: string;

  @FieldNames(refund)
  fields?: string;
}

class DisputesQuery extends PageQuery {
  @Id({ description: 'Disputes about payments of this order only.', optional: true })
  orderId?: string;

  @OneOf(disputeStages, { description: 'Disputes at this stage only.', optional: true })
  stage?: DisputeRow['stage'];

  @Sort(disputeListing)
  sort?: string;

  @FieldNames(dispute)
  fields?: string;
}

/** Money that is given back, charges of which nobody knew the result, and payments that are disputed (CHK-6). */
@ApiTags('refunds')
@Controller('api')
export class RefundsController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get('refunds')
  @ReadRoute({
    summary: 'Refunds of payments, newest first (CHK-6)',
    answer: listOf(refund),
    example: { items: [markedRefund] },
  })
  listRefunds(@Query() query: RefundsQuery, @Reading() reader: Reader) {
    return this.#queries.refunds.list(reader, pageRequest(query));
  }

  @Get('refunds/:refundId')
  @ReadRoute({
    summary: 'A refund, and whether it is made; its revision is the ETag',
    answer: oneRefund,
    example: { ...markedRefund, revision: markedRefund.changes },
  })
  async getRefund(@IdOf('refund') refundId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.refunds.get(reader, { refundId });
    if (!found) throw notFound('refund', refundId);
    return found;
  }

  @Get('disputes')
  @ReadRoute({
    summary: 'Payments that were disputed at the bank of their card, newest first (CHK-6)',
    answer: listOf(dispute),
    example: { items: [markedDispute] },
  })
  listDisputes(@Query() query: DisputesQuery, @Reading() reader: Reader) {
    return this.#queries.refunds.disputes(reader, pageRequest(query));
  }

  @Post('orders/:orderId/unknown-payment/resolve')
  @CommandRoute({
    summary:
      'Record what the payment provider shows about an unknown payment (CHK-4, LOY-8): support only, with a Leadger-Reason',
    idName: 'orderId',
    records: ['PaymentCapturedTooLate', 'PaymentNotCaptured', 'RenewalPaid', 'RenewalNotCaptured'],
  })
  async resolvePayment(
    @IdOf('order') orderId: string,
    @Body() body: ResolvePaymentBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    const { reference } = body;
    const known = reference === undefined ? [] : await this.#queries.refunds.paymentsNamed(context, { reference });
    if (known === 'behind') throw notYet('the read models are behind');
    return this.#requests.refunds.resolve(orderId, { ...body, known }, context);
  }

  @Post('orders/:orderId/refunds')
  @CommandRoute({
    summary: 'Give back a payment of an order, or a part of it (CHK-6): support only, with a Leadger-Reason',
    idName: 'refundId',
    records: ['RefundWished'],
    creates: '/api/refunds/:id',
  })
  giveBack(
    @IdOf('order') orderId: string,
    @Body() body: GiveBackBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.refunds.wish(orderId, body, context);
  }

  @Post('orders/:orderId/refunds/:refundId/retry')
  @CommandRoute({
    summary: 'Ask the provider again for a refund that failed (CHK-6): support only, with a Leadger-Reason',
    idName: 'refundId',
    records: ['RefundRetried'],
    takesNothing: true,
  })
  retryRefund(
    @IdOf('order') orderId: string,
    @IdOf('refund') refundId: string,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.refunds.retry(orderId, refundId, context);
  }

  @Post('orders/:orderId/refunds/:refundId/settle')
  @CommandRoute({
    summary:
      'Record that the money of a refund that is stuck was given back in another way (CHK-6): support only, with a Leadger-Reason',
    idName: 'refundId',
    records: ['RefundSettled'],
    takesNothing: true,
  })
  settleRefund(
    @IdOf('order') orderId: string,
    @IdOf('refund') refundId: string,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.refunds.settle(orderId, refundId, context);
  }
}
