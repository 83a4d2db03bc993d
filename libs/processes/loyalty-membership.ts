import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { programmeStream } from '#domain/loyalty/programme';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

type OrderEnd = FactOf<'PaymentDeclined' | 'OrderCancelled'>;

interface Memberships {
  readonly toJoin: Map<string, FactOf<'OrderPlaced'>>;
  /** Orders whose programme was not cancelled. An order may end before its programme has begun. */
  readonly members: Map<string, { joined: boolean; orderEnd: OrderEnd | undefined }>;
  readonly toCancel: Map<string, OrderEnd>;
}

/** Begins the programme of an order that joined at checkout (LOY-1), and cancels it when the order ends. */
export const loyaltyMembership = defineProcess({
  name: 'loyalty-membership',
  eventTypes: ['OrderPlaced', 'PaymentDeclined', 'OrderCancelled', 'ProgrammeJoined', 'ProgrammeCancelled'],
  initialState: (): Memberships => ({ toJoin: new Map(), members: new Map(), toCancel: new Map() }),

  evolve(memberships, fact) {
    const orderId = idOf(fact.stream);
    const { toJoin, members, toCancel } = memberships;
    switch (fact.type) {
      case 'OrderPlaced':
        if (!fact.data.loyalty) break;
        toJoin.set(orderId, fact);
        members.set(orderId, { joined: false, orderEnd: undefined });
        break;
      case 'ProgrammeCancelled':
        members.delete(orderId);
        toCancel.delete(orderId);
        break;
      default:
        noteProgress(memberships, orderId, fact);
    }
  },

  next({ toJoin, toCancel }, _moment, limit) {
    const joining = takeFrom(toJoin, limit).map(([orderId, placed]) => joinProgramme(orderId, placed));
    const room = limit - joining.length;
    return [...joining, ...takeFrom(toCancel, room).map(([orderId, end]) => cancelProgramme(orderId, end))];
  },
});

/** A programme is cancelled when both are known: that it has begun, and that its order has ended. */
function noteProgress(
  { toJoin, members, toCancel }: Memberships,
  orderId: string,
  fact: OrderEnd | FactOf<'ProgrammeJoined'>,
): void {
  const member = members.get(orderId);
  if (!member) return;
  if (fact.type === 'ProgrammeJoined') {
    toJoin.delete(orderId);
    member.joined = true;
  } else member.orderEnd = fact;
  if (member.joined && member.orderEnd) toCancel.set(orderId, member.orderEnd);
}

function joinProgramme(orderId: string, because: FactOf<'OrderPlaced'>): CommandWish {
  const { at, renewalsCountedFrom: countedFrom = at, customerId, storeId, leadTypeId, loyalty } = because.data;
  const { cadence, cadenceDays } = loyalty as NonNullable<typeof loyalty>;
  return {
    commandId: deriveId('JoinProgramme', because.eventId),
    stream: programmeStream(orderId),
    command: { type: 'JoinProgramme', customerId, storeId, leadTypeId, cadence, cadenceDays, countedFrom },
    because,
  };
}

const cancelProgramme = (orderId: string, because: OrderEnd): CommandWish => ({
  commandId: deriveId('CancelProgramme', because.eventId),
  stream: programmeStream(orderId),
  command: { type: 'CancelProgramme', cause: because.type === 'OrderCancelled' ? 'order-cancelled' : 'payment-failed' },
  because,
});
