import { checkoutStream, orderIdOf } from '#domain/checkouts/checkout';
import { couponStream } from '#domain/coupons/coupon';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import { orderStream } from '#domain/orders/order';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { FAR_AWAY_MILLISECONDS } from '#test/wait-until';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import type { AddressedCommand, Outcome } from './addressed-command.ts';
import { CommandHandler } from './command-handler.ts';
import { firstStore, prepareNewStore } from './first-start.ts';
import type { Receipt, RequestContext } from './request-tools.ts';
import { createRequests, type Requests } from './requests.ts';

/** Requests at the same moment. A step of one is held until another request is finished, so each test is deterministic. */

let events: EventStore;
let vault: Vault;
let handler: CommandHandler;
let requests: Requests;
const clock = new MovedClock('2026-03-02T15:00:00.000Z');
/** Before the first command of one of these types is decided, this is done. */
let held: { readonly types: readonly string[]; readonly first: () => Promise<unknown> } | undefined;

async function dispatch(asked: AddressedCommand): Promise<Outcome> {
  const type = 'type' in asked.command ? asked.command.type : 'refusal';
  if (held?.types.includes(type)) {
    const { first } = held;
    held = undefined;
    await first();
  }
  return handler.execute(asked);
}

beforeAll(async () => {
  events = await openEmbeddedStore();
  vault = await openVault({});
  handler = new CommandHandler(events);
  requests = createRequests({ streams: handler.streams, vault, clock, dispatch });
  await prepareNewStore(requests);
});
afterEach(() => expect(held).toBeUndefined());
afterAll(async () => {
  await events.close();
  vault.close();
});

let asked = 0;
const by = (actor: string, more: Partial<RequestContext> = {}): RequestContext => {
  asked += 1;
  return { caller: trialCaller(actor), commandId: deriveId('parallel-requests', String(asked)), ...more };
};
const support = () => by('staff:ada', { reason: 'asked by telephone' });

const resultOf = ({ outcome }: Receipt) => (outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind);

/** Sends a request; another one is finished while the first holds before a command of these types. */
async function during(
  types: readonly string[],
  first: () => Promise<unknown>,
  request: () => Promise<Receipt>,
): Promise<string> {
  held = { types, first };
  return resultOf(await request());
}

async function customer(more: object = {}): Promise<string> {
  const registration = { storeId: firstStore.storeId, businessAssociation: 'Abc', timeZone: 'UTC', ...more };
  return (await requests.accounts.register(registration, by('staff:ada'))).id;
}

async function checkout(customerId: string): Promise<string> {
  const wishes = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10 };
  return (await requests.checkouts.start(wishes, by(`customer:${customerId}`))).id;
}

async function coupon(): Promise<string> {
  asked += 1;
  const code = `SPRING ${asked}`;
  const details = { code, storeIds: ['main'], discount: { percent: 15 }, validFrom: clock.now() };
  await requests.coupons.define(details, by('staff:ada'));
  return code;
}

const take = (checkoutId: string, code: string) => requests.checkouts.useCoupon(checkoutId, code, by('staff:ada'));
const place = (checkoutId: string, token = 'tok_ok') =>
  requests.checkouts.place(checkoutId, { paymentToken: token }, by('staff:ada'));
const couponState = async (code: string) => (await handler.streams.read<'coupon'>(couponStream(code))).state;
const orderTerms = async (checkoutId: string) =>
  (await handler.streams.read<'order'>(orderStream(orderIdOf(checkoutId)))).state.terms;
const couponOf = async (checkoutId: string) =>
  (await handler.streams.read<'checkout'>(checkoutStream(checkoutId))).state.coupon?.code;

