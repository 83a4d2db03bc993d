import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { replacementStatuses, verdicts } from '#domain/replacements/replacement';
import { exampleIds } from '#read-models/models/examples';
import { type ReplacementRow, replacementExample, replacementRow } from '#read-models/models/replacements';
import { damaged } from '#read-models/queries/damaged';
import { replacementListing } from '#read-models/queries/support';
import type { Queries } from '#requests/queries';
import { keyMissing } from '#requests/query-tools';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { FieldNames, Id, Line, OneOf, Sort, Text } from './fields.ts';
import { HistoryQuery, HistoryRoute } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { malformed } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute } from './responses.ts';

class RequestReplacementBody {
  @Id({ description: 'The order to which the lead was delivered.', example: exampleIds.orderId })
  orderId!: string;

  @Id({ description: 'The bad lead.', example: exampleIds.leadId })
  leadId!: string;

  @Line({
    description:
      'One of the reasons that the policy lists (RPL-3, RPL-4): its code or its label, in upper or lower case.',
    example: 'Disconnected telephone',
  })
  reason!: string;

  @Text({
    description:
      'What happened, for the person who verifies the return. It is not kept if the person of the lead was erased.',
    example: 'Dead line, tried twice.',
    optional: true,
  })
  note?: string;
}

class DenyReplacementBody {
  @Text({
    description: 'Why it is denied, for the customer (RPL-7).',
    example: 'The number works: we reached the person today.',
  })
  explanation!: string;
}

class CorrectReplacementBody {
  @OneOf(verdicts, { description: 'What the verdict is to be (RPL-10).', example: 'denied' })
  verdict!: (typeof verdicts)[number];

  @Text({
    description: 'Why it is denied now, for the customer. Required where `verdict` is `denied`, and only there.',
    example: 'The number works after all: we reached the person today.',
    optional: true,
  })
  explanation?: string;
}

/** A return with its texts opened. */
const replacement = replacementRow
  .extend({
    note: z
      .string()
      .nullable()
      .describe('What the customer wrote about it. Null: nothing, or the person of the lead was erased.'),
    keyMissing,
    damaged,
    explanation: z.string().nullable().describe('Why it was denied (RPL-7). Null: it was not, or it was erased.'),
  })
  .meta({ id: 'Replacement' });
type OpenedReplacement = z.infer<typeof replacement>;

const openedExample: OpenedReplacement = {
  keyMissing: false,
  damaged: false,
  ...replacementExample,
  note: 'Dead line, tried twice.',
  explanation: null,
};

class ReplacementsQuery extends PageQuery {
  @OneOf(replacementStatuses, {
    description: 'Returns in this state only; requested: the queue of those to be verified.',
    example: 'requested',
    optional: true,
  })
  status?: ReplacementRow['status'];

  @Id({ description: 'Returns at this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @Id({ description: 'Returns of this customer only.', optional: true })
  customerId?: string;

  @Sort(replacementListing)
  sort?: string;

  @FieldNames(replacement)
  fields?: string;
}

@ApiTags('replacements')
@Controller('api/replacements')
export class ReplacementsController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get()
  @ReadRoute({
    summary: 'Returns by due date, the earliest first (RPL-5)',
    answer: listOf(replacement),
    example: { items: [openedExample] },
  })
  listReplacements(@Query() query: ReplacementsQuery, @Reading() reader: Reader) {
    return this.#queries.returns.list(reader, pageRequest(query));
  }

  @Get(':replacementId')
  @ReadRoute({
    summary: 'A return; its revision is the ETag',
    answer: replacement,
    example: openedExample,
  })
  async getReplacement(@IdOf('replacement') replacementId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.returns.get(reader, { replacementId });
    if (!found) throw notFound('replacement', replacementId);
    return found;
  }

  @Get(':replacementId/history')
  @HistoryRoute('All that happened to a replacement, up to any instant, and the state that it led to (RPL-8)')
  async getReplacementHistory(
    @IdOf('replacement') replacementId: string,
    @Query() { at }: HistoryQuery,
    @Reading() reader: Reader,
  ) {
    const found = await this.#queries.returns.history(reader, { replacementId, at });
    if (!found) throw notFound('replacement', replacementId);
    return found;
  }

  @Post()
  @CommandRoute({
    summary:
      'Return a bad lead (RPL-1). A return with an invalid reason, or one that is too late, is denied at once (RPL-8)',
    idName: 'replacementId',
    records: ['ReplacementRequested'],
    creates: '/api/replacements/:id',
  })
  requestReplacement(@Body() body: RequestReplacementBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.returns.request(body, context);
  }

  @Post(':replacementId/grant')
  @CommandRoute({
    summary: 'Grant a return (RPL-6): support only, with a Leadger-Reason',
    idName: 'replacementId',
    records: ['ChargebackGranted'],
    takesNothing: true,
  })
  grantReplacement(@IdOf('replacement') replacementId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.returns.grant(replacementId, context);
  }

  @Post(':replacementId/deny')
  @CommandRoute({
    summary: 'Deny a return (RPL-7): support only, with a Leadger-Reason',
    idName: 'replacementId',
    records: ['ChargebackDenied'],
  })
  denyReplacement(
    @IdOf('replacement') replacementId: string,
    @Body() { explanation }: DenyReplacementBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.returns.deny(replacementId, explanation, context);
  }

  @Post(':replacementId/goodwill')
  @CommandRoute({
    summary:
      'Grant a replacement beyond the rules, as goodwill; the lead is not withdrawn (RPL-11): support only, with a Leadger-Reason',
    idName: 'replacementId',
    records: ['GoodwillGranted'],
    takesNothing: true,
  })
  grantGoodwill(@IdOf('replacement') replacementId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.returns.grantGoodwill(replacementId, context);
  }

  @Post(':replacementId/correct')
  @CommandRoute({
    summary:
      'Correct a verdict (RPL-10): a denial at any time, a grant until its replacement was delivered. Support only, with a Leadger-Reason',
    idName: 'replacementId',
    records: ['CorrectionRequested'],
  })
  correctReplacement(
    @IdOf('replacement') replacementId: string,
    @Body() { verdict, explanation }: CorrectReplacementBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    if ((verdict === 'denied') !== (explanation !== undefined))
      throw malformed([{ field: 'explanation', message: 'must be given for a denial, and only for a denial' }]);
    return this.#requests.returns.correct(replacementId, explanation, context);
  }
}
