import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { type AnyCommand, familyOf } from '#domain/ledger';
import { customerErased, erasuresStream } from '#domain/persons/erasures';
import { type CommandWish, defineProcess, type EffectWish, takeFrom, type Untimed } from './process.ts';

type Erased = FactOf<'PersonErased'>;
type Received = FactOf<'LeadReceived'>;
/** Something begins for a customer. */
type Begun = FactOf<(typeof beginnings)[number]>;
type Because = Erased | Received | Begun | FactOf<'OrderReopened'>;
type Ended = FactOf<(typeof endings)[number] | 'VerdictCorrected'>;

const beginnings = [
  'OrderPlaced',
  'ProgrammeJoined',
  'TicketOpened',
  'TicketReopened',
  'LetterSetAside',
  'AddressClaimed',
  'CheckoutStarted',
  'ReplacementRequested',
  'ReplacementOwed',
  'VerdictCorrected',
  'GoodwillGranted',
] as const;
const endings = [
  'LeadWithdrawn',
  'OrderCancelled',
  'OrderFilled',
  'ProgrammeCancelled',
  'TicketClosed',
  'AddressReleased',
  'CheckoutPlaced',
  'CheckoutAbandoned',
  'ChargebackDenied',
  'ReplacementDelivered',
  'ReplacementEnded',
  'LeadDelivered',
  'ReplacementForgiven',
] as const;

/** What is to be ended: a stream, or one replacement that an order owes. */
interface Open {
  readonly stream: string;
  readonly replacementId?: string | undefined;
  /** Of an address: it is released only for the customer who has it. */
  readonly holder?: string | undefined;
}

interface Erasures {
  readonly subjects: Set<string>;
  readonly personKeys: Set<string>;
  /** All streams that erasures name: a filled order of them may be re-opened. */
  readonly named: Set<string>;
  /** Checkouts, returns and owed replacements of customers who are not erased. An erasure names everything else. */
  readonly open: Map<string, Open & { readonly customer: string }>;
  readonly ends: Map<string, Open & { readonly because: Because }>;
  /** Leads of erased persons whose keys are not destroyed yet. */
  readonly late: Map<string, Received>;
}

/**
 * Ends what an erased person still had: leads are withdrawn from stock, orders and programmes cancelled, tickets closed, the
 * e-mail address released, checkouts abandoned, returns ended, replacements forgiven. What has ended by itself refuses, and
 * is done.
 *
 * A request that was under way may record a lead or an order of the person after the erasure. That is ended too, and the
 * lead's key is destroyed.
 */
export const personErasure = defineProcess({
  name: 'person-erasure',
  eventTypes: ['PersonErased', 'LeadReceived', 'OrderReopened', ...beginnings, ...endings],
  initialState: (): Erasures => ({
    subjects: new Set(),
    personKeys: new Set(),
    named: new Set(),
    open: new Map(),
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
      case 'LetterSetAside':
      case 'AddressClaimed':
      case 'CheckoutStarted':
      case 'ReplacementRequested':
      case 'ReplacementOwed':
      case 'GoodwillGranted':
        noteBegun(erasures, fact);
        break;
      case 'VerdictCorrected':
        if (fact.data.verdict === 'granted') noteBegun(erasures, fact);
        else noteEnded(erasures, fact);
        break;
      case 'OrderReopened':
        if (erasures.named.has(fact.stream)) erasures.ends.set(keyOf(fact), { stream: fact.stream, because: fact });
        break;
      default:
        noteEnded(erasures, fact);
    }
  },

  next({ ends, late }, _moment, limit) {
    const ended = takeFrom(ends, limit).map(([, end]) => endOf(end, end.because));
    return [...ended, ...takeFrom(late, limit - ended.length).map(([stream, because]) => eraseLead(stream, because))];
  },
});

