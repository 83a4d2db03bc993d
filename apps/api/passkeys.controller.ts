import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { isRefusal } from '#domain/kernel/decider';
import { exampleIds } from '#read-models/models/examples';
import type { Operations } from '#requests/operations';
import type { RequestContext } from '#requests/request-tools';
import {
  type Assertion,
  assertion,
  creationOptions,
  type NewCredential,
  newCredential,
  requestOptions,
} from '#requests/web-authn';
import { OPERATIONS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { accepted, added, exampleCodes } from './factors.controller.ts';
import { Conforming, Flag, GivenPassword, Line } from './fields.ts';
import { Network } from './network.ts';
import { exampleAssertion, exampleCreation, exampleCredential, exampleRequest } from './passkey-examples.ts';
import { Problem } from './problems.ts';
import { RelyingParties } from './relying-party.ts';
import { passOn } from './renewed-session.ts';
import { Problems, Responds } from './responses.ts';
import { answerSession, browserOf, signedIn } from './sign-in.controller.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

class AddPasskeyBody {
  @Conforming(newCredential, {
    description: 'What `navigator.credentials.create` answered, as `toJSON` writes it.',
    example: exampleCredential,
    lines: 'one',
  })
  passkey!: NewCredential;

  @Line({ description: 'How its owner calls it. It is stored sealed.', example: 'My laptop', optional: true })
  name?: string;

  @GivenPassword({ description: 'The password, for the first factor of the account.', optional: true })
  currentPassword?: string;
}

class SignInWithPasskeyBody {
  @Conforming(assertion, {
    description: 'What `navigator.credentials.get` answered, as `toJSON` writes it.',
    example: exampleAssertion,
    lines: 'one',
  })
  passkey!: Assertion;

  @Flag({
    description:
      'For programs: the answer has the token of the session, for the header `Authorization: Bearer`, and no cookie.',
    optional: true,
  })
  token?: boolean;
}

const passkeyRefused = new Problem(
  'sign-in-failed',
  'no account has this passkey, or what it signed is of another page, too old, or was used before',
  { rule: 'ACC-2' },
);

/** Passkeys (WebAuthn): a page asks for options, gives them to the browser, and sends what the browser answers. */
@ApiTags('sign-in')
@Controller('api')
export class PasskeysController {
  readonly #operations: Operations;
  readonly #throttle: SignInThrottle;
  readonly #parties: RelyingParties;

  constructor(
    @Inject(OPERATIONS) operations: Operations,
    @Inject(SignInThrottle) throttle: SignInThrottle,
    @Inject(RelyingParties) parties: RelyingParties,
  ) {
    this.#operations = operations;
    this.#throttle = throttle;
    this.#parties = parties;
  }

  @Post('factors/passkeys/options')
  @HttpCode(200)
  @ApiOperation({ summary: 'Begin to add a passkey: what the browser is asked for. It is good for five minutes, once' })
  @Responds(200, 'For `PublicKeyCredential.parseCreationOptionsFromJSON`.', creationOptions, exampleCreation)
  @Problems(401, 403, 429, 503)
  async beginPasskey(
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
  ): Promise<z.infer<typeof creationOptions>> {
    await this.#throttle.challenge(network);
    const { sessionId } = request.identity;
    return this.#operations.beginPasskey(context, { party: this.#parties.of(request), sessionId });
  }

  @Post('factors/passkeys')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Add the passkey, with the password if it is the first factor. Recovery codes come with the first factor. The session goes on with a new token; others that proved no factor end',
  })
  @Responds(200, 'The passkey counts.', added, { factorId: exampleIds.factorId, recoveryCodes: exampleCodes })
  @Problems(400, 401, 403, 409, 429, 503)
  async addPasskey(
    @Body() { passkey: credential, name, currentPassword }: AddPasskeyBody,
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof added>> {
    const { sessionId } = request.identity;
    const party = this.#parties.of(request);
    const add = () => this.#operations.addPasskey(context, { credential, party, name, currentPassword, sessionId });
    const answer = accepted(
      await this.#throttle.attemptSignedIn(network, context.caller.actor, add, isRefusal),
      request,
    );
    const { factorId, recoveryCodes } = answer;
    return { factorId, recoveryCodes: recoveryCodes?.slice(), ...passOn(answer.session, request, reply) };
  }

  @Post('sign-ins/passkey/options')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Begin to sign in with a passkey: what the browser is asked for. It names no account, and is good for five minutes, once',
  })
  @Responds(200, 'For `PublicKeyCredential.parseRequestOptionsFromJSON`.', requestOptions, exampleRequest)
  @Problems(429, 503)
  async beginPasskeySignIn(
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
  ): Promise<z.infer<typeof requestOptions>> {
    await this.#throttle.challenge(network);
    return this.#operations.beginPasskeySignIn(context, { party: this.#parties.of(request) });
  }

  @Post('sign-ins/passkey')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Sign in with a passkey alone: it verifies its owner, and counts as a second factor. The session is a cookie, or a token where the request asks for one; a session of before on this device ends',
  })
  @Responds(200, 'The account.', signedIn, { customerId: exampleIds.customerId, factorRequired: false })
  @Problems(400, 401, 429, 503)
  async signInWithPasskey(
    @Body() { passkey, token: asksForToken = false }: SignInWithPasskeyBody,
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof signedIn>> {
    const party = this.#parties.of(request);
    const userAgent = request.headers['user-agent'];
    const browser = browserOf(request, asksForToken, network);
    const check = () => this.#operations.signInWithPasskey(context, { passkey, party, userAgent, browser });
    const account = passkey.response.userHandle ?? passkey.id;
    const found = await this.#throttle.attempt(network, account, check, (answer) => typeof answer === 'string');
    if (typeof found === 'string') throw passkeyRefused;
    const { sessionId } = request.identity;
    if (sessionId !== undefined) await this.#operations.endSession(context, { sessionId });
    return answerSession(found, asksForToken, reply, browser);
  }

  @Post('sessions/current/prove/options')
  @HttpCode(200)
  @ApiOperation({ summary: 'Begin to prove a passkey again: what the browser is asked for, for this session, once' })
  @Responds(200, 'For `PublicKeyCredential.parseRequestOptionsFromJSON`.', requestOptions, exampleRequest)
  @Problems(401, 403, 429, 503)
  async beginPasskeyProof(
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
  ): Promise<z.infer<typeof requestOptions>> {
    await this.#throttle.challenge(network);
    const { sessionId } = request.identity;
    return this.#operations.beginPasskeyProof(context, { party: this.#parties.of(request), sessionId });
  }
}
