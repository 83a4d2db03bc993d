import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { deriveId } from '#domain/kernel/ids';
import type { PaymentNotice } from '#gateways/payment-notices';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { paymentProvider } from './caller.ts';
import { notYet } from './problems.ts';

const PATH = '/api/payment-notices';

/** Notices come from the provider's machines, through a proxy. Their signature says who sent them. */
export const isPaymentNotice = ({ routeOptions }: FastifyRequest): boolean => routeOptions.url === PATH;

/** A body as it was sent: the signature is of its bytes, so a notice is not parsed before it is checked. */
export class SignedBody {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What the payment provider tells by itself. It sends a notice again until it is answered with 200. */
@Controller('api')
export class PaymentNoticesController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Post('payment-notices')
  @HttpCode(200)
  @ApiExcludeEndpoint()
  async takeNotice(@Req() request: FastifyRequest): Promise<{ recorded: boolean }> {
    const context: RequestContext = { caller: paymentProvider, commandId: 'none', until: request.answerBy };
    const body = request.body instanceof SignedBody ? request.body.text : '';
    const signature = String(request.headers['stripe-signature'] ?? '');
    const told = await this.#queries.refunds.told(context, { body, signature });
    if (told === 'behind') throw notYet('the read models are behind');
    if (told === undefined) return { recorded: false };
    const { noticeId, orderId, reference } = told;
    const recording = { ...context, commandId: deriveId('payment-notice', noticeId) };
    const outcome = orderId ? (await this.#record(orderId, told, recording)).outcome : undefined;
    if (outcome?.kind === 'accepted') return { recorded: true };
    if (outcome?.kind === 'refused' && outcome.refusal.code === 'refund-under-way')
      throw notYet('the refund has no result yet');
    if (told.mayBeOurs) throw notYet('a charge has no result yet');
    const refund = told.kind === 'refund-returned' ? told.refundReference : undefined;
    request.log.warn(
      { kind: 'payment-notice', notice: told.kind, reference, refund },
      'a notice is about a payment or a refund that this store does not know',
    );
    return { recorded: false };
  }

  #record(orderId: string, notice: PaymentNotice, context: RequestContext) {
    if (notice.kind === 'refund-returned')
      return this.#requests.refunds.recordReturned(orderId, notice.refundId, notice.refundReference, context);
    const { disputeId, reference, amountCents, currency, stage, reason } = notice;
    return this.#requests.refunds.recordDispute(
      orderId,
      { disputeId, reference, amountCents, currency, stage, reason },
      context,
    );
  }
}
