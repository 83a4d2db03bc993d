import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type NamedPerson, namedPerson } from '#requests/named-person';
import type { Operations } from '#requests/operations';
import { personExport, personExportExample } from '#requests/person-exports';
import { personErasure, personErasureExample } from '#requests/persons';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming } from './fields.ts';
import { LargeReads } from './quotas.ts';
import { Problems, Responds } from './responses.ts';

/** The person stands in the body, so that no log of addresses has it. */
const ThePerson = () =>
  Conforming(namedPerson, {
    description: 'The person, by one of these. All records of the person are found by it.',
    example: { telephone: '+1 212 555 0199' },
  });

class ExportPersonBody {
  @ThePerson()
  person!: NamedPerson;
}

class ErasePersonBody {
  @ThePerson()
  person!: NamedPerson;
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
  @HttpCode(200)
  @UseGuards(LargeReads)
  @ApiOperation({ summary: 'All that is held about a person: support only, with a Leadger-Reason' })
  @Responds(200, 'Everything, opened.', personExport, personExportExample)
  @Problems(400, 403, 429, 503)
  exportPerson(@Body() { person }: ExportPersonBody, @Asking() context: RequestContext) {
    return this.#queries.persons.export(context, person);
  }

  @Post('erasures')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Erase a person for ever: support only, with a Leadger-Reason. What the person still had is ended',
  })
  @Responds(200, 'The person is erased.', personErasure, personErasureExample)
  @Problems(400, 403, 503)
  erasePerson(@Body() { person }: ErasePersonBody, @Asking() context: RequestContext) {
    return this.#operations.erasePerson(context, person);
  }
}
