import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { type AnyCommand, familyOf } from '#domain/ledger';
import { erasuresStream } from '#domain/persons/erasures';
import { type CommandWish, defineProcess, type EffectWish, takeFrom, type Untimed } from './process.ts';

type Erased = FactOf<'PersonErased'>;
type Received = FactOf<'LeadReceived'>;
/** Something begins for a customer. The request may have been under way when the customer was erased. */
type Begun = FactOf<(typeof beginnings)[number]>;
type End = FactOf<(typeof endings)[number]>;

const beginnings = ['OrderPlaced', 'ProgrammeJoined', 'TicketOpened', 'TicketReopened', 'AddressClaimed'] as const;
const endings = [
  'LeadWithdrawn',
  'OrderCancelled',
  'OrderFilled',
  'ProgrammeCancelled',
  'TicketClosed',
  'AddressReleased',
] as const;

interface Erasures {
  readonly subjects: Set<string>;
  readonly personKeys: Set<string>;
  /** Stream → why it is ended. */
  readonly ends: Map<string, Erased | Received | Begun>;
  /** Leads of erased persons whose keys are not destroyed yet. */
  readonly late: Map<string, Received>;
}

/**
 * Ends what an erased person still had: leads are withdrawn from stock, orders and programmes cancelled, tickets closed, the
 * e-mail address released. What has ended by itself refuses, and is done.
 *
 * A request that was under way may record a lead or an order of the person after the erasure. That is ended too, and the
 * lead's key is destroyed.
 */
export const personErasure = defineProcess({
  name: 'person-erasure',
  eventTypes: ['PersonErased', 'LeadReceived', ...beginnings, ...endings],
  initialState: (): Erasures => ({
    subjects: new Set(),
    personKeys: new Set(),
    ends: new Map(),
    late: new Map(),
  }),

  evolve(erasures, fact) {
    switch (fact.type) {
      case 'PersonErased':
        noteErased(erasures, fact);
        break;
      case 'LeadReceived':
        noteReceived(erasures, fact);
        break;
      case 'OrderPlaced':
      case 'ProgrammeJoined':
      case 'TicketOpened':
      case 'TicketReopened':
      case 'AddressClaimed':
        if (erasures.subjects.has(customerStream(fact.data.customerId))) erasures.ends.set(fact.stream, fact);
        break;
      default:
        fact satisfies End;
        erasures.ends.delete(fact.stream);
    }
  },

  next({ ends, late }, _moment, limit) {
    const ended = takeFrom(ends, limit).map(([stream, because]) => endOf(stream, because));
    return [...ended, ...takeFrom(late, limit - ended.length).map(([stream, because]) => eraseLead(stream, because))];
  },
});

function noteErased({ subjects, personKeys, ends, late }: Erasures, fact: Erased): void {
  for (const subject of fact.data.subjects) {
    subjects.add(subject);
    late.delete(subject);
  }
  for (const key of fact.data.personKeys) personKeys.add(key);
  for (const stream of fact.data.ends) ends.set(stream, fact);
}

function noteReceived({ subjects, personKeys, ends, late }: Erasures, fact: Received): void {
  const { telephoneKey, emailKey } = fact.data;
  const isErased = [telephoneKey, emailKey].some((key) => key !== undefined && personKeys.has(key));
  if (!isErased) return;
  ends.set(fact.stream, fact);
  if (!subjects.has(fact.stream)) late.set(fact.stream, fact);
}

/** First the key is destroyed, then that is recorded: after a crash in between, it is done again. */
const eraseLead = (stream: string, because: Received): EffectWish => ({
  commandId: deriveId('EraseLateLead', because.eventId),
  stream: erasuresStream,
  effect: { kind: 'erase-lead', leadStream: stream },
  because,
});

const endOf = (stream: string, because: Erased | Received | Begun): CommandWish => ({
  commandId: deriveId('EndForErased', because.eventId, stream),
  stream,
  command: commandThatEnds(stream, because),
  because,
});

function commandThatEnds(stream: string, because: Erased | Received | Begun): Untimed<AnyCommand> {
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
      return { type: 'ReleaseAddress', customerId: holderIn(because) };
    default:
      throw new RangeError(`an erasure cannot end ${stream}`);
  }
}

/** An address is released only for the customer who has it. */
function holderIn(because: Erased | Received | Begun): string {
  if (because.type === 'AddressClaimed') return because.data.customerId;
  const subjects = because.type === 'PersonErased' ? because.data.subjects : [];
  return idOf(subjects.find((subject) => familyOf(subject) === 'customer') ?? customerStream(''));
}
