import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { instant } from '#domain/kernel/events';
import { exampleIds } from '#read-models/models/examples';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';

const parkedItemId = z.string().describe('Names the item when it is retried.');
const parkedItem = named(
  'ParkedItem',
  z.object({
    parkedItemId,
    process: z.string().describe('The process that it belongs to.'),
    stream: z.string().describe('The stream that waits for it.'),
    what: z.string().describe('The command that failed, or the event that could not be read.'),
    reason: z.string().describe('Why it failed the last time.'),
    attempts: z.int().describe('How often it was tried.'),
    since: instant.describe('When it was parked.'),
  }),
);
const parkedItems = listOf(parkedItem);
const retryResult = named('RetryResult', z.object({ parkedItemId }).describe('The item is tried again.'));

const anExample = {
  parkedItemId: exampleIds.parkedItemId,
  process: 'lead-distribution',
  stream: `lead-${exampleIds.leadId}`,
  what: 'AssignLead',
  reason: 'the store cannot be reached',
  attempts: 6,
  since: '2026-03-01T09:30:00.000Z',
};

@ApiTags('operations')
@Controller('api/processes')
export class ProcessesController {
  readonly #operations: Operations;
  readonly #queries: Queries;

  constructor(@Inject(OPERATIONS) operations: Operations, @Inject(QUERIES) queries: Queries) {
    this.#operations = operations;
    this.#queries = queries;
  }

  @Get('parked')
  @ApiOperation({
    summary:
      'Commands and events that failed too often. Each one waits for a retry, and the later events of its stream wait, too',
  })
  @Responds(200, 'The parked items.', parkedItems, { items: [anExample] })
  async listParkedItems(@Reading() reader: Reader) {
    const items = await this.#queries.operations.listParkedItems(reader);
    return { items: items.map(({ id: parkedItemId, ...item }) => ({ parkedItemId, ...item })) };
  }

  @Post('parked/:parkedItemId/retry')
  @HttpCode(200)
  @ApiParam({
    name: 'parkedItemId',
    description: 'The id of the parked item.',
    schema: { type: 'string', example: anExample.parkedItemId },
  })
  @ApiOperation({ summary: 'Try a parked item again' })
  @Responds(200, 'The item is tried again.', retryResult, { parkedItemId: anExample.parkedItemId })
  @Problems(404)
  async retryParkedItem(@Param('parkedItemId') parkedItemId: string, @Reading() reader: Reader) {
    if (!(await this.#operations.retryParkedItem(reader, { id: parkedItemId })))
      throw new Problem('nothing-parked', 'nothing is parked under this id');
    return { parkedItemId };
  }
}
