import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { EventStore } from '#event-store/port';
import { ProcessEngine } from '#processes/engine/engine';
import type { ReadModels } from '#read-models/read-models';
import { EVENT_STORE, READ_MODELS } from '#wiring/tokens';

@ApiTags('operations')
@Controller()
export class OperationsController {
  readonly #events: EventStore;
  readonly #engine: ProcessEngine;
  readonly #readModels: ReadModels;

  constructor(
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(ProcessEngine) engine: ProcessEngine,
    @Inject(READ_MODELS) readModels: ReadModels,
  ) {
    this.#events = events;
    this.#engine = engine;
    this.#readModels = readModels;
  }

  @Get('health')
  @ApiOperation({ summary: 'Whether the store, the processes and the read models work, and how far behind they are' })
  async health(@Res({ passthrough: true }) reply: FastifyReply) {
    const head = await this.#events.head().then(
      (position) => ({ ok: true, position }),
      (error: Error) => ({ ok: false, error: error.message }),
    );
    const health = {
      ok: head.ok,
      store: head,
      processes: this.#engine.status(),
      readModels: await this.#readModels.status(),
    };
    if (!health.ok) reply.status(503);
    return health;
  }
}
