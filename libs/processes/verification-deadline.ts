import { type FactOf, idOf } from '#domain/codec';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { replacementStream } from '#domain/replacements/replacement';
import type { Process } from './process.ts';

/** Records a request that got no verdict within its time (RPL-5). */
export const verificationDeadline: Process<Deadlines, (typeof eventTypes)[number]> = {
  name: 'verification-deadline',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({ open: new Map(), byDueDate: heapOf((a, b) => (verifyBy(a) < verifyBy(b) ? -1 : 1)) }),

  evolve({ open, byDueDate }, fact) {
    const replacementId = idOf(fact.stream);
    if (fact.type === 'ReplacementRequested') {
      const deadline = { replacementId, requested: fact, place: -1 };
      open.set(replacementId, deadline);
      byDueDate.put(deadline);
      return;
    }
    const deadline = open.get(replacementId);
    if (deadline) byDueDate.remove(deadline);
    open.delete(replacementId);
  },

  next({ byDueDate }, { now }, limit) {
    const wishes = [];
    for (let first = byDueDate.first(); first && verifyBy(first) <= now; first = byDueDate.first()) {
      if (wishes.length >= limit) break;
      byDueDate.remove(first);
      const { replacementId, requested } = first;
      wishes.push({
        commandId: deriveId('RecordOverdue', requested.eventId),
        stream: replacementStream(replacementId),
        command: { type: 'RecordOverdue' as const },
        because: requested,
      });
    }
    return wishes;
  },

  wakeAt: ({ byDueDate }) => {
    const first = byDueDate.first();
    return first && verifyBy(first);
  },
};

const eventTypes = ['ReplacementRequested', 'ChargebackGranted', 'ChargebackDenied', 'VerificationOverdue'] as const;

interface Deadline extends Placed {
  readonly replacementId: string;
  readonly requested: FactOf<'ReplacementRequested'>;
}

interface Deadlines {
  readonly open: Map<string, Deadline>;
  readonly byDueDate: Heap<Deadline>;
}

const verifyBy = ({ requested }: Deadline): string => requested.data.verifyBy;
