import { Readable } from 'node:stream';
import { Body, Controller, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Suppression, suppressions } from '#domain/leads/suppression';
import { readLeadFile } from '#requests/lead-files/lead-file';
import { type PersonReached, personReached } from '#requests/named-person';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming, OneOf } from './fields.ts';
import { formatOf } from './lead-batch.ts';
import { Problem } from './problems.ts';
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
    description: `${WHY} opt-out when absent. Staff and programs may send a do-not-call.`,
    optional: true,
  })
  suppression?: Suppression;
}

class SuppressionBatchQuery {
  @OneOf(suppressions, { description: `${WHY} do-not-call when absent.`, optional: true })
  suppression?: Suppression;
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

  constructor(@Inject(REQUESTS) requests: Requests) {
    this.#requests = requests;
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Never sell a person again (DLV-12): anybody may ask for that, by the form of the store. Buyers are told',
  })
  @Responds(200, 'No lead of the person can be sold from now on.', suppressed, { suppressed: true })
  @Problems(400, 403, 503, 507)
  async suppress(@Body() { person, suppression = 'opt-out' }: SuppressBody, @Asking() context: RequestContext) {
    await this.#requests.suppressions.suppress([{ ...person, suppression }], context);
    return { suppressed: true } as const;
  }

  @Post('batches')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Never sell the persons of a file again: CSV with a header, or one JSON object a line, as for leads',
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
  @Responds(200, 'How many persons are new.', suppressionReport, {
    suppressed: 998,
    known: 1,
    rejected: 1,
    rejections: [{ line: 17, reason: 'telephone: not a telephone number' }],
  })
  @Problems(400, 403, 415, 503, 507)
  async suppressBatch(
    @Req() { body, headers }: FastifyRequest,
    @Query() { suppression = 'do-not-call' }: SuppressionBatchQuery,
    @Asking() context: RequestContext,
  ) {
    const format = formatOf(headers['content-type']);
    if (!format || !(body instanceof Readable))
      throw new Problem('unsupported-media-type', 'persons come as text/csv or application/x-ndjson');
    const rows = readLeadFile(body, { format, unknownColumns: 'ignore', ...ofNoLead });
    return receiveSuppressions(this.#requests, rows, suppression, context);
  }
}

/** A file of persons is read as one of leads. Of a row only the contact counts. */
const ofNoLead = { leadTypeId: 'none', source: 'suppressions' };
