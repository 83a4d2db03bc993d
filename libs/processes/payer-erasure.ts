import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { addHours } from '#domain/kernel/instants';
import { orderStream } from '#domain/orders/order';
import type { PayerToForget } from '#domain/orders/payments';
import { keyOfCapture, keyOfRenewal } from './charge-keys.ts';
import { defineProcess, type EffectWish, takeFrom } from './process.ts';

/** Where the payment provider keeps the card of an order, or may keep it. */
interface Payer {
  readonly orderId: string;
  readonly payer: PayerToForget;
}
type Erased = FactOf<'PersonErased'>;
type ToForget = Payer & { readonly because: Erased };

interface Payers {
  /** The customer of each order. */
  readonly customers: Map<string, string>;
  /** Of customers who are not erased, by customer, each by its key. */
  readonly known: Map<string, Map<string, Payer>>;
  readonly erased: Map<string, Erased>;
  readonly toForget: Map<string, ToForget>;
  /** By the key of their charge. */
  readonly toLookFor: DueList<ToForget>;
}

/** What the provider made a moment ago it does not find yet, and an answer that was under way may still name it. */
const HOURS_UNTIL_FOUND = 0.25;

/**
 * The payment provider forgets an erased customer, too: the card that it keeps, and all that it knows of its holder. A charge that was
 * declined, or has no answer, may have made it keep the card: then no event has its customer, and it is looked for by the key of the charge.
 */
export const payerErasure = defineProcess({
  name: 'payer-erasure',
  eventTypes: [
    'OrderPlaced',
    'PaymentCaptured',
    'PaymentCapturedTooLate',
    'RenewalBegun',
    'RenewalPaid',
    'PersonErased',
    'PayerForgotten',
  ],
  initialState: (): Payers => ({
    customers: new Map(),
    known: new Map(),
    erased: new Map(),
    toForget: new Map(),
    toLookFor: new DueList(),
  }),

  evolve(payers, fact) {
    const orderId = idOf(fact.stream);
    switch (fact.type) {
      case 'OrderPlaced':
        payers.customers.set(orderId, customerStream(fact.data.customerId));
        if (fact.data.loyalty && fact.data.totalCents > 0)
          notePayer(payers, { orderId, payer: { chargeKey: keyOfCapture(orderId) } });
        break;
      case 'RenewalBegun':
        if (fact.data.charge.providerCustomerId === undefined)
          notePayer(payers, { orderId, payer: { chargeKey: keyOfRenewal(orderId, fact.data) } });
        break;
      case 'PersonErased':
        noteErased(payers, fact);
        break;
      case 'PayerForgotten':
        payers.toForget.delete(keyOf({ orderId, payer: fact.data as PayerToForget }));
        payers.toLookFor.remove(keyOf({ orderId, payer: fact.data as PayerToForget }));
        break;
      default:
        noteAnswer(payers, orderId, fact);
    }
  },

  next({ toForget, toLookFor }, { now }, limit) {
    const forgotten = takeFrom(toForget, limit).map(([, one]) => one);
    return [...forgotten, ...toLookFor.take(now, limit - forgotten.length)].map(payerToForget);
  },

  wakeAt: ({ toLookFor }) => toLookFor.nextDueAt(),
});

const keyOf = ({ orderId, payer }: Payer): string =>
  `${orderId} ${'chargeKey' in payer ? payer.chargeKey : payer.providerCustomerId}`;

/** An answer says where the card is kept, or that it is not. What staff found at the provider does not say it. */
function noteAnswer(
  payers: Payers,
  orderId: string,
  fact: FactOf<'PaymentCaptured' | 'PaymentCapturedTooLate' | 'RenewalPaid'>,
): void {
  const { providerCustomerId } = fact.data;
  const mayBeFound = fact.type === 'PaymentCapturedTooLate' || (fact.type === 'RenewalPaid' && fact.data.owedBack);
  if (providerCustomerId !== undefined || !mayBeFound) forgetCharge(payers, orderId, chargeOf(orderId, fact));
  if (providerCustomerId !== undefined) notePayer(payers, { orderId, payer: { providerCustomerId } });
}

const chargeOf = (orderId: string, fact: Parameters<typeof noteAnswer>[2]): string =>
  fact.type === 'RenewalPaid' ? keyOfRenewal(orderId, fact.data) : keyOfCapture(orderId);

function forgetCharge({ customers, known, toLookFor }: Payers, orderId: string, chargeKey: string): void {
  const key = keyOf({ orderId, payer: { chargeKey } });
  known.get(customers.get(orderId) ?? '')?.delete(key);
  toLookFor.remove(key);
}

/** Also one of a charge that was under way while the customer was erased. */
function notePayer(payers: Payers, payer: Payer): void {
  const { customers, known, erased } = payers;
  const customer = customers.get(payer.orderId) ?? '';
  const because = erased.get(customer);
  if (because) noteToForget(payers, { ...payer, because });
  else known.set(customer, (known.get(customer) ?? new Map<string, Payer>()).set(keyOf(payer), payer));
}

function noteErased(payers: Payers, because: Erased): void {
  for (const subject of because.data.subjects) {
    payers.erased.set(subject, because);
    for (const payer of payers.known.get(subject)?.values() ?? []) noteToForget(payers, { ...payer, because });
    payers.known.delete(subject);
  }
}

function noteToForget({ toForget, toLookFor }: Payers, one: ToForget): void {
  if ('chargeKey' in one.payer) toLookFor.put(keyOf(one), one, addHours(one.because.data.at, HOURS_UNTIL_FOUND));
  else toForget.set(keyOf(one), one);
}

const payerToForget = (one: ToForget): EffectWish => ({
  commandId: deriveId('forget-payer', keyOf(one)),
  stream: orderStream(one.orderId),
  effect: { kind: 'forget-payer', ...one.payer },
  because: one.because,
});
