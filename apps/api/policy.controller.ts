import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Instant } from '#domain/kernel/events';
import {
  defaultPolicy,
  type PolicyDocument,
  type PolicyVersion,
  policyDocument,
  policyEvents,
} from '#domain/policy/policy';
import type { Page } from '#read-models/queries/paging';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming, InstantField } from './fields.ts';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';

class PublishPolicyBody {
  @Conforming(policyDocument, {
    description: 'The whole policy: all numbers and lists, not only the new ones.',
    example: defaultPolicy,
  })
  policy!: PolicyDocument;

  @InstantField({ description: 'From when the policy holds, now or later; from now when absent.', optional: true })
  effectiveFrom?: Instant;
}

const policyVersion = named(
  'PolicyVersion',
  policyEvents.PolicyPublished.pick({
    version: true,
    author: true,
    effectiveFrom: true,
    policy: true,
  }),
);
const policyVersions = listOf(policyVersion);
const anExample = { version: 1, author: 'staff:ada', effectiveFrom: '2026-03-01T09:30:00.000Z', policy: defaultPolicy };

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
  @Responds(200, 'The policy.', policyVersion, anExample)
  @Problems(404)
  async getPolicy(@Reading() reader: Reader) {
    const policy = await this.#queries.policy.get(reader);
    if (!policy) throw new Problem('no-policy', 'no policy is in force yet', { status: 404 });
    return policy;
  }

  @Get('versions')
  @ApiOperation({ summary: 'All versions of the policy, oldest first' })
  @Responds(200, 'The versions.', policyVersions, { items: [anExample] })
  async listPolicyVersions(@Reading() reader: Reader): Promise<Page<PolicyVersion>> {
    return { items: await this.#queries.policy.listVersions(reader) };
  }

  @Post('versions')
  @CommandRoute({ summary: 'Publish a policy (POL-1)', records: ['PolicyPublished'], creates: '/api/policy/versions' })
  publishPolicy(@Body() body: PublishPolicyBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.policy.publish(body, context);
  }
}
