import type { FactOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { erasuresStream } from '#domain/persons/erasures';
import { defineProcess, takeFrom } from './process.ts';

/**
 * Completes each erasure, also one that was interrupted before its request had an answer: keys are destroyed, copies of mails
 * deleted, and what the request did not find is recorded as erased (ADR 26). What was found is an erasure too, which is
 * completed in turn, until nothing is new. After each start all erasures are completed once more: nothing is recorded when
 * nothing is new, and copies of mails that a backup brought back are deleted again.
 */
export const erasureCompletion = defineProcess({
  name: 'erasure-completion',
  eventTypes: ['PersonErased'],
  initialState: () => new Map<string, FactOf<'PersonErased'>>(),

  evolve(toComplete, fact) {
    toComplete.set(fact.eventId, fact);
  },

  next: (toComplete, { now }, limit) =>
    takeFrom(toComplete, limit).map(([eventId, because]) => ({
      // Another start may find something else: that is not the same command.
      commandId: deriveId('complete-erasure', eventId, now),
      stream: erasuresStream,
      effect: { kind: 'complete-erasure', erasure: because.data },
      because,
    })),
});