function noteErased({ subjects, personKeys, named, open, ends, late }: Erasures, fact: Erased): void {
  for (const subject of fact.data.subjects) {
    subjects.add(subject);
    late.delete(subject);
  }
  for (const [key, { customer, ...one }] of open) {
    if (!subjects.has(customer)) continue;
    open.delete(key);
    ends.set(key, { ...one, because: fact });
  }
  for (const key of fact.data.personKeys) personKeys.add(key);
  for (const stream of fact.data.ends) {
    named.add(stream);
    for (const one of familyOf(stream) === 'address' ? withHolders(stream, fact) : [{ stream }])
      ends.set(keyOf(one), { ...one, because: fact });
  }
}

/** The erasure of several customers does not say which of them has an address. Who does not have it releases nothing. */
const withHolders = (stream: string, { data }: Erased): readonly Open[] =>
  data.subjects
    .filter((subject) => familyOf(subject) === 'customer')
    .map((subject) => ({ stream, holder: idOf(subject) }));

function noteReceived({ subjects, personKeys, ends, late }: Erasures, fact: Received): void {
  const { telephoneKey, emailKey } = fact.data;
  const isErased = [telephoneKey, emailKey].some((key) => key !== undefined && personKeys.has(key));
  if (!isErased) return;
  ends.set(keyOf(fact), { stream: fact.stream, because: fact });
  if (!subjects.has(fact.stream)) late.set(fact.stream, fact);
}

/** Families of which no erasure names the streams. */
const unnamed: readonly string[] = ['checkout', 'replacement'];

function noteBegun({ subjects, open, ends }: Erasures, fact: Begun): void {
  const { stream, type, data } = fact;
  const customer = customerStream(data.customerId);
  const one = {
    stream,
    ...(type === 'ReplacementOwed' && { replacementId: fact.data.replacementId }),
    ...(type === 'AddressClaimed' && { holder: data.customerId }),
  };
  if (subjects.has(customer)) ends.set(keyOf(one), { ...one, because: fact });
  else if (type === 'ReplacementOwed' || unnamed.includes(familyOf(stream))) open.set(keyOf(one), { ...one, customer });
}

function noteEnded({ open, ends }: Erasures, fact: Ended): void {
  const { stream } = fact;
  if (fact.type === 'LeadDelivered' && fact.data.replacementFor === undefined) return;
  const holder = fact.type === 'AddressReleased' ? fact.data.customerId : undefined;
  const key = keyOf({ stream, replacementId: forgivenOrDelivered(fact), holder });
  open.delete(key);
  ends.delete(key);
}

function forgivenOrDelivered({ type, data }: Ended): string | undefined {
  if (type === 'LeadDelivered') return data.replacementFor;
  return type === 'ReplacementForgiven' ? data.replacementId : undefined;
}

const keyOf = ({ stream, replacementId = '', holder = '' }: Open): string => `${stream} ${replacementId}${holder}`;

/** First the key is destroyed, then that is recorded: after a crash in between, it is done again. */
const eraseLead = (stream: string, because: Received): EffectWish => ({
  commandId: deriveId('EraseLateLead', because.eventId),
  stream: erasuresStream,
  effect: { kind: 'erase-lead', leadStream: stream },
  because,
});

const endOf = ({ stream, replacementId = '', holder = '' }: Open, because: Because): CommandWish => ({
  commandId: deriveId('EndForErased', because.eventId, stream, ...[replacementId, holder].filter(Boolean)),
  stream,
  command: replacementId
    ? { type: 'ForgiveReplacement', replacementId, cause: customerErased }
    : commandThatEnds(stream, holder),
  because,
});

function commandThatEnds(stream: string, holder: string): Untimed<AnyCommand> {
  const cause = customerErased;
  switch (familyOf(stream)) {
    case 'lead':
      return { type: 'WithdrawLead', reason: 'person erased' };
    case 'order':
      return { type: 'CancelOrder', cause };
    case 'programme':
      return { type: 'CancelProgramme', cause };
    case 'ticket':
      return { type: 'CloseTicket', cause };
    case 'checkout':
      return { type: 'AbandonCheckout', cause };
    case 'replacement':
      return { type: 'EndReplacement', cause };
    case 'address':
      return { type: 'ReleaseAddress', customerId: holder };
    default:
      throw new RangeError(`an erasure cannot end ${stream}`);
  }
}
