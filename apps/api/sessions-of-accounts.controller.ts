import { Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Page } from '#read-models/queries/paging';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { type SessionHolder, session, sessionExample, signInExample, signInShown } from '#requests/sessions';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { IdOf } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, ReadQuery, ReadRoute } from './reads.ts';
import { Problems, Responds } from './responses.ts';
import { ended } from './sessions.controller.ts';

type SessionPage = Page<z.infer<typeof session>>;
type Ended = z.infer<typeof ended>;

const listing = (whose: string) =>
  ReadRoute({
    summary: `Where ${whose} is signed in, the newest first: administrators only`,
    answer: listOf(session),
    example: { items: [{ ...sessionExample, current: false }] },
  });
const ending = (whose: string) =>
  ApiOperation({
    summary: `End all sessions of ${whose}, who is told by mail: administrators only, with a Leadger-Reason. It is recorded`,
  });

/** What the owner of an account reads of former sign-ins, and what administrators do with the sessions of others. */
@ApiTags('sign-in')
@Controller('api')
export class SessionsOfAccountsController {
  readonly #queries: Queries['sessions'];
  readonly #operations: Operations;

  constructor(@Inject(QUERIES) queries: Queries, @Inject(OPERATIONS) operations: Operations) {
    this.#queries = queries.sessions;
    this.#operations = operations;
  }

  @Get('sign-ins')
  @ReadRoute({
    summary: 'The last 20 sign-ins of whoever asks, the newest first, also those whose session has ended',
    answer: listOf(signInShown),
    example: { items: [signInExample] },
  })
  async listSignIns(
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
    @Req() { identity }: FastifyRequest,
  ): Promise<Page<z.infer<typeof signInShown>>> {
    return { items: await this.#queries.listSignIns(reader, { current: identity.sessionId }) };
  }

  @Get('staff-members/:memberId/sessions')
  @listing('a member of staff')
  listSessionsOfMember(
    @IdOf('member') memberId: string,
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
  ): Promise<SessionPage> {
    return this.#list(reader, { memberId });
  }

  @Post('staff-members/:memberId/sessions/end')
  @HttpCode(200)
  @ending('a member of staff')
  @Responds(200, 'They have ended.', ended, { ended: 2 })
  @Problems(400, 401, 403, 404, 503)
  endSessionsOfMember(@IdOf('member') memberId: string, @Asking() context: RequestContext): Promise<Ended> {
    return this.#end(context, { memberId });
  }

  @Get('customers/:customerId/sessions')
  @listing('a customer')
  listSessionsOfCustomer(
    @IdOf('customer') customerId: string,
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
  ): Promise<SessionPage> {
    return this.#list(reader, { customerId });
  }

  @Post('customers/:customerId/sessions/end')
  @HttpCode(200)
  @ending('a customer')
  @Responds(200, 'They have ended.', ended, { ended: 2 })
  @Problems(400, 401, 403, 404, 503)
  endSessionsOfCustomer(@IdOf('customer') customerId: string, @Asking() context: RequestContext): Promise<Ended> {
    return this.#end(context, { customerId });
  }

  async #list(reader: Reader, holder: SessionHolder): Promise<SessionPage> {
    return { items: await this.#queries.listOf(reader, holder) };
  }

  async #end(context: RequestContext, holder: SessionHolder): Promise<Ended> {
    return { ended: await this.#operations.endSessionsOf(context, holder) };
  }
}
