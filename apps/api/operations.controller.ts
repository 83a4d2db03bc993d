import { Controller, Get, Inject, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Registry } from 'prom-client';
import type { EventStore } from '#event-store/port';
import type { ReadModels } from '#read-models/read-models';
import type { Operations } from '#wiring/operations';
import { EVENT_STORE, OPERATIONS, READ_MODELS } from '#wiring/tokens';
import { Answers } from './answers.ts';
import { examine, type Health, health, healthExample, type Parts } from './health.ts';
import { measure } from './metrics.ts';
import { named } from './schemas.ts';

@ApiTags('operations')
@Controller()
export class OperationsController {
  readonly #parts: Parts;
  readonly #metrics: Registry;

  constructor(
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(OPERATIONS) operations: Operations,
    @Inject(READ_MODELS) readModels: ReadModels,
    @Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost,
  ) {
    this.#parts = { events, operations, readModels };
    this.#metrics = measure(httpAdapter.getInstance(), this.#parts);
  }

  @Get('health')
  @ApiOperation({ summary: 'Whether the store, the processes and the read models work, and how far behind they are' })
  @Answers(200, 'Everything works.', named('Health', health), healthExample)
  @Answers(503, 'Something does not work.', named('Health', health), {
    ...healthExample,
    ok: false,
    store: { ok: false, error: 'store-unavailable' },
  })
  async getHealth(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const found = await examine(this.#parts);
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
  getMetrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.type(this.#metrics.contentType);
    return this.#metrics.metrics();
  }
}
