import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { type AnyCommand, familyOf } from '#domain/ledger';
import { type CommandWish, defineProcess, takeFrom, type Untimed } from './process.ts';

type Erased = FactOf<'PersonErased'>;

/**
 * Ends what an erased person still had: leads are withdrawn from stock, orders and programmes cancelled, tickets closed, the
 * e-mail address released. What has ended by itself refuses, and is done.
 */
export const personErasure = defineProcess({
  name: 'person-erasure',
  eventTypes: [
    'PersonErased',
    'LeadWithdrawn',
    'OrderCancelled',
    'OrderFilled',
    'ProgrammeCancelled',
    'TicketClosed',
    'AddressReleased',
  ],
  /** Stream → the erasure that ends it. */
  initialState: () => new Map<string, Erased>(),

  evolve(ends, fact) {
    if (fact.type === 'PersonErased') for (const stream of fact.data.ends) ends.set(stream, fact);
    else ends.delete(fact.stream);
  },

  next: (ends, _moment, limit) => takeFrom(ends, limit).map(([stream, because]) => endOf(stream, because)),
});

const endOf = (stream: string, because: Erased): CommandWish => ({
  commandId: deriveId('EndForErased', because.eventId, stream),
  stream,
  command: commandThatEnds(stream, because),
  because,
});

function commandThatEnds(stream: string, { data: { subjects } }: Erased): Untimed<AnyCommand> {
  switch (familyOf(stream)) {
    case 'lead':
      return { type: 'WithdrawLead', reason: 'person erased' };
    case 'order':
      return { type: 'CancelOrder' };
    case 'programme':
      return { type: 'CancelProgramme', cause: 'customer' };
    case 'ticket':
      return { type: 'CloseTicket' };
    case 'address':
      return { type: 'ReleaseAddress', customerId: customerIn(subjects) };
    default:
      throw new RangeError(`an erasure cannot end ${stream}`);
  }
}

/** An address is released only for the customer who has it. */
const customerIn = (subjects: readonly string[]): string =>
  idOf(subjects.find((subject) => familyOf(subject) === 'customer') ?? customerStream(''));
