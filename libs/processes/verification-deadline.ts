import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { replacementStream } from '#domain/replacements/replacement';
import { defineProcess } from './process.ts';

/** Records that a request for a replacement had no verdict in time (RPL-5). */
export const verificationDeadline = defineProcess({
  name: 'verification-deadline',
  eventTypes: [
    'ReplacementRequested',
    'ChargebackGranted',
    'ChargebackDenied',
    'GoodwillGranted',
    'VerificationOverdue',
    'ReplacementEnded',
  ],
  initialState: () => new DueList<FactOf<'ReplacementRequested'>>(),

  evolve(deadlines, fact) {
    const replacementId = idOf(fact.stream);
    if (fact.type === 'ReplacementRequested') deadlines.put(replacementId, fact, fact.data.verifyBy);
    else deadlines.remove(replacementId);
  },

  next: (deadlines, { now }, limit) =>
    deadlines.take(now, limit).map((requested) => ({
      commandId: deriveId('RecordOverdue', requested.eventId),
      stream: replacementStream(idOf(requested.stream)),
      command: { type: 'RecordOverdue' },
      because: requested,
    })),

  wakeAt: (deadlines) => deadlines.nextDueAt(),
});
