import { z } from 'zod';
import { type History as AuditedHistory, historyOf as auditedHistoryOf } from '#audit/history';
import type { Instant } from '#domain/kernel/events';
import type { FamilyName } from '#domain/ledger';
import { hashOfEvent } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import type { Vault } from '#vault/vault';
import { InstantField } from './fields.ts';

export class HistoryQuery {
  @InstantField({
    description: 'the last instant to count; to the end when absent',
    example: '2026-03-02T00:00:00Z',
    optional: true,
  })
  at?: Instant;
}

export const history = z.object({
  events: z.array(
    z.object({
      revision: z.int(),
      type: z.string(),
      at: z.string(),
      data: z.record(z.string(), z.unknown()).describe('personal data opened, or {"erased": true}'),
      actor: z.string(),
      reason: z.string().optional(),
      commandId: z.string(),
      correlationId: z.string(),
      causationId: z.string().optional(),
      policyVersion: z.int().optional(),
      position: z.string(),
    }),
  ),
  state: z.unknown().describe('what the events add up to: what the next decision would know'),
});
export type History = z.infer<typeof history>;

export const historyExample: History = {
  events: [
    {
      revision: 1,
      type: 'OrderPaused',
      at: '2026-03-01T09:30:00.000Z',
      data: {},
      actor: 'customer:8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
      reason: 'on holiday',
      commandId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
      correlationId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
      position: '0000000000000042',
    },
  ],
  state: { status: 'paused', deliveredLeads: 3 },
};

/** What a client is told of a history: see `#audit/history`. */
export const historyOf = <Name extends FamilyName>(
  stores: { events: EventStore; vault: Vault },
  stream: `${Name}-${string}`,
  at: Instant | undefined,
): Promise<AuditedHistory | undefined> => auditedHistoryOf(stores, stream, { hashOf: hashOfEvent, ...(at && { at }) });
