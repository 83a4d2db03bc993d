import { Body, Controller, Get, Inject, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { customerStream, isRegistered } from '#domain/accounts/customer';
import { Ledger } from '#wiring/ledger';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { Answers, CommandRoute, etagOf, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { Count, Id, Line, TimeZone } from './fields.ts';
import { IdOf, notFound } from './ids.ts';

class RegisterCustomerBody {
  @Id({ description: 'whose customer', example: 'main' })
  storeId!: string;

  @Line({ description: 'the company or programme the customer works for (ACC-5)', example: 'ABC Vitamins' })
  businessAssociation!: string;

  @TimeZone({ description: "where the customer's days begin", example: 'America/New_York' })
  timeZone!: string;
}

class BusinessAssociationBody {
  @Line({ description: 'the company or programme the customer works for (ACC-5)', example: 'Best Travel Club' })
  businessAssociation!: string;
}

class TimeZoneBody {
  @TimeZone({ description: 'holds for orders placed from now on', example: 'America/Chicago' })
  timeZone!: string;
}

class RatingBody {
  @Count({ description: '1 to 5', example: 4, maximum: 5 })
  rating!: number;
}

const customer = z.object({
  customerId: z.string(),
  storeId: z.string(),
  businessAssociation: z.string(),
  timeZone: z.string(),
});
const customerExample = {
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  storeId: 'main',
  businessAssociation: 'ABC Vitamins',
  timeZone: 'America/New_York',
};

@ApiTags('customers')
@Controller('api/customers')
export class CustomersController {
  readonly #requests: Requests;
  readonly #ledger: Ledger;

  constructor(@Inject(Requests) requests: Requests, @Inject(Ledger) ledger: Ledger) {
    this.#requests = requests;
    this.#ledger = ledger;
  }

  @Post()
  @CommandRoute({ summary: 'Register a customer', records: ['CustomerRegistered'], creates: '/api/customers/:id' })
  register(@Body() body: RegisterCustomerBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.registerCustomer(body, caller);
  }

  @Get(':customerId')
  @ApiOperation({ summary: 'A customer' })
  @Answers(200, 'the customer; its revision is the ETag', customer, customerExample)
  @Problems(404)
  async customer(@IdOf('customer') customerId: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const { state, revision } = await this.#ledger.read<'customer'>(customerStream(customerId));
    if (!isRegistered(state)) throw notFound('customer', customerId);
    reply.header('etag', etagOf(revision));
    return customer.parse({ customerId, ...state });
  }

  @Put(':customerId/business-association')
  @CommandRoute({ summary: 'Change whom a customer works for (ACC-4)', records: ['BusinessAssociationChanged'] })
  changeBusinessAssociation(
    @IdOf('customer') customerId: string,
    @Body() { businessAssociation }: BusinessAssociationBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.changeBusinessAssociation(customerId, businessAssociation, caller);
  }

  @Put(':customerId/time-zone')
  @CommandRoute({ summary: "Change where a customer's days begin", records: ['TimeZoneChanged'] })
  changeTimeZone(
    @IdOf('customer') customerId: string,
    @Body() { timeZone }: TimeZoneBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.changeTimeZone(customerId, timeZone, caller);
  }

  @Put(':customerId/leads/:leadId/rating')
  @CommandRoute({ summary: 'Rate a contact from 1 to 5 (RPL-1)', records: ['ContactRated'] })
  rate(
    @IdOf('customer') customerId: string,
    @IdOf('lead') leadId: string,
    @Body() { rating }: RatingBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.rateContact(customerId, leadId, rating, caller);
  }
}
