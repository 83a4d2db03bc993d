import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { exampleIds } from '#read-models/models/examples';
import type { Operations } from '#requests/operations';
import {
  type PersonRequest,
  personErasure,
  personErasureExample,
  personExport,
  personExportExample,
} from '#requests/persons';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Email, ExactlyOneOf, Id, Nested, Telephone } from './fields.ts';
import { Problems, Responds } from './responses.ts';

class NamedPerson implements PersonRequest {
  @Id({ description: 'Id of the customer who the person is.', example: exampleIds.customerId, optional: true })
  customerId?: string;

  @Id({ description: 'Id of a lead that the person is.', example: exampleIds.leadId, optional: true })
  leadId?: string;

  @Telephone({ description: 'Telephone number of the person.', optional: true })
  telephone?: string;

  @Email({ description: 'E-mail address of the person.', optional: true })
  email?: string;
}

const namedBy = {
  description: 'The person, by one of these. All records of the person are found by it.',
  example: { telephone: '+1 212 555 0199' },
};

/** The person stands in the body, so that no log of addresses has it. */
class ExportPersonBody {
  @Nested(() => NamedPerson, namedBy)
  @ExactlyOneOf('customerId', 'leadId', 'telephone', 'email')
  person!: NamedPerson;
}

class ErasePersonBody {
  @Nested(() => NamedPerson, namedBy)
  @ExactlyOneOf('customerId', 'leadId', 'telephone', 'email')
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
  @ApiOperation({ summary: 'All that is held about a person: support only, with a Leadger-Reason' })
  @Responds(200, 'Everything, opened.', personExport, personExportExample)
  @Problems(400, 403, 503)
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
