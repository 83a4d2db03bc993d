import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Suppression, suppressions } from '#domain/leads/suppression';
import { suppressionsLifted, suppressionsLiftedExample } from '#requests/lifted-suppressions';
import { type PersonReached, personReached } from '#requests/named-person';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { suppressionList, suppressionListExample } from '#requests/suppression-lists';
import { OPERATIONS, QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming, Id, OneOf } from './fields.ts';
import { FileQuery, fileOptions, notAFile } from './file-query.ts';
import { FormThrottle } from './form-throttle.ts';
import { Network } from './network.ts';
import { malformed } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest } from './reads.ts';
import { Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';
import { receiveSuppressions, suppressionReport } from './suppression-batch.ts';

const WHY = '`opt-out`: the person asked for it. `do-not-call`: the person stands on a list.';

class SuppressBody {
  @Conforming(personReached, {
    description: 'The person, by a telephone number, an e-mail address or both. Only keyed hashes of them are stored.',
    example: { telephone: '+1 212 555 0142' },
  })
  person!: PersonReached;

  @OneOf(suppressions, {
    description: `${WHY} opt-out when absent. Staff may send a do-not-call.`,
    optional: true,
  })
  suppression?: Suppression;
}

class SuppressionBatchQuery extends FileQuery {
  @OneOf(suppressions, { description: `${WHY} do-not-call when absent.`, optional: true })
  suppression?: Suppression;

  @Id({
    description:
      'The list, by which it can be lifted: staff name it. It is stored plain: do not name a person in it. When absent: the list do-not-call; opt-outs are of no list then.',
    example: 'state-registry-2026-03',
    optional: true,
  })
  listId?: string;

  @OneOf(['ignore', 'refuse'], {
    description:
      'What to do with columns of CSV of which we know nothing: ignore them (when absent), or refuse the file. Columns with numbers and addresses are recognised by their names.',
    optional: true,
  })
  unknownColumns?: 'ignore' | 'refuse';
}

class LiftSuppressionsBody {
  @Conforming(personReached, {
    description: 'One person, whatever suppresses them. Each number and address is lifted by itself: name all.',
    example: { telephone: '+1 212 555 0142' },
    optional: true,
  })
  person?: PersonReached;

  @Id({
    description:
      'Instead of a person: a list. Who is on another list as well, or opted out by their own request, stays suppressed.',
    optional: true,
  })
  listId?: string;
}

const suppressed = named(
  'Suppressed',
  z.object({ suppressed: z.literal(true).describe('The same whether the store knew the person or not.') }),
);

/** Persons who are not sold any more (DLV-12). */
@ApiTags('suppressions')
@Controller('api/suppressions')
export class SuppressionsController {
  readonly #requests: Requests;
  readonly #queries: Queries;
  readonly #operations: Operations;
  readonly #throttle: FormThrottle;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(QUERIES) queries: Queries,
    @Inject(OPERATIONS) operations: Operations,
    @Inject(FormThrottle) throttle: FormThrottle,
  ) {
    this.#throttle = throttle;
    this.#requests = requests;
    this.#queries = queries;
    this.#operations = operations;
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Never sell a person again (DLV-12): anybody may ask for that, by the form of the store. Buyers are told',
  })
  @Responds(200, 'No lead of the person can be sold from now on.', suppressed, { suppressed: true })
  @Problems(400, 403, 429, 503, 507)
  async suppress(
    @Body() { person, suppression = 'opt-out' }: SuppressBody,
    @Asking() context: RequestContext,
    @Network() network: string,
  ) {
    await this.#throttle.countSuppression(network, context.caller);
    await this.#requests.suppressions.suppress([{ ...reachedBy(person), suppression }], context);
    return { suppressed: true } as const;
  }

  @Post('batches')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Never sell the persons of a file again: CSV, also without a header if it has one column, or one JSON object a line',
    requestBody: {
      required: true,
      description: 'Sending the same file again changes nothing. Only keyed hashes of it are stored.',
      content: {
        'text/csv': { schema: { type: 'string' }, example: 'telephone\r\n+1 212 555 0163\r\n' },
        'application/x-ndjson': {
          schema: { type: 'string' },
          example: '{"contact":{"telephone":"+1 212 555 0147"}}\n',
        },
      },
    },
  })
  @Responds(200, 'How many persons are new, and why others are not suppressed.', suppressionReport, {
    ...{ rows: 1000, suppressed: 998, known: 1, rejected: 1 },
    rejections: [{ line: 17, reason: 'telephone: not a telephone number' }],
    incomplete: 1,
    incompleteRows: [{ line: 20, reason: 'email: Invalid email address' }],
    reading: { encoding: 'utf-8', delimiter: ',', ignoredColumns: ['Name'], keptColumns: [] },
  })
  @Problems(400, 403, 415, 503, 507)
  async suppressBatch(
    @Req() { body, headers }: FastifyRequest,
    @Query() { suppression = 'do-not-call', listId, ...query }: SuppressionBatchQuery,
    @Asking() context: RequestContext,
  ) {
    if (!(body instanceof Readable)) throw notAFile();
    const options = fileOptions(headers['content-type'], query);
    const by = { suppression, ...(listId !== undefined && { listId }) };
    return receiveSuppressions(this.#requests, body, options, by, context);
  }

  @Get('lists')
  @ApiOperation({ summary: 'The lists that name persons who are not sold, by name: staff only' })
  @Responds(200, 'The lists, also those that were lifted.', listOf(suppressionList), {
    items: [suppressionListExample],
  })
  @Problems(400, 403, 503)
  listSuppressionLists(@Query() query: PageQuery, @Reading() reader: Reader) {
    return this.#queries.suppressions.listLists(reader, pageRequest(query));
  }

  @Post('lift')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Lift the suppressions of a person, or all that a list made: support only, with a Leadger-Reason. What was withdrawn stays withdrawn',
  })
  @Responds(200, 'The persons may be sold again, as new leads.', suppressionsLifted, suppressionsLiftedExample)
  @Problems(400, 403, 409, 503, 507)
  liftSuppressions(@Body() { person, listId }: LiftSuppressionsBody, @Asking() context: RequestContext) {
    if (person !== undefined && listId === undefined) return this.#operations.liftSuppressions(context, { person });
    if (listId !== undefined && person === undefined) return this.#operations.liftSuppressions(context, { listId });
    throw malformed([{ field: 'person', message: 'name either a person or a list' }]);
  }
}

const reachedBy = ({ telephone, email }: PersonReached) => ({
  telephones: telephone === undefined ? [] : [telephone],
  emails: email === undefined ? [] : [email],
});
