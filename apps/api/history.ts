import { UseGuards } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { history } from '#audit/history';
import type { Instant } from '#domain/kernel/events';
import { historyExample } from '#requests/histories';
import { InstantField } from './fields.ts';
import { LargeReads } from './quotas.ts';
import { answering, Problems, succeeds } from './responses.ts';

export class HistoryQuery {
  @InstantField({
    description: 'The history up to this instant, inclusive; up to now when absent.',
    example: '2026-03-02T00:00:00Z',
    optional: true,
  })
  at?: Instant;
}

/** A read of what happened to one thing. */
export const HistoryRoute = (summary: string) =>
  answering(
    history,
    UseGuards(LargeReads),
    ApiOperation({ summary }),
    succeeds(200, 'The history.', history, historyExample),
    Problems(400, 404, 429),
  );
