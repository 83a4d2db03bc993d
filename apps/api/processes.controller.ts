import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Operations } from '#wiring/operations';
import { OPERATIONS } from '#wiring/tokens';
import { Answers, Problems } from './answers.ts';
import { Problem } from './problems.ts';

const parked = z.object({
  parked: z.array(
    z.object({
      id: z.string(),
      process: z.string(),
      stream: z.string(),
      what: z.string().describe('the command, or the event that could not be read'),
      reason: z.string(),
      attempts: z.int(),
      since: z.string(),
    }),
  ),
});
const retried = z.object({ id: z.string(), retried: z.literal(true) });

const anExample = {
  id: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  process: 'lead-distribution',
  stream: 'lead-8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  what: 'AssignLead',
  reason: 'the store cannot be reached',
  attempts: 6,
  since: '2026-03-01T09:30:00.000Z',
};

@ApiTags('operations')
@Controller('api/processes')
export class ProcessesController {
  readonly #operations: Operations;

  constructor(@Inject(OPERATIONS) operations: Operations) {
    this.#operations = operations;
  }

  @Get('parked')
  @ApiOperation({ summary: 'What failed too often and waits for somebody to look; only its stream waits with it' })
  @Answers(200, 'what is parked', parked, { parked: [anExample] })
  async parked() {
    return { parked: await this.#operations.parked() };
  }

  @Post('parked/:id/retry')
  @HttpCode(200)
  @ApiParam({ name: 'id', schema: { type: 'string' }, example: anExample.id })
  @ApiOperation({ summary: 'Try a parked item again' })
  @Answers(200, 'it is tried again', retried, { id: anExample.id, retried: true })
  @Problems(404)
  async retry(@Param('id') id: string) {
    if (!(await this.#operations.retry(id)))
      throw new Problem(404, 'nothing-parked', 'nothing is parked under this id');
    return { id, retried: true };
  }
}
