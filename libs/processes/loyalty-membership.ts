import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { programmeStream } from '#domain/loyalty/programme';
import type { CommandWish, Process } from './process.ts';

/** Begins the programme of an order that joined at checkout (LOY-1), and ends it with the order. */
export const loyaltyMembership: Process<ToDo, (typeof eventTypes)[number]> = {
  name: 'loyalty-membership',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({ toJoin: new Map(), members: new Map(), toEnd: new Map() }),

  evolve({ toJoin, members, toEnd }, fact) {
    const orderId = idOf(fact.stream);
    if (fact.type === 'OrderPlaced') {
      if (!fact.data.loyalty) return;
      toJoin.set(orderId, fact);
      members.set(orderId, { joined: false, ending: undefined });
      return;
    }
    const member = members.get(orderId);
    if (!member) return;
    switch (fact.type) {
      case 'ProgrammeJoined':
        toJoin.delete(orderId);
        member.joined = true;
        break;
      case 'PaymentDeclined':
      case 'OrderCancelled':
        member.ending = fact;
        break;
      case 'ProgrammeCancelled':
        members.delete(orderId);
        toEnd.delete(orderId);
        return;
    }
    if (member.joined && member.ending) toEnd.set(orderId, member.ending);
  },

  next({ toJoin, toEnd }, _moment, limit) {
    const wishes: CommandWish[] = [];
    for (const [orderId, placed] of toJoin) {
      if (wishes.length >= limit) return wishes;
      toJoin.delete(orderId);
      wishes.push(join(orderId, placed));
    }
    for (const [orderId, ending] of toEnd) {
      if (wishes.length >= limit) return wishes;
      toEnd.delete(orderId);
      wishes.push(end(orderId, ending));
    }
    return wishes;
  },
};

const eventTypes = [
  'OrderPlaced',
  'PaymentDeclined',
  'OrderCancelled',
  'ProgrammeJoined',
  'ProgrammeCancelled',
] as const;

type Ending = FactOf<'PaymentDeclined' | 'OrderCancelled'>;

interface ToDo {
  readonly toJoin: Map<string, FactOf<'OrderPlaced'>>;
  /** Orders whose programme has not been cancelled. What ended before it has joined is ended afterwards. */
  readonly members: Map<string, { joined: boolean; ending: Ending | undefined }>;
  readonly toEnd: Map<string, Ending>;
}

function join(orderId: string, because: FactOf<'OrderPlaced'>): CommandWish {
  const { at: countedFrom, customerId, storeId, leadTypeId, loyalty } = because.data;
  const { cadence, cadenceDays } = loyalty as NonNullable<typeof loyalty>;
  return {
    commandId: deriveId('JoinProgramme', because.eventId),
    stream: programmeStream(orderId),
    command: { type: 'JoinProgramme', customerId, storeId, leadTypeId, cadence, cadenceDays, countedFrom },
    because,
  };
}

const end = (orderId: string, because: Ending): CommandWish => ({
  commandId: deriveId('CancelProgramme', because.eventId),
  stream: programmeStream(orderId),
  command: { type: 'CancelProgramme', cause: because.type === 'OrderCancelled' ? 'order-cancelled' : 'payment-failed' },
  because,
});
