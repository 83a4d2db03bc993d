import { applyDecorators } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import { type Instant, instant } from '#domain/kernel/events';
import { exampleIds } from '#read-models/models/examples';
import { InstantField } from './fields.ts';
import { Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';

export class HistoryQuery {
  @InstantField({
    description: 'The history up to this instant, inclusive; up to now when absent.',
    example: '2026-03-02T00:00:00Z',
    optional: true,
  })
  at?: Instant;
}

export const historyEvent = z.object({
  revision: z.int().describe('The place of the event in the history of this thing, from 0.'),
  type: z.string().describe('The type of the event, e.g. OrderPaused.'),
  at: instant.describe('When it happened.'),
  data: z
    .record(z.string(), z.unknown())
    .describe('Its data. Personal data is opened, or {"erased": true}, or {"keyMissing": true}.'),
  actor: z.string().describe('Who asked for it: customer:ID, staff:NAME or process:NAME.'),
  reason: z.string().optional().describe('Why, in the words of the actor.'),
  commandId: z.string().describe('The command that led to it.'),
  correlationId: z.string().describe('The first command of the chain that led to it.'),
  causationId: z.string().optional().describe('The event that a process reacted to.'),
  policyVersion: z.int().optional().describe('The version of the policy by which it was decided.'),
  position: z.string().describe('The place of the event in the whole log.'),
});

const history = named(
  'History',
  z.object({
    events: z.array(named('HistoryEvent', historyEvent)).describe('What happened, oldest first.'),
    state: z.unknown().describe('The state after these events, as the next decision would see it.'),
  }),
);
type History = z.infer<typeof history>;

export const historyExample: History = {
  events: [
    {
      revision: 1,
      type: 'OrderPaused',
      at: '2026-03-01T09:30:00.000Z',
      data: {},
      actor: `customer:${exampleIds.customerId}`,
      reason: 'on holiday',
      commandId: exampleIds.commandId,
      correlationId: exampleIds.commandId,
      position: '0000000000000042',
    },
  ],
  state: { status: 'paused', deliveredLeads: 3 },
};

/** A read of what happened to one thing. The handler answers a history of the queries. */
export const HistoryRoute = (summary: string) =>
  applyDecorators(
    ApiOperation({ summary }),
    Responds(200, 'The history.', history, historyExample),
    Problems(400, 404),
  );
