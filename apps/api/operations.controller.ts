import { Controller, Get, Inject, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Measure } from '#apps/telling';
import type { Activities } from '#domain/kernel/activities';
import { health, healthExample, readiness } from '#requests/health';
import type { Queries } from '#requests/queries';
import { ACTIVITIES, QUERIES } from '#wiring/tokens';
import { reading } from './caller.ts';
import { Metrics } from './metrics.ts';
import { Responds } from './responses.ts';

const readyExample = { ok: true, store: healthExample.store, database: { ok: true } };
const alive = z.object({ ok: z.literal(true).describe('This program runs.') }).meta({ id: 'Alive' });

@ApiTags('operations')
@Controller()
export class OperationsController {
  readonly #queries: Queries['operations'];
  readonly #metrics: Metrics;

  constructor(
    @Inject(QUERIES) queries: Queries,
    @Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost,
    @Inject(ACTIVITIES) activities: Activities,
  ) {
    this.#queries = queries.operations;
    this.#metrics = new Metrics(httpAdapter.getInstance(), activities);
  }

  @Get('health')
  @ApiOperation({ summary: 'Whether the store, the processes and the read models work, and how far behind they are' })
  @Responds(200, 'Everything works.', health, healthExample)
  @Responds(503, 'Something does not work.', health, {
    ...healthExample,
    ok: false,
    store: { ok: false, error: 'store-unavailable' },
  })
  async getHealth(@Res({ passthrough: true }) reply: FastifyReply) {
    const found = await this.#queries.getHealth(reading());
    if (!found.ok) reply.status(503);
    return found;
  }

  @Get('health/live')
  @ApiOperation({
    summary:
      'Whether this program runs, whatever it depends on: a program that does not answer should be started again',
  })
  @Responds(200, 'It runs.', alive, { ok: true })
  async getLiveness() {
    return { ok: true } as const;
  }

  @Get('health/ready')
  @ApiOperation({ summary: 'Whether this program can serve: the event store and the database answer' })
  @Responds(200, 'It can serve.', readiness, readyExample)
  @Responds(503, 'It cannot serve now.', readiness, {
    ...readyExample,
    ok: false,
    database: { ok: false, error: 'the connection is refused' },
  })
  async getReadiness(@Res({ passthrough: true }) reply: FastifyReply) {
    const found = await this.#queries.getReadiness(reading());
    if (!found.ok) reply.status(503);
    return found;
  }

  @Get('metrics')
  @ApiOperation({ summary: 'Metrics for Prometheus' })
  @ApiResponse({
    status: 200,
    description: 'The metrics in the text format of Prometheus.',
    content: {
      'text/plain': { schema: { type: 'string' }, example: 'leadger_process_parked{process="lead-ageing"} 0' },
    },
  })
  async getMetrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.type(this.#metrics.contentType);
    return this.#metrics.of(await this.#queries.getMeasurements(reading()));
  }

  /** For a collector, to which the program itself sends them. */
  measure: Measure = async () => this.#metrics.gaugesOf(await this.#queries.getMeasurements(reading()));
}
