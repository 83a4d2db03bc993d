import { Body, Controller, Get, Inject, Post, Put, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { CustomerRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { READ_MODELS } from '#wiring/tokens';
import { CommandRoute, etagOf } from './answers.ts';
import { Asking } from './caller.ts';
import { Id, Line, TimeZone } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { PageQuery, pageOf, pageRequest, ReadQuery, ReadRoute } from './reads.ts';

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

class CustomersQuery extends PageQuery {
  @Id({ description: 'customers of this store only', example: 'main', optional: true })
  storeId?: string;
}

const customer = z.object({
  customerId: z.string(),
  storeId: z.string(),
  businessAssociation: z.string(),
  businessKey: z.string().describe('what businesses are compared by (DLV-3)'),
  timeZone: z.string(),
  registeredAt: z.string(),
  revision: z.int(),
}) satisfies z.ZodType<CustomerRow>;

const customerExample = {
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  storeId: 'main',
  businessAssociation: 'ABC Vitamins',
  businessKey: 'abcvitamins',
  timeZone: 'America/New_York',
  registeredAt: '2026-03-01T09:30:00.000Z',
  revision: 0,
};

@ApiTags('customers')
@Controller('api/customers')
export class CustomersController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];

  constructor(@Inject(Requests) requests: Requests, @Inject(READ_MODELS) { queries }: ReadModels) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({ summary: 'Register a customer', records: ['CustomerRegistered'], creates: '/api/customers/:id' })
  register(@Body() body: RegisterCustomerBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.registerCustomer(body, caller);
  }

  @Get()
  @ReadRoute({
    summary: 'Customers, newest first',
    answer: pageOf(customer),
    example: { items: [customerExample] },
  })
  list(@Query() query: CustomersQuery) {
    return this.#queries.listCustomers(pageRequest(query));
  }

  @Get(':customerId')
  @ReadRoute({ summary: 'A customer; its revision is the ETag', answer: customer, example: customerExample })
  async find(
    @IdOf('customer') customerId: string,
    @Query() _: ReadQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = await this.#queries.findCustomer(customerId);
    if (!found) throw notFound('customer', customerId);
    reply.header('etag', etagOf(found.revision));
    return found;
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
}