describe('CHK-1: a checkout that is placed while it takes a coupon', () => {
  it('refuses the coupon when it is closed first; the order costs the full price, and the code is not used up', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    const result = await during(
      ['TakeCoupon'],
      () => place(checkoutId),
      () => take(checkoutId, code),
    );
    expect(result).toBe('checkout-placed');
    expect((await orderTerms(checkoutId))?.coupon).toBeUndefined();
    expect(await couponOf(checkoutId)).toBeUndefined();
    expect((await couponState(code)).uses.size).toBe(0);
    expect(resultOf(await take(await checkout(customerId), code))).toBe('accepted');
  });

  it('gives the order the discount when the coupon was taken first', async () => {
    const [checkoutId, code] = [await checkout(await customer()), await coupon()];
    const coupled = () => take(checkoutId, code);
    expect(await during(['PlaceCheckout', 'PlaceOrder'], coupled, () => place(checkoutId))).toBe('accepted');
    expect(await couponOf(checkoutId)).toBe(code);
    expect((await orderTerms(checkoutId))?.coupon).toEqual({ code, discountCents: 900 });
  });

  it('has one order, also when it is placed twice at the same moment', async () => {
    const checkoutId = await checkout(await customer());
    const other = () => place(checkoutId, 'tok_other');
    const result = await during(['PlaceCheckout', 'PlaceOrder'], other, () => place(checkoutId));
    expect(result).toBe('checkout-placed');
    expect(resultOf(await other())).toBe('accepted');
    expect(resultOf(await place(checkoutId))).toBe('checkout-placed');
    const token = (await orderTerms(checkoutId))?.paymentToken;
    expect(token && (await vault.open(token))).toBe('tok_other');
  });

  it('is placed by a repeat of the request, at the terms with which it was closed, when the first one ended between the steps', async () => {
    const [checkoutId, code] = [await checkout(await customer()), await coupon()];
    const crash = () => Promise.reject(new Error('the program ended here'));
    await expect(during(['PlacePromisedOrder'], crash, () => place(checkoutId))).rejects.toThrow('ended here');
    expect(await orderTerms(checkoutId)).toBeUndefined();
    expect(resultOf(await take(checkoutId, code))).toBe('checkout-placed');
    const { pricePerLeadCents, ...price } = { storeId: 'main', leadTypeId: 'exclusive-fresh', pricePerLeadCents: 700 };
    const limits = { currency: 'USD', smallestOrder: 1, largestOrder: 1000 };
    await requests.catalogue.setPrice({ ...price, pricePerLeadCents, ...limits }, by('staff:ada'));
    expect(resultOf(await place(checkoutId))).toBe('accepted');
    expect(await orderTerms(checkoutId)).toMatchObject({ pricePerLeadCents: 600, quantity: 10 });
    await requests.catalogue.setPrice({ ...price, pricePerLeadCents: 600, ...limits }, by('staff:ada'));
  });

  it('refuses to be placed from another revision than the one that the caller saw', async () => {
    const [checkoutId, code] = [await checkout(await customer()), await coupon()];
    const seen = () =>
      requests.checkouts.place(checkoutId, { paymentToken: 'tok_ok' }, by('staff:ada', { ifRevision: 0 }));
    expect(await during(['PlaceCheckout'], () => take(checkoutId, code), seen)).toBe('revision-mismatch');
    expect(await orderTerms(checkoutId)).toBeUndefined();
  });
});

