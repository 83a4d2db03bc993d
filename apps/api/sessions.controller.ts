import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isRefusal } from '#domain/kernel/decider';
import type { Page } from '#read-models/queries/paging';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { session, sessionExample } from '#requests/sessions';
import { type Assertion, assertion } from '#requests/web-authn';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { accepted } from './factors.controller.ts';
import { Conforming, Line } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { Network } from './network.ts';
import { exampleAssertion } from './passkey-examples.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, ReadQuery, ReadRoute } from './reads.ts';
import { RelyingParties } from './relying-party.ts';
import { passOn, renewedToken } from './renewed-session.ts';
import { Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';
import { removeSessionCookie } from './session-cookie.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

class ProveFactorBody {
  @Line({
    description: 'A code of the authenticator app, or a recovery code.',
    example: '123456',
    maxLength: 40,
    unless: 'passkey',
  })
  code?: string;

  @Conforming(assertion, {
    description:
      'A passkey, in place of a code: what the browser answered to the options of POST /api/sessions/current/prove/options.',
    example: exampleAssertion,
    lines: 'one',
    unless: 'code',
  })
  passkey?: Assertion;
}

const proved = named('ProvedFactor', z.object(renewedToken));
export const ended = named('EndedSessions', z.object({ ended: z.int().describe('How many ended.') }));

/** Where somebody is signed in. What ends here is refused everywhere at once. */
@ApiTags('sign-in')
@Controller('api/sessions')
export class SessionsController {
  readonly #queries: Queries['sessions'];
  readonly #operations: Operations;
  readonly #throttle: SignInThrottle;
  readonly #parties: RelyingParties;

  constructor(
    @Inject(QUERIES) queries: Queries,
    @Inject(OPERATIONS) operations: Operations,
    @Inject(SignInThrottle) throttle: SignInThrottle,
    @Inject(RelyingParties) parties: RelyingParties,
  ) {
    this.#parties = parties;
    this.#queries = queries.sessions;
    this.#operations = operations;
    this.#throttle = throttle;
  }

  @Get()
  @ReadRoute({
    summary: 'The sessions of whoever asks, the newest first',
    answer: listOf(session),
    example: { items: [sessionExample] },
  })
  async listSessions(
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
    @Req() { identity }: FastifyRequest,
  ): Promise<Page<z.infer<typeof session>>> {
    return { items: await this.#queries.list(reader, { current: identity.sessionId }) };
  }

  @Post('current/end')
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign out: end the session that asks, and remove its cookie' })
  @Responds(200, 'It has ended.', ended, { ended: 1 })
  @Problems(401, 503)
  async signOut(
    @Asking() context: RequestContext,
    @Req() { identity: { sessionId } }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof ended>> {
    removeSessionCookie(reply);
    const hasEnded = await this.#operations.endSession(context, { sessionId: sessionId ?? '' });
    return { ended: hasEnded ? 1 : 0 };
  }

  @Post('current/prove')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Prove a second factor again: for ten minutes, the session may do what needs a fresh one. It goes on with a new token',
  })
  @Responds(200, 'It is proved.', proved, {})
  @Problems(400, 401, 403, 409, 429, 503)
  async proveFactor(
    @Body() { code, passkey: given }: ProveFactorBody,
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof proved>> {
    const { sessionId } = request.identity;
    const passkey = given && { passkey: given, party: this.#parties.of(request) };
    const prove = () => this.#operations.proveFactor(context, { code, passkey, sessionId });
    const answer = await this.#throttle.attemptSignedIn(network, context.caller.actor, prove, isRefusal);
    return passOn(accepted(answer, request).session, request, reply);
  }

  @Post('others/end')
  @HttpCode(200)
  @ApiOperation({ summary: 'End all sessions of whoever asks, but the one that asks' })
  @Responds(200, 'They have ended.', ended, { ended: 2 })
  @Problems(401, 503)
  async endOtherSessions(
    @Asking() context: RequestContext,
    @Req() { identity }: FastifyRequest,
  ): Promise<z.infer<typeof ended>> {
    return { ended: await this.#operations.endOtherSessions(context, { except: identity.sessionId }) };
  }

  @Post(':sessionId/end')
  @HttpCode(200)
  @ApiOperation({ summary: 'End one session of whoever asks' })
  @Responds(200, 'It has ended.', ended, { ended: 1 })
  @Problems(401, 404, 503)
  async endSession(
    @IdOf('session') sessionId: string,
    @Asking() context: RequestContext,
  ): Promise<z.infer<typeof ended>> {
    if (!(await this.#operations.endSession(context, { sessionId }))) throw notFound('session', sessionId);
    return { ended: 1 };
  }
}
