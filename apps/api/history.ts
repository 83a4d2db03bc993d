import { applyDecorators } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import { authentications } from '#domain/kernel/caller';
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
  actor: z.string().describe('Who asked for it: customer:ID, staff:ID, system:ID or process:ID.'),
  authenticated: z.enum(authentications).optional().describe('How it is known who asked.'),
  authenticatedAs: z.string().optional().describe('Who was authenticated, where the actor is another.'),
  reason: z
    .union([z.string(), z.record(z.string(), z.literal(true))])
    .optional()
    .describe('Why, in the words of the actor; or {"erased": true}, or {"keyMissing": true}.'),
  commandId: z.string().describe('The command that led to it.'),
  correlationId: z.string().describe('The first command of the chain that led to it.'),
  causationId: z.string().optional().describe('The event that a process reacted to.'),
  basis: z
    .record(z.string(), z.int())
    .optional()
    .describe('Other histories that were read for the decision, each with its last revision, e.g. that of the policy.'),
  eventsSeen: z.int().optional().describe('How many events of the log a process had seen when it asked.'),
  effectiveAt: instant.optional().describe('For when it was decided, where that is not when it was recorded.'),
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
      authenticated: 'trial-header',
      reason: 'on holiday',
      basis: { 'policy-main': 0 },
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
