import { Controller, Get, HttpCode, Inject, Logger, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { RebuildCancelled } from '#read-models/errors';
import type { Page } from '#read-models/queries/paging';
import { type Operations, type ReadModel, readModel, readModelExample } from '#requests/operations';
import type { Queries } from '#requests/queries';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { answering, Problems, Responds, succeeds } from './responses.ts';

const ModelRoute = (summary: string) =>
  answering(
    readModel,
    HttpCode(200),
    ApiParam({
      name: 'name',
      description: 'The name of the read model.',
      schema: { type: 'string', example: 'orders' },
    }),
    ApiOperation({ summary }),
    succeeds(200, 'The read model after the change.', readModel, readModelExample),
    Problems(404),
  );

@ApiTags('operations')
@Controller('api/read-models')
export class ReadModelsController {
  readonly #log = new Logger(ReadModelsController.name);
  readonly #operations: Operations;
  readonly #queries: Queries;

  constructor(@Inject(OPERATIONS) operations: Operations, @Inject(QUERIES) queries: Queries) {
    this.#operations = operations;
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'The read models: what they reflect, and which streams they leave out' })
  @Responds(200, 'The read models.', listOf(readModel), { items: [readModelExample] })
  async listReadModels(@Reading() reader: Reader): Promise<Page<ReadModel>> {
    return { items: await this.#queries.operations.listReadModels(reader) };
  }

  @Post(':name/pause')
  @ModelRoute('Pause a read model: it reflects nothing newer until it is resumed')
  pauseReadModel(@Param('name') name: string, @Reading() reader: Reader) {
    return this.#operations.pauseReadModel(reader, { name });
  }

  @Post(':name/resume')
  @ModelRoute('Resume a paused read model where it stopped')
  resumeReadModel(@Param('name') name: string, @Reading() reader: Reader) {
    return this.#operations.resumeReadModel(reader, { name });
  }

  @Post(':name/retry')
  @ModelRoute('Retry the parked streams of a read model; those that still fail stay parked')
  retryReadModel(@Param('name') name: string, @Reading() reader: Reader) {
    return this.#operations.retryReadModel(reader, { name });
  }

  @Post(':name/rebuild')
  @ModelRoute(
    'Rebuild a read model from the log. The rebuild continues after the answer; until it ends, the old tables answer',
  )
  @Problems(409)
  async rebuildReadModel(@Param('name') name: string, @Reading() reader: Reader) {
    const { status, finished } = await this.#operations.rebuildReadModel(reader, { name });
    finished.catch((error) => {
      if (!(error instanceof RebuildCancelled)) this.#log.error(error);
    });
    return status;
  }

  @Post(':name/rebuild/cancel')
  @ModelRoute('Cancel the rebuild that this program does; the next one continues where it stopped')
  async cancelReadModelRebuild(@Param('name') name: string, @Reading() reader: Reader) {
    const status = await this.#operations.cancelReadModelRebuild(reader, { name });
    if (!status) throw new Problem('no-rebuild', `this program does not rebuild ${name} now`);
    return status;
  }
}
