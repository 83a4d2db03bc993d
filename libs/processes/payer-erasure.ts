import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { orderStream } from '#domain/orders/order';
import { defineProcess, type EffectWish, takeFrom } from './process.ts';

/** Where the payment provider keeps the card of an order. */
interface Payer {
  readonly orderId: string;
  readonly providerCustomerId: string;
}

interface Payers {
  /** The customer of each order. */
  readonly customers: Map<string, string>;
  /** Of customers who are not erased, by customer. */
  readonly known: Map<string, Payer[]>;
  readonly erased: Map<string, FactOf<'PersonErased'>>;
  readonly toForget: Map<string, Payer & { readonly because: FactOf<'PersonErased'> }>;
}

/** The payment provider forgets an erased customer, too: the card that it keeps, and all that it knows of its holder. */
export const payerErasure = defineProcess({
  name: 'payer-erasure',
  eventTypes: [
    'OrderPlaced',
    'PaymentCaptured',
    'PaymentCapturedTooLate',
    'RenewalPaid',
    'PersonErased',
    'PayerForgotten',
  ],
  initialState: (): Payers => ({ customers: new Map(), known: new Map(), erased: new Map(), toForget: new Map() }),

  evolve(payers, fact) {
    switch (fact.type) {
      case 'OrderPlaced':
        payers.customers.set(idOf(fact.stream), customerStream(fact.data.customerId));
        break;
      case 'PersonErased':
        noteErased(payers, fact);
        break;
      case 'PayerForgotten':
        payers.toForget.delete(keyOf(idOf(fact.stream), fact.data.providerCustomerId));
        break;
      default:
        if (fact.data.providerCustomerId !== undefined)
          notePayer(payers, { orderId: idOf(fact.stream), providerCustomerId: fact.data.providerCustomerId });
    }
  },

  next: ({ toForget }, _moment, limit) => takeFrom(toForget, limit).map(([key, payer]) => payerToForget(key, payer)),
});

const keyOf = (orderId: string, providerCustomerId: string): string => `${orderId} ${providerCustomerId}`;

/** Also one of a charge that was under way while the customer was erased. */
function notePayer({ customers, known, erased, toForget }: Payers, payer: Payer): void {
  const { orderId, providerCustomerId } = payer;
  const customer = customers.get(orderId) ?? '';
  const because = erased.get(customer);
  if (because) toForget.set(keyOf(orderId, providerCustomerId), { ...payer, because });
  else if (!known.get(customer)?.some((one) => one.providerCustomerId === providerCustomerId))
    known.set(customer, [...(known.get(customer) ?? []), payer]);
}

function noteErased({ known, erased, toForget }: Payers, because: FactOf<'PersonErased'>): void {
  for (const subject of because.data.subjects) {
    erased.set(subject, because);
    for (const payer of known.get(subject) ?? [])
      toForget.set(keyOf(payer.orderId, payer.providerCustomerId), { ...payer, because });
    known.delete(subject);
  }
}

const payerToForget = (
  key: string,
  { orderId, providerCustomerId, because }: Payer & { readonly because: FactOf<'PersonErased'> },
): EffectWish => ({
  commandId: deriveId('forget-payer', key),
  stream: orderStream(orderId),
  effect: { kind: 'forget-payer', providerCustomerId },
  because,
});
