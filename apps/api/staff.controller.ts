import { Body, Controller, Get, Inject, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { staffRoles } from '#domain/kernel/caller';
import type { StaffAccess } from '#domain/staff/staff';
import type { Page } from '#read-models/queries/paging';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { staffMember, staffMemberExample } from '#requests/staff';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { SomeOf, Stores } from './access-fields.ts';
import { Asking } from './caller.ts';
import { Email, Line, NewPassword } from './fields.ts';
import { IdOf } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute, Problems } from './responses.ts';

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

/** Who works for the store, and what they may do. Their rights hold from the next request on. */
@ApiTags('staff')
@Controller('api')
export class StaffController {
  readonly #requests: Requests['staff'];
  readonly #queries: Queries['staff'];

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests.staff;
    this.#queries = queries.staff;
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
