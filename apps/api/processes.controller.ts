import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Page } from '#read-models/queries/paging';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import { type ParkedItem, parkedItem, parkedItemExample } from '#requests/running-processes';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';

const { parkedItemId } = parkedItem.shape;
const retryResult = named('RetryResult', z.object({ parkedItemId }).describe('The item is tried again.'));

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
  @Responds(200, 'The parked items.', listOf(parkedItem), { items: [parkedItemExample] })
  async listParkedItems(@Reading() reader: Reader): Promise<Page<ParkedItem>> {
    return { items: await this.#queries.operations.listParkedItems(reader) };
  }

  @Post('parked/:parkedItemId/retry')
  @HttpCode(200)
  @ApiParam({
    name: 'parkedItemId',
    description: 'The id of the parked item.',
    schema: { type: 'string', example: parkedItemExample.parkedItemId },
  })
  @ApiOperation({ summary: 'Try a parked item again' })
  @Responds(200, 'The item is tried again.', retryResult, { parkedItemId: parkedItemExample.parkedItemId })
  @Problems(404)
  async retryParkedItem(@Param('parkedItemId') parkedItemId: string, @Reading() reader: Reader) {
    if (!(await this.#operations.retryParkedItem(reader, { id: parkedItemId })))
      throw new Problem('nothing-parked', 'nothing is parked under this id');
    return { parkedItemId };
  }
}
