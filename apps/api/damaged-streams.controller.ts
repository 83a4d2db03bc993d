import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Page } from '#read-models/queries/paging';
import { type DamagedStream, damagedStream, damagedStreamExample } from '#requests/damaged-streams';
import type { Queries } from '#requests/queries';
import { QUERIES } from '#wiring/tokens';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { Responds } from './responses.ts';

@ApiTags('operations')
@Controller('api/damaged-streams')
export class DamagedStreamsController {
  readonly #queries: Queries;

  constructor(@Inject(QUERIES) queries: Queries) {
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'Streams of the ledger that somebody cut or deleted in the event store, and the way back' })
  @Responds(200, 'The damaged streams.', listOf(damagedStream), { items: [damagedStreamExample] })
  async listDamagedStreams(@Reading() reader: Reader): Promise<Page<DamagedStream>> {
    return { items: await this.#queries.operations.listDamagedStreams(reader) };
  }
}
