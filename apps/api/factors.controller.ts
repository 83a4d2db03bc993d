import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { exampleIds } from '#read-models/models/examples';
import { ownFactors, ownFactorsExample } from '#requests/factors';
import type { NewSession } from '#requests/identities';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { OPERATIONS, QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { GivenPassword, Line } from './fields.ts';
import { IdOf } from './ids.ts';
import { Network } from './network.ts';
import { problemOfRefusal } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { ReadQuery, ReadRoute } from './reads.ts';
import { passOn, renewedToken } from './renewed-session.ts';
import { type AnsweredReceipt, CommandRoute, Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

class ConfirmTotpBody {
  @Line({ description: 'A code of the authenticator app.', example: '123456', maxLength: 40 })
  code!: string;

  @GivenPassword({ description: 'The password, for the first factor of the account.', optional: true })
  currentPassword?: string;
}

const recoveryCodes = z
  .array(z.string())
  .optional()
  .describe('Each can be used once in place of a code of the app. They are shown this once.');
export const exampleCodes = ['k3vq-8m2x-z7pd-w4hs-j6tb-n5rc'];

const offered = {
  secret: z.string().optional().describe('For an app that reads no address. It is shown this once.'),
  address: z.string().optional().describe('For an authenticator app (otpauth://), mostly as a picture.'),
};
export const added = named(
  'AddedFactor',
  z.object({ factorId: z.string().describe('The factor.'), recoveryCodes, ...renewedToken }),
);
const removed = named('RemovedFactor', z.object({ factorId: z.string().describe('The factor.'), ...renewedToken }));

/** Second factors of whoever asks: authenticator apps (RFC 6238), passkeys and recovery codes. */
@ApiTags('sign-in')
@Controller('api/factors')
export class FactorsController {
  readonly #requests: Requests['factors'];
  readonly #queries: Queries['factors'];
  readonly #operations: Operations;
  readonly #throttle: SignInThrottle;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(QUERIES) queries: Queries,
    @Inject(OPERATIONS) operations: Operations,
    @Inject(SignInThrottle) throttle: SignInThrottle,
  ) {
    this.#requests = requests.factors;
    this.#queries = queries.factors;
    this.#operations = operations;
    this.#throttle = throttle;
  }

  @Get()
  @ReadRoute({ summary: 'The factors of whoever asks', answer: ownFactors, example: ownFactorsExample })
  getFactors(@Query() _: ReadQuery, @Reading() reader: Reader): Promise<z.infer<typeof ownFactors>> {
    return this.#queries.get(reader);
  }

  @Post('totp')
  @CommandRoute({
    summary: 'Begin to add an authenticator app: it counts once a code of it was sent',
    idName: 'factorId',
    records: ['TotpOffered'],
    creates: '/api/factors',
    takesNothing: true,
    adds: offered,
  })
  async offerTotp(@Asking() context: RequestContext): Promise<AnsweredReceipt> {
    const { offer, ...receipt } = await this.#requests.offerTotp(context);
    return { ...receipt, ...(offer && { answer: offer }) };
  }

  @Post('totp/:factorId/confirm')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Add the authenticator app, with a code of it, and the password if it is the first factor. Recovery codes come with the first factor. The session goes on with a new token; others that proved no factor end',
  })
  @Responds(200, 'The factor counts.', added, { factorId: exampleIds.factorId, recoveryCodes: exampleCodes })
  @Problems(400, 401, 403, 404, 409, 429, 503)
  async confirmTotp(
    @IdOf('factor') factorId: string,
    @Body() { code, currentPassword }: ConfirmTotpBody,
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof added>> {
    const { sessionId } = request.identity;
    const add = () => this.#operations.addTotp(context, { factorId, code, currentPassword, sessionId });
    const answer = accepted(
      await this.#throttle.attemptSignedIn(network, context.caller.actor, add, isRefusal),
      request,
    );
    return { factorId, recoveryCodes: answer.recoveryCodes?.slice(), ...passOn(answer.session, request, reply) };
  }

  @Post('recovery-codes')
  @CommandRoute({
    summary: 'Make new recovery codes: those of before are good for nothing',
    records: ['RecoveryCodesIssued'],
    takesNothing: true,
    adds: { recoveryCodes },
  })
  async issueRecoveryCodes(@Asking() context: RequestContext): Promise<AnsweredReceipt> {
    const { recoveryCodes: codes, ...receipt } = await this.#requests.issueRecoveryCodes(context);
    return { ...receipt, ...(codes && { answer: { recoveryCodes: codes } }) };
  }

  @Post(':factorId/remove')
  @HttpCode(200)
  @ApiOperation({ summary: 'Remove a factor: all other sessions of the account end' })
  @Responds(200, 'It is removed.', removed, { factorId: exampleIds.factorId })
  @Problems(400, 401, 403, 404, 409, 503)
  async removeFactor(
    @IdOf('factor') factorId: string,
    @Asking() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof removed>> {
    const { sessionId } = request.identity;
    const { session } = await this.#operations.removeFactor(context, { factorId, sessionId });
    return { factorId, ...passOn(session, request, reply) };
  }
}

/** @throws Problem */
export function accepted<Answer extends { readonly session: NewSession | undefined }>(
  answer: Answer | Refusal,
  { params }: FastifyRequest,
): Answer {
  if (isRefusal(answer)) throw problemOfRefusal(answer, params as Record<string, string>);
  return answer as Answer;
}
