import { Body, Controller, Get, Inject, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Instant } from '#domain/kernel/events';
import { type PolicyChanges, type PolicyDocument, policyChanges, policyDocument } from '#domain/policy/policy';
import { policyDecision, policyDecisionExample } from '#requests/policy-decisions';
import { policyInForce, policyVersion, policyVersionExample } from '#requests/policy-history';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { etagOf } from './conditional.ts';
import { Conforming, Count, InstantField } from './fields.ts';
import { malformed, Problem } from './problems.ts';
import { LargeReads } from './quotas.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest } from './reads.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';

class PublishPolicyBody {
  @Conforming(policyChanges, {
    description: 'The fields to change, and no others (POL-2). Null leaves out what a policy may leave out.',
    example: { returnWindowDays: 9 },
    optional: true,
    lines: 'one',
  })
  changes?: PolicyChanges;

  @Conforming(policyDocument, {
    description:
      'In place of `changes`: an edited copy of the whole policy in force. The fields in which it differs are changed.',
    optional: true,
    lines: 'one',
  })
  policy?: PolicyDocument;

  @Count({
    description: 'Of which version `policy` is a copy; of the one in force when absent.',
    optional: true,
  })
  seenVersion?: number;

  @InstantField({ description: 'From when the version holds, now or later; from now when absent.', optional: true })
  effectiveFrom?: Instant;
}

const { version, author, effectiveFrom, policy } = policyVersionExample;
const inForceExample = { version, author, effectiveFrom, policy, revision: 1 };
const VERSION = /^[1-9]\d{0,8}$/;
const policyVersions = listOf(policyVersion);
const policyDecisions = listOf(policyDecision);

@ApiTags('policy')
@Controller('api/policy')
export class PolicyController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'The policy in force now' })
  @Responds(200, 'The policy. Its ETag is what a publication sends in If-Match.', policyInForce, inForceExample)
  @Problems(404)
  async getPolicy(@Reading() reader: Reader) {
    const policy = await this.#queries.policy.get(reader);
    if (!policy) throw new Problem('no-policy', 'no policy is in force yet', { status: 404 });
    return policy;
  }

  @Get('versions')
  @ApiOperation({ summary: 'All versions of the policy, oldest first: by whom, why, and what each changes (POL-2)' })
  @Responds(200, 'The versions. Their ETag is what a publication sends in If-Match.', policyVersions, {
    items: [policyVersionExample],
  })
  async listPolicyVersions(@Reading() reader: Reader, @Res({ passthrough: true }) reply: FastifyReply) {
    const { items, revision } = await this.#queries.policy.listVersions(reader);
    reply.header('etag', etagOf(revision));
    return { items };
  }

  @Get('versions/:version/decisions')
  @UseGuards(LargeReads)
  @ApiOperation({ summary: 'What was decided by a version of the policy, oldest first (POL-2)' })
  @ApiParam({ name: 'version', description: 'The number of the version.', schema: { type: 'integer', example: 1 } })
  @Responds(200, 'The decisions. A page may have none and still a nextCursor.', policyDecisions, {
    items: [policyDecisionExample],
  })
  @Problems(400, 404, 429)
  async listPolicyDecisions(@Param('version') version: string, @Query() query: PageQuery, @Reading() reader: Reader) {
    const request = { version: VERSION.test(version) ? Number(version) : 0, ...pageRequest(query) };
    const page = await this.#queries.policy.listDecisions(reader, request);
    if (!page) throw new Problem('policy-version-unknown', `there is no version ${version}`, { status: 404 });
    return page;
  }

  @Post('versions')
  @CommandRoute({
    summary:
      'Publish a version of the policy (POL-1), with the ETag of GET /api/policy or of GET on this path, as the author saw it (POL-2)',
    records: ['PolicyPublished'],
    creates: '/api/policy/versions',
    ifMatch: 'needed',
  })
  publishPolicy(
    @Body() { changes, policy, seenVersion, effectiveFrom }: PublishPolicyBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    if ((changes === undefined) === (policy === undefined) || (changes && seenVersion))
      throw malformed(['changes', 'policy'].map((field) => ({ field, message: 'send changes, or policy, not both' })));
    const content = changes ? { changes } : { policy: policy as PolicyDocument, ...(seenVersion && { seenVersion }) };
    const request = { ...content, ...(effectiveFrom && { effectiveFrom }) };
    return this.#requests.policy.publish(request, context);
  }
}