describe('CPN-2: a refused attempt does not use the code up', () => {
  it('when another code was taken at the same moment', async () => {
    const [customerId, code, other] = [await customer(), await coupon(), await coupon()];
    const checkoutId = await checkout(customerId);
    const result = await during(
      ['TakeCoupon'],
      () => take(checkoutId, other),
      () => take(checkoutId, code),
    );
    expect(result).toBe('one-coupon-only');
    expect(await couponOf(checkoutId)).toBe(other);
    expect(resultOf(await take(await checkout(customerId), code))).toBe('accepted');
    expect(resultOf(await take(await checkout(customerId), other))).toBe('invalid-coupon');
  });

  it('when another request with the same key placed the order first', async () => {
    const [customerId, code, other] = [await customer(), await coupon(), await coupon()];
    const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
    const { commandId } = by('staff:ada');
    const placeWith = (more: object, requestHash: string) =>
      requests.orders.place({ ...order, ...more }, by('staff:ada', { commandId, requestHash }));
    const first = () => placeWith({ couponCode: other }, 'A');
    expect(await during(['PlaceOrder'], first, () => placeWith({ couponCode: code }, 'B'))).toBe('key-reused');
    expect([...(await couponState(code)).uses, ...(await couponState(other)).uses.keys()]).toEqual([customerId]);
  });

  it('when the checkout changed since the caller saw it', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    const stale = by('staff:ada', { ifRevision: 7 });
    expect(resultOf(await requests.checkouts.useCoupon(checkoutId, code, stale))).toBe('revision-mismatch');
    expect(resultOf(await take(await checkout(customerId), code))).toBe('accepted');
  });
});

