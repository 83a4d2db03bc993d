import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { exampleIds } from '#read-models/models/examples';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Email, GivenPassword, Line, NewPassword } from './fields.ts';
import { Network } from './network.ts';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

class SignInBody {
  @Email({ description: 'The whole address, in exact case (ACC-2).' })
  email!: string;

  @GivenPassword({ description: 'The password, in exact case.' })
  password!: string;
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

const signedIn = named('SignedIn', z.object({ customerId: z.string().describe('The customer who signed in.') }));
const recovery = named('PasswordRecovery', z.object({ sent: z.string().describe('What was sent, for people.') }));
const RECOVERY = { sent: 'if an account has this address, a link is on its way there' };

/** Check a password, and recover a lost one. No answer shows whether an address has an account. */
@ApiTags('sign-in')
@Controller('api')
export class SignInController {
  readonly #requests: Requests;
  readonly #queries: Queries;
  readonly #throttle: SignInThrottle;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(QUERIES) queries: Queries,
    @Inject(SignInThrottle) throttle: SignInThrottle,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#throttle = throttle;
  }

  @Post('sign-ins')
  @HttpCode(200)
  @ApiOperation({ summary: 'Check an address and a password; answers the customer (ACC-2)' })
  @Responds(200, 'The account.', signedIn, { customerId: exampleIds.customerId })
  @Problems(400, 401, 429, 503)
  async signIn(
    @Body() body: SignInBody,
    @Reading() reader: Reader,
    @Network() network: string,
  ): Promise<z.infer<typeof signedIn>> {
    const check = () => this.#queries.passwords.signIn(reader, body);
    const customerId = await this.#throttle.attempt(network, body.email, check, (found) => found === undefined);
    if (customerId === undefined)
      throw new Problem('sign-in-failed', 'no account has this address and this password', { rule: 'ACC-2' });
    return { customerId };
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
