import { addSeconds } from '#domain/kernel/instants';
import type { PlaceOrderRequest } from '#requests/placing';
import type { Requests } from '#requests/requests';
import type { Agenda } from './agenda.ts';
import { businessAssociations, leadTypes } from './assortment.ts';
import type { Chance } from './chance.ts';
import { asCustomer, asOwner, asSupport, must } from './contexts.ts';
import { cadence, joins, type WayToOrder, wayToOrder, wishesAboutMails } from './habits.ts';
import type { People } from './people.ts';
import type { SampleData, SampleOrder } from './sample-orders.ts';
import { PROGRAMS_WITH_TROUBLE, troubledToken } from './trouble.ts';

const SHARE_DECLINED = 0.02;
const SECONDS_AT_THE_CHECKOUT = 600;

interface BuyersDependencies {
  readonly requests: Requests;
  readonly agenda: Agenda;
  readonly sample: SampleData;
  readonly people: People;
  readonly chance: Chance;
  readonly trouble: boolean;
}

/** The customers of the demo: they register, choose how leads come, and order. */
export class Buyers {
  readonly #requests: Requests;
  readonly #agenda: Agenda;
  readonly #sample: SampleData;
  readonly #people: People;
  readonly #chance: Chance;
  readonly #trouble: boolean;
  /** Customer number in the sample data → customer. */
  readonly #customers = new Map<string, string>();
  /** Token → how many orders were placed with it. */
  readonly paidWith = new Map<string, number>();
  /** Order → its customer. */
  readonly #buyers = new Map<string, string>();

  constructor({ requests, agenda, sample, people, chance, trouble }: BuyersDependencies) {
    this.#requests = requests;
    this.#agenda = agenda;
    this.#sample = sample;
    this.#people = people;
    this.#chance = chance;
    this.#trouble = trouble;
  }

  /** @returns the customer who placed an order */
  buyerOf(orderId: string): string | undefined {
    return this.#buyers.get(orderId);
  }

  async order(order: SampleOrder): Promise<void> {
    const { orderNumber, customerNumber } = order;
    const customerId = await this.#customer(customerNumber);
    const chance = this.#chance.of('ordering', orderNumber);
    const request = this.#requestOf(order, customerId, chance);
    const way = wayToOrder(chance);
    if (way.checkout) {
      await this.#checkOut(orderNumber, request, way);
      return;
    }
    const { id } = await must(this.#requests.orders.place(request, asCustomer(customerId, 'order', orderNumber)));
    this.#placed(id, request);
  }

  #placed(orderId: string, { customerId, paymentToken }: Pick<PlaceOrderRequest, 'customerId' | 'paymentToken'>): void {
    this.#buyers.set(orderId, customerId);
    this.paidWith.set(paymentToken, (this.paidWith.get(paymentToken) ?? 0) + 1);
  }

  #requestOf(
    { orderNumber, leadTypeId, quantity, dailyMaximum }: SampleOrder,
    customerId: string,
    chance: Chance,
  ): PlaceOrderRequest {
    const qualifies = leadTypes.some((type) => type.leadTypeId === leadTypeId && type.qualifiesForLoyaltyRewards);
    return {
      customerId,
      leadTypeId,
      quantity,
      ...(dailyMaximum && { dailyMaximum }),
      ...(qualifies && joins(chance) && { loyalty: { cadence: cadence(chance) } }),
      paymentToken: this.#tokenOf(orderNumber),
    };
  }

  #tokenOf(orderNumber: string): string {
    const token = this.#trouble ? troubledToken(this.#chance.of('trouble', orderNumber)) : undefined;
    if (token !== undefined) return token;
    const declined = this.#chance.of('payment', orderNumber).happens(SHARE_DECLINED);
    return declined ? 'tok_declined_insufficient_funds' : 'tok_ok';
  }

  async #checkOut(
    orderNumber: string,
    { paymentToken, ...selection }: PlaceOrderRequest,
    { code, finishes }: WayToOrder,
  ): Promise<void> {
    const { checkouts } = this.#requests;
    const { customerId } = selection;
    const started = asCustomer(customerId, 'checkout', orderNumber);
    const { id: checkoutId } = await must(checkouts.start(selection, started));
    if (code !== undefined) await this.#tryCoupon(checkoutId, code, { customerId, orderNumber });
    if (!finishes) return;
    this.#agenda.plan(addSeconds(this.#agenda.now, SECONDS_AT_THE_CHECKOUT), async () => {
      const context = asCustomer(customerId, 'order', orderNumber);
      const { id } = await must(checkouts.place(checkoutId, { paymentToken }, context));
      this.#placed(id, { customerId, paymentToken });
    });
  }

  /**
   * A code may be refused. For a code that was tried before, support gives another one, and the customer continues; but not
   * where an order has the discount already (CPN-4).
   */
  async #tryCoupon(
    checkoutId: string,
    code: string,
    { customerId, orderNumber }: { customerId: string; orderNumber: string },
  ): Promise<void> {
    const { checkouts, coupons } = this.#requests;
    const { outcome } = await checkouts.useCoupon(checkoutId, code, asCustomer(customerId, 'coupon', orderNumber));
    if (outcome.kind !== 'refused' || outcome.refusal.details?.reason !== 'tried-before') return;
    const fresh = { insteadOf: code, customerId, code: `${code}/${orderNumber}` };
    const given = await coupons.giveAlternative(fresh, asSupport('a good customer', 'fresh', orderNumber));
    if (given.outcome.kind === 'refused') return;
    const context = asCustomer(customerId, 'fresh coupon', orderNumber);
    await must(checkouts.useCoupon(checkoutId, fresh.code, context));
  }

  /** Registers a customer with the first order. */
  async #customer(customerNumber: string): Promise<string> {
    const known = this.#customers.get(customerNumber);
    if (known) return known;
    const id = await this.#register(customerNumber);
    this.#customers.set(customerNumber, id);
    await this.#choosePreferences(id, customerNumber);
    return id;
  }

  async #register(customerNumber: string): Promise<string> {
    const { storeId, timeZone } = this.#sample.customers.get(customerNumber) as { storeId: string; timeZone: string };
    const businessAssociation = this.#chance.of('business', customerNumber).pick(businessAssociations);
    const { firstName, lastName, email } = this.#people.someone(this.#chance.of('person', customerNumber));
    const address = email.replace('@', `.${customerNumber}@`);
    const request = { storeId, timeZone, businessAssociation, name: { firstName, lastName }, email: address };
    const { id } = await must(this.#requests.accounts.register(request, asOwner('register', customerNumber)));
    return id;
  }

  /** Some customers want fewer mails, or leads in another way. */
  async #choosePreferences(id: string, customerNumber: string): Promise<void> {
    const { accounts, leadDelivery } = this.#requests;
    const { off, each, webhookUrl } = wishesAboutMails(
      this.#chance.of('mails', customerNumber),
      this.#trouble ? PROGRAMS_WITH_TROUBLE : undefined,
    );
    if (off) await must(accounts.changeMailPreferences(id, off, asCustomer(id, 'mails off', customerNumber)));
    if (!each && webhookUrl === undefined) return;
    const delivery = { mails: each ? 'each' : 'digest', ...(webhookUrl !== undefined && { webhookUrl }) } as const;
    await must(leadDelivery.choose(id, delivery, asCustomer(id, 'lead delivery', customerNumber)));
  }
}
