import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { ticketStream } from '#domain/support/ticket';
import { defineProcess } from './process.ts';

/** Records that a ticket had no answer in time (SUP-1). */
export const ticketDeadline = defineProcess({
  name: 'ticket-deadline',
  eventTypes: ['TicketOpened', 'TicketReopened', 'TicketAnswered', 'TicketClosed', 'TicketOverdue'],
  initialState: () => new DueList<FactOf<'TicketOpened' | 'TicketReopened'>>(),

  evolve(deadlines, fact) {
    const ticketId = idOf(fact.stream);
    if (fact.type === 'TicketOpened' || fact.type === 'TicketReopened') deadlines.put(ticketId, fact, fact.data.dueAt);
    else deadlines.remove(ticketId);
  },

  next: (deadlines, { now }, limit) =>
    deadlines.take(now, limit).map((written) => ({
      commandId: deriveId('RecordTicketOverdue', written.eventId),
      stream: ticketStream(idOf(written.stream)),
      command: { type: 'RecordTicketOverdue' },
      because: written,
    })),

  wakeAt: (deadlines) => deadlines.nextDueAt(),
});
