import { applyDecorators, Controller, Get, HttpCode, Inject, Logger, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { RebuildCancelled } from '#read-models/errors';
import type { ReadModels } from '#read-models/read-models';
import { READ_MODELS } from '#wiring/tokens';
import { Answers, Problems } from './answers.ts';
import { Problem } from './problems.ts';

const parkedStream = z.object({
  stream: z.string(),
  revision: z.int().describe('the event that could not be taken; it and all after it are left out'),
  reason: z.string(),
});
const readModel = z.object({
  name: z.string(),
  version: z.string().describe('changes with the tables, the events and the rows made of them'),
  position: z.string().describe('every event up to here is in its rows'),
  whole: z.boolean(),
  paused: z.boolean(),
  rebuiltUpTo: z.string().optional().describe('how far a rebuild has come that this program does beside it'),
  parked: z.array(parkedStream),
});
const readModels = z.object({ readModels: z.array(readModel) });

const anExample: z.infer<typeof readModel> = {
  name: 'orders',
  version: '5d1f3a528f6a',
  position: '0000000000000042',
  whole: true,
  paused: false,
  parked: [
    {
      stream: 'order-8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
      revision: 3,
      reason: 'OrderPaused of an order that was never placed',
    },
  ],
};

const ModelRoute = (summary: string) =>
  applyDecorators(
    HttpCode(200),
    ApiParam({ name: 'name', schema: { type: 'string' }, example: 'orders' }),
    ApiOperation({ summary }),
    Answers(200, 'how the read model is now', readModel, anExample),
    Problems(404),
  );

@ApiTags('operations')
@Controller('api/read-models')
export class ReadModelsController {
  readonly #log = new Logger(ReadModelsController.name);
  readonly #readModels: ReadModels;

  constructor(@Inject(READ_MODELS) readModels: ReadModels) {
    this.#readModels = readModels;
  }

  @Get()
  @ApiOperation({ summary: 'What the read models reflect, and which streams they had to leave out' })
  @Answers(200, 'all of them', readModels, { readModels: [anExample] })
  async list() {
    return { readModels: (await this.#readModels.status()).map(({ following: _, ...status }) => status) };
  }

  @Post(':name/pause')
  @ModelRoute('Leave it as it is, whoever follows it, until it is resumed')
  async pause(@Param('name') name: string) {
    await this.#readModels.pause(name);
    return this.#find(name);
  }

  @Post(':name/resume')
  @ModelRoute('Let it go on where it was paused')
  async resume(@Param('name') name: string) {
    await this.#readModels.resume(name);
    return this.#find(name);
  }

  @Post(':name/retry')
  @ModelRoute('Take what was left out of its parked streams; those that still cannot be taken stay parked')
  async retry(@Param('name') name: string) {
    await this.#readModels.retry(name);
    return this.#find(name);
  }

  @Post(':name/rebuild')
  @ModelRoute(
    'Build it anew from the log beside the one that answers, and put it in its place. Goes on after the answer',
  )
  @Problems(409)
  async rebuild(@Param('name') name: string) {
    const running = this.#readModels.rebuild(name);
    // What is refused is refused at once; what comes later nobody waits for.
    await Promise.race([running, this.#find(name)]);
    running.catch((error) => {
      if (!(error instanceof RebuildCancelled)) this.#log.error(error);
    });
    return this.#find(name);
  }

  @Post(':name/rebuild/cancel')
  @ModelRoute('End a rebuild that this program does; the next one goes on from there')
  async cancelRebuild(@Param('name') name: string) {
    if (!this.#readModels.cancelRebuild(name))
      throw new Problem(404, 'no-rebuild', `this program does not rebuild ${name} now`);
    return this.#find(name);
  }

  async #find(name: string) {
    const { readModels } = await this.list();
    return readModels.find((model) => model.name === name);
  }
}
