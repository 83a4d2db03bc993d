import { type FactOf, idOf } from '#domain/codec';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { ticketStream } from '#domain/support/ticket';
import type { Process } from './process.ts';

/** Records a ticket that got no answer within its time (SUP-1). */
export const ticketDeadline: Process<Deadlines, (typeof eventTypes)[number]> = {
  name: 'ticket-deadline',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({ open: new Map(), byDueDate: heapOf((a, b) => (dueAt(a) < dueAt(b) ? -1 : 1)) }),

  evolve({ open, byDueDate }, fact) {
    const ticketId = idOf(fact.stream);
    if (fact.type === 'TicketOpened' || fact.type === 'TicketReopened') {
      const deadline = { ticketId, written: fact, place: -1 };
      open.set(ticketId, deadline);
      byDueDate.put(deadline);
      return;
    }
    const deadline = open.get(ticketId);
    if (deadline) byDueDate.remove(deadline);
    open.delete(ticketId);
  },

  next({ byDueDate }, { now }, limit) {
    const wishes = [];
    for (let first = byDueDate.first(); first && dueAt(first) <= now; first = byDueDate.first()) {
      if (wishes.length >= limit) break;
      byDueDate.remove(first);
      const { ticketId, written } = first;
      wishes.push({
        commandId: deriveId('RecordTicketOverdue', written.eventId),
        stream: ticketStream(ticketId),
        command: { type: 'RecordTicketOverdue' as const },
        because: written,
      });
    }
    return wishes;
  },

  wakeAt: ({ byDueDate }) => {
    const first = byDueDate.first();
    return first && dueAt(first);
  },
};

const eventTypes = ['TicketOpened', 'TicketReopened', 'TicketAnswered', 'TicketClosed', 'TicketOverdue'] as const;

interface Deadline extends Placed {
  readonly ticketId: string;
  /** What waits for an answer. */
  readonly written: FactOf<'TicketOpened' | 'TicketReopened'>;
}

interface Deadlines {
  readonly open: Map<string, Deadline>;
  readonly byDueDate: Heap<Deadline>;
}

const dueAt = ({ written }: Deadline): string => written.data.dueAt;
