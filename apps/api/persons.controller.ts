import { Body, Controller, HttpCode, Inject, Post, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { exampleIds } from '#read-models/models/examples';
import { type NamedPerson, namedPerson } from '#requests/named-person';
import type { Operations } from '#requests/operations';
import { personExport, personExportExample } from '#requests/person-exports';
import { personErasure, personErasureExample } from '#requests/persons';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { awaitedApproval, awaitedApprovalExample } from '#requests/two-members';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming, Id } from './fields.ts';
import { LargeReads } from './quotas.ts';
import { answering, Problems, succeeds } from './responses.ts';

/** The person stands in the body, so that no log of addresses has it. */
const ThePerson = () =>
  Conforming(namedPerson, {
    description: 'The person, by one of these. All records of the person are found by it.',
    example: { telephone: '+1 212 555 0199' },
  });

class ActOnPersonBody {
  @ThePerson()
  person!: NamedPerson;

  @Id({
    description: 'Where the policy wants two members of staff: what another one asked for, and is approved now.',
    example: exampleIds.approvalId,
    optional: true,
  })
  approvalId?: string;
}

class ExportPersonBody extends ActOnPersonBody {}

class ErasePersonBody extends ActOnPersonBody {}

/** What is done now, or waits for a second member of staff. */
const RespondsNowOrLater = <Done extends z.ZodType>(description: string, done: Done, example: z.input<Done>) =>
  answering(
    z.union([done, awaitedApproval]),
    HttpCode(200),
    succeeds(200, description, done, example),
    succeeds(202, 'It waits for the approval of another member of staff.', awaitedApproval, awaitedApprovalExample),
  );

/** @returns the answer, with the status that it has */
function answered<Answer extends object>(reply: FastifyReply, answer: Answer): Answer {
  if ('approvalId' in answer) reply.status(202);
  return answer;
}

/** What the store holds about a person, and the end of it. */
@ApiTags('persons')
@Controller('api/persons')
export class PersonsController {
  readonly #queries: Queries;
  readonly #operations: Operations;

  constructor(@Inject(QUERIES) queries: Queries, @Inject(OPERATIONS) operations: Operations) {
    this.#queries = queries;
    this.#operations = operations;
  }

  @Post('exports')
  @UseGuards(LargeReads)
  @ApiOperation({ summary: 'All that is held about a person: support only, with a Leadger-Reason' })
  @RespondsNowOrLater('Everything, opened.', personExport, personExportExample)
  @Problems(400, 403, 409, 422, 429, 503)
  async exportPerson(
    @Body() body: ExportPersonBody,
    @Asking() context: RequestContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return answered(reply, await this.#queries.persons.export(context, body));
  }

  @Post('erasures')
  @ApiOperation({
    summary: 'Erase a person for ever: support only, with a Leadger-Reason. What the person still had is ended',
  })
  @RespondsNowOrLater('The person is erased.', personErasure, personErasureExample)
  @Problems(400, 403, 409, 422, 503)
  async erasePerson(
    @Body() body: ErasePersonBody,
    @Asking() context: RequestContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return answered(reply, await this.#operations.erasePerson(context, body));
  }
}
