import { randomUUID } from 'node:crypto';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { exampleIds } from '#read-models/models/examples';
import type { NewSession } from '#requests/identities';
import type { Operations } from '#requests/operations';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { type Assertion, assertion } from '#requests/web-authn';
import { OPERATIONS, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming, Email, Flag, GivenPassword, Line, NewPassword } from './fields.ts';
import { Network } from './network.ts';
import { exampleAssertion } from './passkey-examples.ts';
import { Problem } from './problems.ts';
import { RelyingParties } from './relying-party.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';
import { browserIn, setBrowserCookie, setSessionCookie } from './session-cookie.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

class SignInBody {
  @Email({ description: 'The whole address, in exact case (ACC-2).' })
  email!: string;

  @GivenPassword({ description: 'The password, in exact case.' })
  password!: string;

  @Line({
    description:
      'A code of the authenticator app, or a recovery code: for accounts with a second factor. Without it, they are answered `factor-needed`.',
    example: '123456',
    maxLength: 40,
    optional: true,
  })
  code?: string;

  @Conforming(assertion, {
    description:
      'A passkey of the account, in place of a code: what the browser answered to the options of POST /api/sign-ins/passkey/options.',
    example: exampleAssertion,
    lines: 'one',
    optional: true,
  })
  passkey?: Assertion;

  @Flag({
    description:
      'For programs: the answer has the token of the session, for the header `Authorization: Bearer`, and no cookie.',
    optional: true,
  })
  token?: boolean;
}

class RequestPasswordRecoveryBody {
  @Email({ description: 'The e-mail address of the account.' })
  email!: string;
}

class CompletePasswordRecoveryBody {
  @Line({ description: 'The token in the link of the mail.', example: 'token-of-the-link', maxLength: 300 })
  token!: string;

  @NewPassword({ description: 'The new password.' })
  password!: string;
}

export const signedIn = named(
  'SignedIn',
  z.object({
    customerId: z.string().optional().describe('The customer who signed in.'),
    memberId: z.string().optional().describe('The member of staff who signed in.'),
    factorRequired: z
      .boolean()
      .describe('Whether the session may only add a second factor: staff has one (POST /api/factors/totp).'),
    token: z.string().optional().describe('Of the session, where the request asked for it. It is shown once.'),
  }),
);
const recovery = named('PasswordRecovery', z.object({ sent: z.string().describe('What was sent, for people.') }));
const RECOVERY = { sent: 'if an account has this address, a link is on its way there' };

const signInFailed = new Problem('sign-in-failed', 'no account has this address and this password', { rule: 'ACC-2' });
const factorNeeded = new Problem('factor-needed', 'the account has a second factor: send its code, too, or a passkey');
const factorWrong = new Problem(
  'factor-wrong',
  'this code or passkey is another one, has expired, or was used before',
  { status: 401 },
);

type NewSignIn = z.infer<typeof signedIn> & NewSession;

/** In a cookie, or in the answer for a program. */
/** Programs keep no cookie: they are known by what they say they are, and from where. */
export const browserOf = (request: FastifyRequest, asksForToken: boolean, network: string): string =>
  asksForToken ? network : (browserIn(request) ?? randomUUID());

export function answerSession(
  { token, endsAt, ...account }: NewSignIn,
  asksForToken: boolean,
  reply: FastifyReply,
  browser: string,
) {
  if (asksForToken) return { ...account, token };
  setSessionCookie(reply, token, endsAt);
  setBrowserCookie(reply, browser);
  return account;
}

/** Check a password, and recover a lost one. No answer shows whether an address has an account. */
const isRefused = (answer: unknown): boolean => typeof answer === 'string';

@ApiTags('sign-in')
@Controller('api')
export class SignInController {
  readonly #requests: Requests;
  readonly #operations: Operations;
  readonly #throttle: SignInThrottle;
  readonly #parties: RelyingParties;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(OPERATIONS) operations: Operations,
    @Inject(SignInThrottle) throttle: SignInThrottle,
    @Inject(RelyingParties) parties: RelyingParties,
  ) {
    this.#parties = parties;
    this.#requests = requests;
    this.#operations = operations;
    this.#throttle = throttle;
  }

  @Post('sign-ins')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Sign in with an address and a password (ACC-2). The session is a cookie, or a token where the request asks for one; a session of before on this device ends',
  })
  @Responds(200, 'The account.', signedIn, { customerId: exampleIds.customerId, factorRequired: false })
  @Problems(400, 401, 429, 503)
  async signIn(
    @Body() { email, password, code, passkey: given, token: asksForToken = false }: SignInBody,
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof signedIn>> {
    const userAgent = request.headers['user-agent'];
    const browser = browserOf(request, asksForToken, network);
    const passkey = given && { passkey: given, party: this.#parties.of(request) };
    const check = async () => {
      const answer = await this.#operations.signIn(context, { email, password, code, passkey, userAgent, browser });
      // Neither a failure nor a success: what was counted of the code is not forgotten.
      if (answer === 'factor-needed') throw factorNeeded;
      return answer;
    };
    const found = await this.#throttle.attempt(network, email, check, isRefused, (answer) => answer === 'factor-wrong');
    if (typeof found === 'string') throw found === 'factor-wrong' ? factorWrong : signInFailed;
    const { sessionId } = request.identity;
    if (sessionId !== undefined) await this.#operations.endSession(context, { sessionId });
    return answerSession(found, asksForToken, reply, browser);
  }

  @Post('password-recoveries')
  @HttpCode(202)
  @ApiOperation({ summary: 'Send a link to set a new password (ACC-3)' })
  @Responds(202, 'The same answer, whether the account exists or not.', recovery, RECOVERY)
  @Problems(400, 429, 503)
  async requestPasswordRecovery(
    @Body() { email }: RequestPasswordRecoveryBody,
    @Asking() context: RequestContext,
    @Network() network: string,
  ): Promise<z.infer<typeof recovery>> {
    await this.#throttle.recovery(network, email);
    await this.#requests.passwords.requestRecovery(email, context);
    return RECOVERY;
  }

  @Post('password-recoveries/complete')
  @CommandRoute({ summary: 'Set a new password by the link (ACC-3)', idName: 'customerId', records: ['PasswordSet'] })
  @Problems(429)
  completePasswordRecovery(
    @Body() { token, password }: CompletePasswordRecoveryBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.passwords.recover(token, password, context);
  }
}
