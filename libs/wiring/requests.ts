import { type CustomerState, customerStream, isRegistered } from '#domain/accounts/customer';
import {
  type CatalogueState,
  catalogueStream,
  type LeadType,
  type Price,
  priceAt,
  type Store,
  unknownStore,
} from '#domain/catalogue/catalogue';
import { checkoutStream, refuseCoupon, refuseIn } from '#domain/checkouts/checkout';
import type { Cause } from '#domain/codec';
import {
  type CouponDefinition,
  couponIdOf,
  couponStream,
  type Discount,
  discountCentsOf,
  invalidCoupon,
  tryOf,
} from '#domain/coupons/coupon';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type Contact, normaliseEmail, normaliseTelephone } from '#domain/leads/contact';
import { contactBookStream } from '#domain/leads/contact-book';
import { leadStream } from '#domain/leads/lead';
import type { AnyCommand, CommandOf } from '#domain/ledger';
import { type LoyaltyTerms, loyaltyTermsOf } from '#domain/loyalty/bonus';
import { programmeStream } from '#domain/loyalty/programme';
import { webhookStream } from '#domain/notifications/webhook';
import { type DailyMaximum, dailyMaximumOf, order, orderStream } from '#domain/orders/order';
import { noPolicy, type PolicyDocument, type PolicyVersion, policyAt, policyStream } from '#domain/policy/policy';
import { replacementIdOf, replacementStream } from '#domain/replacements/replacement';
import type { Clock } from '#gateways/clock';
import type { Vault } from '#vault/vault';
import { Accounts } from './accounts.ts';
import { type Answer, type Caller, notOwner, notStaff, notSupport, notYours, type Send } from './caller.ts';
import type { Ledger, Order as LedgerOrder, Outcome } from './ledger.ts';
import { Support } from './support.ts';

export type { Answer, Caller };

export interface PlaceOrder {
  readonly customerId: string;
  readonly leadTypeId: string;
  readonly quantity: number;
  readonly dailyMaximum?: DailyMaximum | undefined;
  /** IANA name; the customer's own when absent. */
  readonly timeZone?: string;
  readonly paymentToken: string;
  /** To join Loyalty Rewards with the cadence of this name. */
  readonly loyalty?: { readonly cadence: string } | undefined;
  /** As it was typed: every character counts (CPN-1). */
  readonly couponCode?: string;
}

export type StartCheckout = Omit<PlaceOrder, 'paymentToken' | 'couponCode'>;

export interface ReceiveLead {
  readonly leadTypeId: string;
  readonly source: string;
  readonly capturedAt?: Instant;
  readonly contact: Contact;
}

export interface RequestReplacement {
  readonly orderId: string;
  readonly leadId: string;
  readonly reason: string;
  readonly note?: string;
}

interface Needs {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Sends a command to the ledger: over the command bus in an application. */
  readonly send: (order: LedgerOrder) => Promise<Outcome>;
}

/**
 * What people ask of the store. Each request looks up what the decision needs to know (price, policy, receipt), seals
 * personal data, and sends one command. Deciding is left to the domain.
 */