describe('CPN-4: an alternative code ends the first one', () => {
  const alternative = (customerId: string, insteadOf: string, code = `${insteadOf} again`) =>
    requests.coupons.giveAlternative({ customerId, insteadOf, code }, support());

  it('in an open checkout, which may take the alternative instead', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const [first, second] = [await checkout(customerId), await checkout(customerId)];
    await take(first, code);
    expect(resultOf(await alternative(customerId, code))).toBe('accepted');
    expect(await couponOf(first)).toBeUndefined();
    for (const other of [code, await coupon()]) expect(resultOf(await take(first, other))).toBe('one-coupon-only');
    expect(resultOf(await take(second, `${code} again`))).toBe('accepted');
    await Promise.all([place(first), place(second)]);
    expect((await orderTerms(first))?.coupon).toBeUndefined();
    expect((await orderTerms(second))?.coupon?.code).toBe(`${code} again`);
  });

  it('in a checkout that is just taking the first one', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    const result = await during(
      ['TakeCoupon'],
      () => alternative(customerId, code),
      () => take(checkoutId, code),
    );
    expect(result).toBe('one-coupon-only');
    expect(await couponOf(checkoutId)).toBeUndefined();
    expect(resultOf(await take(await checkout(customerId), code))).toBe('invalid-coupon');
  });

  it('and is refused once an order has the discount, unless its payment failed', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    await take(checkoutId, code);
    const placed = () => place(checkoutId, 'tok_declined');
    const result = await during(['ReplaceTakenCoupon', 'GiveAlternativeCoupon'], placed, () =>
      alternative(customerId, code),
    );
    expect(result).toBe('coupon-discount-taken');
    const declined = { type: 'DeclinePayment', at: clock.now(), reason: 'card-declined' } as const;
    await sendAsProcess(orderStream(orderIdOf(checkoutId)), declined);
    expect(resultOf(await alternative(customerId, code))).toBe('accepted');
    expect(resultOf(await take(await checkout(customerId), `${code} again`))).toBe('accepted');
  });

  it('also where an order was placed without a checkout, or is just being placed', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok', couponCode: code };
    let duringOrder = '';
    const meanwhile = async () => {
      duringOrder = resultOf(await alternative(customerId, code));
    };
    expect(await during(['PlaceOrder'], meanwhile, () => requests.orders.place(order, support()))).toBe('accepted');
    expect(duringOrder).toBe('coupon-discount-taken');
    expect(resultOf(await alternative(customerId, code))).toBe('coupon-discount-taken');
  });

  it('in an order whose request stood still for a minute: that order is not placed with it any more', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok', couponCode: code };
    const context = support();
    const meanwhile = async () => {
      await clock.moveTo(addSeconds(clock.now(), 61));
      expect(resultOf(await alternative(customerId, code))).toBe('accepted');
    };
    expect(await during(['PlaceOrder'], meanwhile, () => requests.orders.place(order, context))).toBe(
      'coupon-replaced',
    );
    expect(resultOf(await requests.orders.place(order, context))).toBe('invalid-coupon');
    expect(resultOf(await take(await checkout(customerId), `${code} again`))).toBe('accepted');
  });

  it('unless that order is placed first: then it keeps the discount', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok', couponCode: code };
    const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const standsStill = () => {
      reached.resolve();
      return gate.promise;
    };
    const placing = during(['PlaceOrder'], standsStill, () => requests.orders.place(order, support()));
    await reached.promise;
    await clock.moveTo(addSeconds(clock.now(), 61));
    const first = () => {
      gate.resolve();
      return placing;
    };
    const given = await during(['ReplaceOrderCoupon'], first, () => alternative(customerId, code));
    expect([await placing, given]).toEqual(['accepted', 'coupon-discount-taken']);
  });

  it('after a late payment, which is given back', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    await take(checkoutId, code);
    await place(checkoutId);
    const stream = orderStream(orderIdOf(checkoutId));
    await requests.orders.cancel(orderIdOf(checkoutId), by(`customer:${customerId}`));
    const payment = { at: clock.now(), reference: 'late', amountCents: 5100, currency: 'USD' };
    await sendAsProcess(stream, { type: 'CapturePayment', ...payment });
    expect(resultOf(await alternative(customerId, code))).toBe('accepted');
  });

  it('and is given, where its program ended before it could, by a request for yet another one', async () => {
    for (const step of ['ReplaceCoupon', 'GiveAlternativeCoupon']) {
      const [customerId, code] = [await customer(), await coupon()];
      const checkoutId = await checkout(customerId);
      await take(checkoutId, code);
      const crash = () => Promise.reject(new Error('the program ended here'));
      await expect(during([step], crash, () => alternative(customerId, code))).rejects.toThrow('ended here');
      expect((await couponState(`${code} again`)).defined).toBeUndefined();
      expect(resultOf(await alternative(customerId, code, `${code} once more`))).toBe('coupon-replaced');
      expect((await couponState(`${code} again`)).customerId).toBe(customerId);
      expect(resultOf(await take(checkoutId, `${code} again`))).toBe('accepted');
    }
  });

  it('and another one is given where somebody else got the code meanwhile', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    await take(checkoutId, code);
    const details = { code: `${code} again`, storeIds: ['main'], discount: { percent: 1 }, validFrom: clock.now() };
    const define = () => requests.coupons.define(details, by('staff:ada'));
    expect(await during(['GiveAlternativeCoupon'], define, () => alternative(customerId, code))).toBe('coupon-exists');
    expect(resultOf(await alternative(customerId, code, `${code} once more`))).toBe('accepted');
    expect(resultOf(await take(checkoutId, `${code} once more`))).toBe('accepted');
    expect(resultOf(await alternative(customerId, code, 'a third one'))).toBe('coupon-replaced');
  });

  it('also when three programs give ten codes at once', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    await take(checkoutId, code);
    const programs = [1, 2, 3].map(() => {
      const own = new CommandHandler(events);
      return createRequests({ streams: own.streams, vault, clock, dispatch: (asked) => own.execute(asked) });
    });
    const names = Array.from({ length: 10 }, (_, index) => `${code} ${index}`);
    const receipts = await Promise.all(
      names.map((name, index) =>
        (programs[index % 3] as Requests).coupons.giveAlternative(
          { customerId, insteadOf: code, code: name },
          support(),
        ),
      ),
    );
    const given = names.filter((_, index) => resultOf(receipts[index] as Receipt) === 'accepted');
    expect(given).toHaveLength(1);
    const defined = await Promise.all(names.map(async (name) => (await couponState(name)).defined?.code));
    expect(defined.filter((name) => name !== undefined)).toEqual(given);
    expect(resultOf(await take(checkoutId, given[0] as string))).toBe('accepted');
  });

  it('one at a time', async () => {
    const [customerId, code] = [await customer(), await coupon()];
    await take(await checkout(customerId), code);
    expect(resultOf(await alternative(customerId, code))).toBe('accepted');
    expect(resultOf(await alternative(customerId, code))).toBe('accepted');
    expect(resultOf(await alternative(customerId, code, `${code} once more`))).toBe('coupon-replaced');
  });
});

