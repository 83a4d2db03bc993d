import { applyDecorators, Controller, Get, HttpCode, Inject, Logger, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { RebuildCancelled } from '#read-models/errors';
import { exampleIds } from '#read-models/models/examples';
import type { Operations, ShownStatus } from '#requests/operations';
import type { Queries } from '#requests/queries';
import { OPERATIONS, QUERIES } from '#wiring/tokens';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';

const parkedStream = z.object({
  stream: z.string().describe('The stream whose events are left out.'),
  revision: z.int().describe('The first event that is left out: it could not be applied.'),
  reason: z.string().describe('Why it could not be applied.'),
});
const readModel = named(
  'ReadModel',
  z.object({
    name: z.string().describe('The name of the read model.'),
    version: z.string().describe('Its version: a hash over its tables, its events and the rows made of them.'),
    position: z.string().describe('Its rows reflect every event up to this position.'),
    whole: z
      .boolean()
      .describe('False while it is built from the beginning of the log; until then it answers nothing.'),
    paused: z.boolean().describe('True while it is paused: it reflects nothing newer until it is resumed.'),
    rebuiltUpTo: z
      .string()
      .optional()
      .describe('How far the rebuild has come that this program does; absent without one.'),
    parkedStreams: z.array(parkedStream).describe('Streams that are left out because an event could not be applied.'),
  }),
);

const anExample: z.infer<typeof readModel> = {
  name: 'orders',
  version: '5d1f3a528f6a',
  position: '0000000000000042',
  whole: true,
  paused: false,
  parkedStreams: [
    {
      stream: `order-${exampleIds.orderId}`,
      revision: 3,
      reason: 'OrderPaused of an order that was never placed',
    },
  ],
};

const ModelRoute = (summary: string) =>
  applyDecorators(
    HttpCode(200),
    ApiParam({
      name: 'name',
      description: 'The name of the read model.',
      schema: { type: 'string', example: 'orders' },
    }),
    ApiOperation({ summary }),
    Responds(200, 'The read model after the change.', readModel, anExample),
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
  @Responds(200, 'The read models.', listOf(readModel), { items: [anExample] })
  async listReadModels(@Reading() reader: Reader) {
    return { items: (await this.#queries.operations.listReadModels(reader)).map(shown) };
  }

  @Post(':name/pause')
  @ModelRoute('Pause a read model: it reflects nothing newer until it is resumed')
  async pauseReadModel(@Param('name') name: string, @Reading() reader: Reader) {
    return shown(await this.#operations.pauseReadModel(reader, { name }));
  }

  @Post(':name/resume')
  @ModelRoute('Resume a paused read model where it stopped')
  async resumeReadModel(@Param('name') name: string, @Reading() reader: Reader) {
    return shown(await this.#operations.resumeReadModel(reader, { name }));
  }

  @Post(':name/retry')
  @ModelRoute('Retry the parked streams of a read model; those that still fail stay parked')
  async retryReadModel(@Param('name') name: string, @Reading() reader: Reader) {
    return shown(await this.#operations.retryReadModel(reader, { name }));
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
    return shown(status);
  }

  @Post(':name/rebuild/cancel')
  @ModelRoute('Cancel the rebuild that this program does; the next one continues where it stopped')
  async cancelReadModelRebuild(@Param('name') name: string, @Reading() reader: Reader) {
    const status = await this.#operations.cancelReadModelRebuild(reader, { name });
    if (!status) throw new Problem('no-rebuild', `this program does not rebuild ${name} now`);
    return shown(status);
  }
}

const shown = ({ parked: parkedStreams, ...status }: ShownStatus) => ({ ...status, parkedStreams });