export class Requests {
  readonly accounts: Accounts;
  readonly support: Support;
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
    const send: Send = (...asked) => this.#send(...asked);
    this.accounts = new Accounts(needs, send);
    this.support = new Support(needs, send);
  }

  openStore(store: Store, caller: Caller): Promise<Answer> {
    const command = { type: 'OpenStore', at: this.#now(), ...store } as const;
    return this.#send(store.storeId, catalogueStream, notStaff(caller, 'STO-1') ?? command, caller);
  }

  setStatementDescriptor(descriptor: string, caller: Caller): Promise<Answer> {
    const command = { type: 'SetStatementDescriptor', at: this.#now(), descriptor } as const;
    return this.#send('main', catalogueStream, notStaff(caller, 'STO-2') ?? command, caller);
  }

  defineLeadType(leadType: LeadType, caller: Caller): Promise<Answer> {
    const command = { type: 'DefineLeadType', at: this.#now(), ...leadType } as const;
    return this.#send(leadType.leadTypeId, catalogueStream, notStaff(caller, 'CAT-1') ?? command, caller);
  }

  setPrice(price: Omit<Price, 'effectiveFrom'> & { effectiveFrom?: Instant }, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const command = { type: 'SetPrice', at, effectiveFrom: at, ...price } as const;
    return this.#send('main', catalogueStream, notStaff(caller, 'CAT-3') ?? command, caller);
  }

  publishPolicy(request: { policy: PolicyDocument; effectiveFrom?: Instant }, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const command = { type: 'PublishPolicy', at, author: caller.actor, effectiveFrom: at, ...request } as const;
    return this.#send('main', policyStream, notStaff(caller, 'POL-1') ?? command, caller);
  }

  /** CHK-1, CAT-3: the order keeps the price, the descriptor and the policy version of this moment. */
  async placeOrder(request: PlaceOrder, caller: Caller): Promise<Answer> {
    const id = deriveId('order', caller.commandId);
    const placing = await this.#placing(request, caller);
    if (request.couponCode === undefined || isRefusal(placing)) return this.#send(id, orderStream(id), placing, caller);
    // Was its key used before? Whatever is asked with it now, no coupon is tried for it any more.
    const { state: known } = await this.#needs.ledger.read<'order'>(orderStream(id));
    if (known.terms) return this.#send(id, orderStream(id), placing, caller);
    const worth = await this.#worthOf(request.couponCode, id, placing, caller);
    const command = isRefusal(worth) ? worth : withCoupon(placing, request.couponCode, worth);
    return this.#send(id, orderStream(id), command, caller);
  }

  /** CHK-1. What is wrong with it is told now, not when it is placed. */
  async startCheckout(request: StartCheckout, caller: Caller): Promise<Answer> {
    const id = deriveId('checkout', caller.commandId);
    const placing = await this.#placing({ ...request, paymentToken: 'not-yet' }, caller);
    if (isRefusal(placing)) return this.#send(id, checkoutStream(id), placing, caller);
    const { storeId, timeZone } = placing;
    const command = { type: 'StartCheckout', at: this.#now(), ...request, storeId, timeZone } as const;
    return this.#send(id, checkoutStream(id), command, caller);
  }

  /** CPN-2: a code that is taken is used up for the customer, whatever becomes of the checkout. */
  async tryCoupon(checkoutId: string, code: string, caller: Caller): Promise<Answer> {
    const stream = checkoutStream(checkoutId);
    const { state } = await this.#needs.ledger.read<'checkout'>(stream);
    const { wishes, coupon } = state;
    const refusal =
      (wishes && notYours(wishes.customerId, caller, 'CHK-1')) ??
      (coupon?.code === code ? undefined : refuseCoupon(state));
    if (!wishes || refusal) return this.#send(checkoutId, stream, refusal ?? refuseIn('unknown'), caller);
    const worth = await this.#worthOf(code, checkoutId, wishes, caller);
    const command = isRefusal(worth)
      ? worth
      : ({ type: 'TakeCoupon', at: this.#now(), code, discount: worth } as const);
    return this.#send(checkoutId, stream, command, caller);
  }

  /** The order that a checkout leads to: one, however often it is asked for. */
  async placeCheckout(checkoutId: string, paymentToken: string, caller: Caller): Promise<Answer> {
    const id = deriveId('order of checkout', checkoutId);
    const { state } = await this.#needs.ledger.read<'checkout'>(checkoutStream(checkoutId));
    const { status, wishes, coupon } = state;
    if (!wishes || status === 'abandoned') return this.#send(id, orderStream(id), refuseIn(status), caller);
    const placing = await this.#placing({ ...wishes, paymentToken }, caller);
    if (isRefusal(placing)) return this.#send(id, orderStream(id), placing, caller);
    const command = coupon ? withCoupon(placing, coupon.code, coupon.discount) : placing;
    return this.#send(id, orderStream(id), { ...command, checkoutId }, caller);
  }

  defineCoupon(coupon: CouponDefinition, caller: Caller): Promise<Answer> {
    const command = { type: 'DefineCoupon', at: this.#now(), ...coupon } as const;
    return this.#defineCoupon(coupon, notStaff(caller, 'CPN-3') ?? command, caller);
  }

  /** CPN-4, SUP-2. What is not said is as it is with the code that it stands in for. */
  async giveAlternativeCoupon(
    { insteadOf, customerId, code }: { insteadOf: string; customerId: string; code: string },
    caller: Caller,
  ): Promise<Answer> {
    const at = this.#now();
    const { state } = await this.#needs.ledger.read<'coupon'>(couponStream(insteadOf));
    const refusal =
      notSupport(caller, 'CPN-4') ??
      (state.uses.has(customerId)
        ? undefined
        : refuse('coupon-not-used', `the customer did not use ${JSON.stringify(insteadOf)} up`, 'CPN-4'));
    if (refusal || !state.defined)
      return this.#send(couponIdOf(code), couponStream(code), refusal ?? invalidCoupon('unknown'), caller);
    const { storeIds, leadTypeIds, discount, validUntil } = state.defined;
    const fresh = {
      code,
      storeIds,
      ...(leadTypeIds && { leadTypeIds }),
      discount,
      validFrom: at,
      ...(validUntil !== undefined && validUntil > at && { validUntil }),
      totalLimit: 1,
    };
    return this.#defineCoupon(fresh, { type: 'GiveAlternativeCoupon', at, customerId, insteadOf, ...fresh }, caller);
  }

  async #defineCoupon(coupon: CouponDefinition, command: AnyCommand | Refusal, caller: Caller): Promise<Answer> {
    const { state: catalogue } = await this.#needs.ledger.read<'catalogue'>(catalogueStream);
    const store = coupon.storeIds.find((storeId) => !catalogue.stores.has(storeId));
    const leadType = coupon.leadTypeIds?.find((leadTypeId) => !catalogue.leadTypes.has(leadTypeId));
    const refusal = store === undefined ? leadType !== undefined && unknownLeadType(leadType) : unknownStore(store);
    return this.#send(couponIdOf(coupon.code), couponStream(coupon.code), refusal || command, caller);
  }

  /** @returns what the code is worth to this checkout, or why it is nothing */
  async #worthOf(
    code: string,
    checkoutId: string,
    { customerId, storeId, leadTypeId }: { customerId: string; storeId: string; leadTypeId: string },
    { commandId, actor, reason }: Caller,
  ): Promise<Discount | Refusal> {
    const stream = couponStream(code);
    const { state: before } = await this.#needs.ledger.read<'coupon'>(stream);
    // A code that is nobody's gets no stream: any text may be typed.
    if (!before.defined) return invalidCoupon('unknown');
    const command = { type: 'TryCoupon', at: this.#now(), code, customerId, checkoutId, storeId, leadTypeId } as const;
    const caller = { actor, commandId: deriveId('try-coupon', commandId), ...(reason !== undefined && { reason }) };
    await this.#send(couponIdOf(code), stream, command, caller);
    const { state } = await this.#needs.ledger.read<'coupon'>(stream);
    return tryOf(state, customerId, checkoutId);
  }

  /** The command that places an order, where the rules let it be placed; else why they do not. */
  async #placing(request: PlaceOrder, caller: Caller): Promise<PlaceOrderCommand | Refusal> {
    const refusal = notYours(request.customerId, caller, 'CHK-1');
    if (refusal) return refusal;
    const at = this.#now();
    const [{ state: customer }, terms] = await Promise.all([
      this.#needs.ledger.read<'customer'>(customerStream(request.customerId)),
      this.#termsOfBusiness(at),
    ]);
    const command = placeOrderCommand(at, request, customer, terms);
    if (isRefusal(command)) return command;
    // Asked of a new order, so that no coupon is used up by what would be refused anyway.
    const decision = order.decide(command, order.initialState());
    return isRefusal(decision) ? decision : command;
  }

  /** ORD-3: in Loyalty Rewards a pause ends by itself, after the days that the policy of this moment gives it. */
  async pauseOrder(orderId: string, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const [{ state: programme }, { policy }] = await Promise.all([
      this.#needs.ledger.read<'programme'>(programmeStream(orderId)),
      this.#termsOfBusiness(at),
    ]);
    const restart = programme.status !== 'cancelled' &&
      policy && { afterDays: policy.policy.restartPausedAfterDays, policyVersion: policy.version };
    return this.#ofOrder(
      orderId,
      orderStream(orderId),
      { type: 'PauseOrder', at, ...(restart && { restart }) },
      caller,
    );
  }

  restartOrder(orderId: string, caller: Caller): Promise<Answer> {
    return this.#ofOrder(orderId, orderStream(orderId), { type: 'RestartOrder', at: this.#now() }, caller);
  }

  cancelOrder(orderId: string, caller: Caller): Promise<Answer> {
    return this.#ofOrder(orderId, orderStream(orderId), { type: 'CancelOrder', at: this.#now() }, caller);
  }

  changeDailyMaximum(orderId: string, dailyMaximum: DailyMaximum, caller: Caller): Promise<Answer> {
    const command = { type: 'ChangeDailyMaximum', at: this.#now(), dailyMaximum } as const;
    return this.#send(orderId, orderStream(orderId), notSupport(caller, 'ORD-4') ?? command, caller);
  }

  changePaymentCard(orderId: string, paymentToken: string, caller: Caller): Promise<Answer> {
    const command = { type: 'ChangePaymentCard', at: this.#now(), paymentToken } as const;
    return this.#send(orderId, orderStream(orderId), notSupport(caller, 'ORD-4') ?? command, caller);
  }

  holdProgramme(orderId: string, caller: Caller): Promise<Answer> {
    return this.#ofOrder(orderId, programmeStream(orderId), { type: 'HoldProgramme', at: this.#now() }, caller);
  }

  activateProgramme(orderId: string, caller: Caller): Promise<Answer> {
    return this.#ofOrder(orderId, programmeStream(orderId), { type: 'ActivateProgramme', at: this.#now() }, caller);
  }

  cancelProgramme(orderId: string, caller: Caller): Promise<Answer> {
    const command = { type: 'CancelProgramme', at: this.#now(), cause: 'customer' } as const;
    return this.#ofOrder(orderId, programmeStream(orderId), command, caller);
  }

  /** What a customer does with its own order (BCK-2, BCK-3). */
  async #ofOrder(orderId: string, stream: string, command: AnyCommand, caller: Caller): Promise<Answer> {
    const { terms } = (await this.#needs.ledger.read<'order'>(orderStream(orderId))).state;
    return this.#send(orderId, stream, (terms && notYours(terms.customerId, caller, 'BCK-2')) ?? command, caller);
  }

  /**
   * Takes leads in. The same person, source, type and capture instant is the same lead: taken in twice, it is there
   * once. Where no capture instant tells two occasions apart, `occasion` may. A caller with a key of its own for a
   * lead names its id instead.
   * @returns one answer per lead, in the order given
   */
  async receiveLeads(
    requests: readonly (ReceiveLead & { occasion?: string; leadId?: string })[],
    caller: Caller,
  ): Promise<Answer[]> {
    const at = this.#now();
    const { catalogue, policy } = await this.#termsOfBusiness(at);
    const prepared = await Promise.all(
      requests.map(async (request) => {
        const { leadTypeId, source, capturedAt, contact, occasion = '' } = request;
        const { vault } = this.#needs;
        const keys = this.#personKeys(contact);
        const id =
          request.leadId ??
          deriveId('lead', leadTypeId, source, keys.telephoneKey ?? '', keys.emailKey ?? '', capturedAt ?? occasion);
        const commandId = request.leadId ? caller.commandId : deriveId('receive-lead', id);
        const leadType = catalogue.leadTypes.get(leadTypeId);
        if (!leadType || !policy) return { id, commandId, command: leadType ? noPolicy : unknownLeadType(leadTypeId) };
        const command: AnyCommand = {
          type: 'ReceiveLead',
          at,
          leadTypeId,
          maximumCustomers: leadType.exclusivity === 'exclusive' ? 1 : policy.policy.maximumCustomersPerSharedLead,
          source,
          ...(capturedAt && { capturedAt }),
          ...keys,
          contact: await vault.seal(leadStream(id), contact),
          policyVersion: policy.version,
        };
        return { id, commandId, command };
      }),
    );
    return Promise.all(
      prepared.map(({ id, commandId, command }) =>
        this.#send(id, leadStream(id), command, { ...caller, commandId }, { likelyNew: true }),
      ),
    );
  }

  #personKeys(contact: Contact): { telephoneKey?: string; emailKey?: string } {
    const { vault } = this.#needs;
    const telephone = contact.telephone && normaliseTelephone(contact.telephone);
    const email = contact.email && normaliseEmail(contact.email);
    return {
      ...(telephone && { telephoneKey: vault.personKey('telephone', telephone) }),
      ...(email && { emailKey: vault.personKey('email', email) }),
    };
  }

  /** RPL-1, RPL-2. The receipt that counts is the one in the order's stream. */
  async requestReplacement(request: RequestReplacement, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const { orderId, leadId, reason, note } = request;
    const id = replacementIdOf(orderId, leadId);
    const [{ state: order }, { policy }] = await Promise.all([
      this.#needs.ledger.read<'order'>(orderStream(orderId)),
      this.#termsOfBusiness(at),
    ]);
    const deliveredAt = order.receipts.get(leadId);
    if (!order.terms || !deliveredAt || !policy) {
      const refusal = policy
        ? refuse('lead-not-delivered', `lead ${leadId} was not delivered to order ${orderId}`, 'RPL-1')
        : noPolicy;
      return this.#send(id, replacementStream(id), refusal, caller);
    }
    const { customerId, storeId, leadTypeId } = order.terms;
    const refusal = notYours(customerId, caller, 'RPL-1');
    if (refusal) return this.#send(id, replacementStream(id), refusal, caller);
    const command: AnyCommand = {
      type: 'RequestReplacement',
      at,
      orderId,
      leadId,
      leadTypeId,
      customerId,
      storeId,
      reason,
      ...(note && { note: await this.#needs.vault.seal(leadStream(leadId), note) }),
      deliveredAt,
      returnPolicy: { policyVersion: policy.version, ...policy.policy },
    };
    return this.#send(id, replacementStream(id), command, caller);
  }

  grantChargeback(replacementId: string, caller: Caller): Promise<Answer> {
    const command = notSupport(caller, 'SUP-2') ?? ({ type: 'GrantChargeback', at: this.#now() } as const);
    return this.#send(replacementId, replacementStream(replacementId), command, caller);
  }

  denyChargeback(replacementId: string, explanation: string, caller: Caller): Promise<Answer> {
    const command = notSupport(caller, 'SUP-2') ?? ({ type: 'DenyChargeback', at: this.#now(), explanation } as const);
    return this.#send(replacementId, replacementStream(replacementId), command, caller);
  }

  /** DLV-9: whoever the lead was delivered to, or support, has it sent again. */
  async replayWebhook(webhookId: string, caller: Caller): Promise<Answer> {
    const stream = webhookStream(webhookId);
    const { wish } = (await this.#needs.ledger.read<'webhook'>(stream)).state;
    const command = { type: 'ReplayWebhook', at: this.#now() } as const;
    return this.#send(webhookId, stream, (wish && notOwner(wish.customerId, caller)) ?? command, caller);
  }

  rateContact(customerId: string, leadId: string, rating: number, caller: Caller): Promise<Answer> {
    const command = { type: 'RateContact', at: this.#now(), leadId, rating } as const;
    return this.#send(leadId, contactBookStream(customerId), notYours(customerId, caller, 'RPL-1') ?? command, caller);
  }

  #now(): Instant {
    return this.#needs.clock.now();
  }

  async #termsOfBusiness(at: Instant): Promise<TermsOfBusiness> {
    const { ledger } = this.#needs;
    const [{ state: catalogue }, { state: policies }] = await Promise.all([
      ledger.read<'catalogue'>(catalogueStream),
      ledger.read<'policy'>(policyStream),
    ]);
    return { catalogue, policy: policyAt(policies, at) };
  }

  /** A refusal goes the same way as a command: a repeat of a request that was accepted gets its first outcome. */
  async #send(
    id: string,
    stream: string,
    command: AnyCommand | Refusal,
    { ifRevision, ...caller }: Caller,
    hints: { likelyNew?: boolean } = {},
  ): Promise<Answer> {
    const cause: Cause = { ...caller, correlationId: caller.commandId };
    const order = { stream, command, cause, ...(ifRevision !== undefined && { ifRevision }), ...hints };
    return { id, outcome: await this.#needs.send(order) };
  }
}

type PlaceOrderCommand = Extract<CommandOf<'order'>, { type: 'PlaceOrder' }>;

const withCoupon = (command: PlaceOrderCommand, code: string, worth: Discount): PlaceOrderCommand => ({
  ...command,
  coupon: { code, discountCents: discountCentsOf(worth, command.quantity * command.pricePerLeadCents) },
});

interface TermsOfBusiness {
  readonly catalogue: CatalogueState;
  readonly policy: PolicyVersion | undefined;
}

/** CHK-1, CAT-3. */
function placeOrderCommand(
  at: Instant,
  request: PlaceOrder,
  customer: CustomerState,
  { catalogue, policy }: TermsOfBusiness,
): PlaceOrderCommand | Refusal {
  const { customerId, leadTypeId, quantity, dailyMaximum, paymentToken } = request;
  const { storeId } = customer;
  if (!isRegistered(customer)) return refuse('customer-unknown', `there is no customer ${customerId}`);
  const leadType = catalogue.leadTypes.get(leadTypeId);
  if (!leadType) return unknownLeadType(leadTypeId);
  const price = priceAt(catalogue, storeId, leadTypeId, at);
  if (!price) return refuse('not-sold', `store ${storeId} does not sell ${leadTypeId} at present`, 'CAT-3');
  if (!policy) return noPolicy;
  const loyalty = request.loyalty && loyaltyFor(request.loyalty, leadType, policy.policy);
  if (loyalty && 'refused' in loyalty) return loyalty;
  return {
    type: 'PlaceOrder',
    at,
    customerId,
    storeId,
    leadTypeId,
    quantity,
    ...(dailyMaximum && { dailyMaximum: dailyMaximumOf(dailyMaximum, quantity) }),
    timeZone: request.timeZone ?? customer.timeZone,
    pricePerLeadCents: price.pricePerLeadCents,
    currency: price.currency,
    paymentToken,
    statementDescriptor: catalogue.descriptor ?? '',
    policyVersion: policy.version,
    ...(loyalty && { loyalty }),
    orderLimits: { smallest: price.smallestOrder, largest: price.largestOrder },
    batchType: leadType.freshness !== 'real-time',
  };
}

/** CAT-4, LOY-1. */
function loyaltyFor(
  { cadence }: { cadence: string },
  leadType: LeadType,
  policy: PolicyDocument,
): LoyaltyTerms | Refusal {
  const { leadTypeId, exclusivity, qualifiesForLoyaltyRewards } = leadType;
  if (exclusivity !== 'exclusive' && !qualifiesForLoyaltyRewards)
    return refuse('not-in-loyalty-rewards', `${leadTypeId} does not qualify for Loyalty Rewards`, 'CAT-4');
  const known = policy.renewalCadences.map(({ name }) => name).join(', ');
  return (
    loyaltyTermsOf(cadence, exclusivity, policy) ?? refuse('unknown-cadence', `the cadences are: ${known}`, 'LOY-1')
  );
}

const unknownLeadType = (id: string) => refuse('unknown-lead-type', `there is no lead type ${id}`, 'CAT-1');
