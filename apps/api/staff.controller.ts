import { Body, Controller, Get, Inject, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { staffRoles } from '#domain/kernel/caller';
import { isRefusal } from '#domain/kernel/decider';
import type { StaffAccess } from '#domain/staff/staff';
import type { Page } from '#read-models/queries/paging';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { staffMember, staffMemberExample } from '#requests/staff';
import { OPERATIONS, QUERIES, REQUESTS } from '#wiring/tokens';
import { SomeOf, Stores } from './access-fields.ts';
import { Asking } from './caller.ts';
import { accepted } from './factors.controller.ts';
import { Email, GivenPassword, Line, NewPassword } from './fields.ts';
import { IdOf } from './ids.ts';
import { Network } from './network.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, ReadQuery, ReadRoute } from './reads.ts';
import { passOn, renewedToken } from './renewed-session.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

class ChangeStaffRolesBody {
  @SomeOf(staffRoles, { description: 'What the member may do.', example: ['support'] })
  roles!: StaffAccess['roles'];

  @Stores({
    description: 'The stores in which the roles hold: `all`, or a list of ids. Administrators are of all stores.',
  })
  stores!: StaffAccess['stores'];
}

class AddStaffMemberBody extends ChangeStaffRolesBody {
  @Email({ description: 'Where the invitation goes, and with what the member signs in.', example: 'grace@example.com' })
  email!: string;

  @Line({ description: 'The name of the member. It is stored sealed.', example: 'Grace Hopper', optional: true })
  name?: string;
}

class AddFirstAdministratorBody {
  @Email({ description: 'With what the administrator signs in.' })
  email!: string;

  @NewPassword({ description: 'The password of the administrator.' })
  password!: string;

  @Line({ description: 'The name of the administrator. It is stored sealed.', example: 'Ada Lovelace', optional: true })
  name?: string;

  @Line({
    description:
      'That the programs print at their start, as long as it is a trial. At the machine of the store none is needed.',
    maxLength: 100,
    optional: true,
  })
  token?: string;
}

class AcceptInvitationBody {
  @Line({ description: 'The token in the link of the mail.', example: 'token-of-the-link', maxLength: 300 })
  token!: string;

  @NewPassword({ description: 'The password.' })
  password!: string;
}

class ChangeStaffPasswordBody {
  @GivenPassword({ description: 'The present password.' })
  currentPassword!: string;

  @NewPassword({ description: 'The new one.' })
  password!: string;
}

const changed = named('ChangedPassword', z.object(renewedToken));

/** Who works for the store, and what they may do. Their rights hold from the next request on. */
@ApiTags('staff')
@Controller('api')
export class StaffController {
  readonly #requests: Requests['staff'];
  readonly #factors: Requests['factors'];
  readonly #queries: Queries['staff'];
  readonly #operations: Operations;
  readonly #throttle: SignInThrottle;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(QUERIES) queries: Queries,
    @Inject(OPERATIONS) operations: Operations,
    @Inject(SignInThrottle) throttle: SignInThrottle,
  ) {
    this.#requests = requests.staff;
    this.#factors = requests.factors;
    this.#queries = queries.staff;
    this.#operations = operations;
    this.#throttle = throttle;
  }

  @Post('staff-members/first')
  @CommandRoute({
    summary: 'Add the first administrator: it ends the trial for good. With the token of the trial, or at the machine',
    idName: 'memberId',
    records: ['StaffMemberAdded', 'StaffPasswordSet'],
    creates: '/api/staff-members',
  })
  addFirstAdministrator(@Body() body: AddFirstAdministratorBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.addFirst(body, context);
  }

  @Post('staff-members')
  @CommandRoute({
    summary: 'Add a member of staff, who gets an invitation by mail: administrators only',
    idName: 'memberId',
    records: ['StaffMemberAdded', 'StaffMemberInvited'],
    creates: '/api/staff-members',
  })
  addStaffMember(@Body() body: AddStaffMemberBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.add(body, context);
  }

  @Get('staff-members')
  @ReadRoute({
    summary: 'All members of staff, the longest here first: administrators only',
    answer: listOf(staffMember),
    example: { items: [staffMemberExample] },
  })
  @Problems(403)
  async listStaffMembers(@Query() _: ReadQuery, @Reading() reader: Reader): Promise<Page<z.infer<typeof staffMember>>> {
    return { items: await this.#queries.list(reader) };
  }

  @Put('staff-members/:memberId/roles')
  @CommandRoute({
    summary:
      'Change what a member may do: administrators only. Where something is taken away, the sessions of the member end',
    idName: 'memberId',
    records: ['StaffRolesChanged'],
  })
  changeStaffRoles(
    @IdOf('member') memberId: string,
    @Body() body: ChangeStaffRolesBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.changeRoles(memberId, body, context);
  }

  @Post('staff-members/:memberId/invite')
  @CommandRoute({
    summary: 'Send a new invitation, also to a member who lost the password: administrators only',
    idName: 'memberId',
    records: ['StaffMemberInvited'],
    takesNothing: true,
  })
  inviteStaffMember(@IdOf('member') memberId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.invite(memberId, context);
  }

  @Post('staff-members/:memberId/reset-factors')
  @CommandRoute({
    summary:
      'Take away the factors of a member who lost them: administrators only. The sessions end, and the next sign-in is for adding another factor',
    idName: 'memberId',
    records: ['FactorsReset'],
    takesNothing: true,
    ifMatch: 'none',
  })
  resetFactors(@IdOf('member') memberId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#factors.reset(memberId, context);
  }

  @Put('staff-password')
  @ApiOperation({
    summary:
      'Change the own password, with the present one and a factor that was proved just now. All other sessions end; this one goes on with a new token',
  })
  @Responds(200, 'It is changed.', changed, {})
  @Problems(400, 401, 403, 409, 429, 503)
  async changeStaffPassword(
    @Body() { password, currentPassword }: ChangeStaffPasswordBody,
    @Asking() context: RequestContext,
    @Network() network: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof changed>> {
    const { sessionId } = request.identity;
    const change = () => this.#operations.changeOwnPassword(context, { password, currentPassword, sessionId });
    const answer = await this.#throttle.attemptSignedIn(network, context.caller.actor, change, isRefusal);
    return passOn(accepted(answer, request).session, request, reply);
  }

  @Post('staff-members/:memberId/remove')
  @CommandRoute({
    summary:
      'Remove a member: administrators only. The sessions end, and name and address are erased; the history stays',
    idName: 'memberId',
    records: ['StaffMemberRemoved'],
    takesNothing: true,
  })
  removeStaffMember(@IdOf('member') memberId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.remove(memberId, context);
  }

  @Post('staff-invitations/accept')
  @CommandRoute({
    summary: 'Choose a password by the link of an invitation',
    idName: 'memberId',
    records: ['StaffPasswordSet'],
  })
  acceptInvitation(
    @Body() { token, password }: AcceptInvitationBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.acceptInvitation(token, password, context);
  }
}
