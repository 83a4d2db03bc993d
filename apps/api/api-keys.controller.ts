import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ID, line } from '#domain/kernel/text';
import { type ApiKeyGrant, programRoles } from '#domain/staff/api-keys';
import { exampleIds } from '#read-models/models/examples';
import type { Page } from '#read-models/queries/paging';
import { apiKey, apiKeyExample } from '#requests/api-keys';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Origins, SomeOf, Stores } from './access-fields.ts';
import { Asking } from './caller.ts';
import { Conforming, Count, InstantField, Line } from './fields.ts';
import { IdOf } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, ReadQuery, ReadRoute } from './reads.ts';
import { type AnsweredReceipt, CommandRoute, Problems } from './responses.ts';

const expiry = {
  description: 'From when on it does not work any more: at most 400 days from now.',
  example: '2026-09-01T00:00:00.000Z',
};

const formOfKey = z.strictObject({
  leadTypeId: z.string().regex(ID).describe('The lead type that its leads are sold as.'),
  source: line().describe('The source of its leads. It is stored plain: do not name a person in it.'),
  thanksPage: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .optional()
    .describe('Where a browser goes that sends the form without a script: a page of one of the origins.'),
});

class IssueApiKeyBody {
  @Line({
    description: 'What the key is for. It is stored in plain for ever: no name of a person.',
    example: 'landing pages of the spring campaign',
    maxLength: 100,
  })
  name!: string;

  @SomeOf(programRoles, { description: 'What the program may do.', example: ['lead-source'] })
  roles!: ApiKeyGrant['roles'];

  @Stores({ description: 'The stores in which the roles hold: `all`, or a list of ids.' })
  stores!: ApiKeyGrant['stores'];

  @Origins({
    description: 'The origins of web pages that may send it.',
    example: ['https://west.example'],
    optional: true,
  })
  origins?: string[];

  @Conforming(formOfKey, {
    description:
      'A form of these pages, which anybody may fill in: POST /api/forms/ID/leads with the id of the key, and without its token. Its key has no role but lead-source.',
    example: { leadTypeId: exampleIds.leadTypeId, source: 'spring-page', thanksPage: 'https://west.example/thanks' },
    optional: true,
  })
  form?: NonNullable<ApiKeyGrant['form']>;

  @InstantField(expiry)
  expiresAt!: string;
}

class RotateApiKeyBody {
  @InstantField(expiry)
  expiresAt!: string;

  @Count({
    description: 'For how many seconds the secret of before works, too; an hour when absent.',
    minimum: 0,
    maximum: 30 * 86_400,
    optional: true,
  })
  overlapSeconds?: number;
}

const HOUR = 3600;

const adds = {
  token: z
    .string()
    .optional()
    .describe(
      'Send it as `Authorization: Bearer`. It is shown this once; a repeat of the request is answered without it.',
    ),
};

const withToken = ({ token, ...receipt }: AnsweredReceipt & { token?: string }): AnsweredReceipt => ({
  ...receipt,
  ...(token !== undefined && { answer: { token } }),
});

/** Keys with which programs ask. */
@ApiTags('api-keys')
@Controller('api/api-keys')
export class ApiKeysController {
  readonly #requests: Requests['apiKeys'];
  readonly #queries: Queries['apiKeys'];

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests.apiKeys;
    this.#queries = queries.apiKeys;
  }

  @Post()
  @CommandRoute({
    summary: 'Issue a key for a program: administrators only',
    idName: 'apiKeyId',
    records: ['ApiKeyIssued'],
    creates: '/api/api-keys',
    adds,
  })
  async issueApiKey(@Body() body: IssueApiKeyBody, @Asking() context: RequestContext): Promise<AnsweredReceipt> {
    return withToken(await this.#requests.issue(body, context));
  }

  @Get()
  @ReadRoute({
    summary: 'All keys, the oldest first, with their last use, and never with their secrets: administrators only',
    answer: listOf(apiKey),
    example: { items: [apiKeyExample] },
  })
  @Problems(403)
  async listApiKeys(@Query() _: ReadQuery, @Reading() reader: Reader): Promise<Page<z.infer<typeof apiKey>>> {
    return { items: await this.#queries.list(reader) };
  }

  @Post(':apiKeyId/rotate')
  @CommandRoute({
    summary: 'Give a key a new secret: administrators only. The secret of before works for a while',
    idName: 'apiKeyId',
    records: ['ApiKeyRotated'],
    adds,
  })
  async rotateApiKey(
    @IdOf('apiKey') apiKeyId: string,
    @Body() { expiresAt, overlapSeconds = HOUR }: RotateApiKeyBody,
    @Asking() context: RequestContext,
  ): Promise<AnsweredReceipt> {
    return withToken(await this.#requests.rotate(apiKeyId, { expiresAt, overlapSeconds }, context));
  }

  @Post(':apiKeyId/revoke')
  @CommandRoute({
    summary: 'Revoke a key: administrators only. It is refused from then on',
    idName: 'apiKeyId',
    records: ['ApiKeyRevoked'],
    takesNothing: true,
  })
  revokeApiKey(@IdOf('apiKey') apiKeyId: string, @Asking() context: RequestContext) {
    return this.#requests.revoke(apiKeyId, context);
  }
}