describe('ACC-4: of two changes of a password at the same moment, only the one that knew the current one counts', () => {
  const password = 'correct horse';
  const change = (customerId: string, next: string) =>
    requests.passwords.set(customerId, { password: next, currentPassword: password }, by(`customer:${customerId}`));

  it('when both were checked against the same password', async () => {
    const customerId = await customer({ email: 'one@example.org', password });
    const result = await during(
      ['SetPassword'],
      () => change(customerId, 'the first'),
      () => change(customerId, 'the second'),
    );
    expect(result).toBe('password-wrong');
  });

  it('when the first password is set twice', async () => {
    const customerId = await customer({ email: 'two@example.org' });
    const result = await during(
      ['SetPassword'],
      () => change(customerId, 'the first'),
      () => change(customerId, 'the second'),
    );
    expect(result).toBe('password-wrong');
  });

  it('when the password was recovered meanwhile', async () => {
    const customerId = await customer({ email: 'three@example.org', password });
    await requests.passwords.requestRecovery('three@example.org', by('anonymous'));
    const recover = async () =>
      requests.passwords.recover(await recoveryToken(customerId), 'recovered', by('anonymous'));
    expect(await during(['SetPassword'], recover, () => change(customerId, 'the second'))).toBe('password-wrong');
  });

  async function recoveryToken(customerId: string): Promise<string> {
    for await (const { type, data } of events.readStream(`customer-${customerId}`))
      if (type === 'PasswordRecoveryRequested')
        return (await vault.open(JSON.parse(new TextDecoder().decode(data)).token)) as string;
    throw new Error('no recovery was requested');
  }
});

async function sendAsProcess(stream: string, command: AddressedCommand['command']): Promise<void> {
  const commandId = by('process:spec').commandId;
  const caller = {
    kind: 'process',
    actor: 'process:spec',
    roles: ['process'],
  } as unknown as AddressedCommand['caller'];
  await handler.execute({
    stream,
    command,
    caller,
    cause: { commandId, correlationId: commandId, actor: 'process:spec' },
  });
}

describe('requests that wait for the store before their command is decided', () => {
  it('count from their arrival on: beyond a thousand are refused at once, and those of processes are not counted', async () => {
    const gate = Promise.withResolvers<void>();
    const read: CommandHandler['streams']['read'] = async (...asked) => {
      await gate.promise;
      return handler.streams.read(...asked);
    };
    const waiting = createRequests({ streams: { read, head: () => handler.streams.head() }, vault, clock, dispatch });
    const until = performance.now() + FAR_AWAY_MILLISECONDS;
    const rename = (more: Partial<RequestContext>) =>
      waiting.catalogue.setStatementDescriptor('LEADGER', by('staff:ada', more));
    const asked = Array.from({ length: 1000 }, () => rename({ until }));
    const ofProcess = rename({});
    await expect(rename({ until })).rejects.toThrow('1000 commands wait for the event store already');
    gate.resolve();
    await Promise.all([...asked, ofProcess]);
    await rename({ until });
  });

  it('wait as long as their caller does, with all that they look up', async () => {
    const waits: (number | undefined)[] = [];
    const read: CommandHandler['streams']['read'] = (stream, patience) => {
      waits.push(patience?.until);
      return handler.streams.read(stream, patience);
    };
    const until = performance.now() + FAR_AWAY_MILLISECONDS;
    const watched = createRequests({ streams: { read, head: () => handler.streams.head() }, vault, clock, dispatch });
    const change = { type: 'ChangeTimeZone', at: clock.now(), timeZone: 'UTC' } as const;
    await watched.send(`customer-${await customer()}`, change, { ...support(), until });
    expect(waits.length).toBeGreaterThan(1);
    expect(new Set(waits)).toEqual(new Set([until]));
  });
});
