import fc from 'fast-check';
import { trialCaller } from '#domain/kernel/caller';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { CommandHandler } from '#requests/command-handler';
import { given, minute } from '#test/given';
import {
  type CouponEvent,
  type CouponRefusalReason,
  coupon,
  couponStream,
  type Discount,
  discountCentsOf,
} from './coupon.ts';

const code = 'SPRING 26';
const definition = { code, storeIds: ['main'], discount: { percent: 15 }, validFrom: minute(0) };
const defined = (more: object = {}): CouponEvent => ({
  type: 'CouponDefined',
  data: { at: minute(0), ...definition, ...more },
});
const attempt = (customerId: string, checkoutId: string, more: object = {}) => ({
  type: 'TryCoupon' as const,
  at: minute(5),
  customerId,
  checkoutId,
  storeId: 'main',
  leadTypeId: 'exclusive-fresh',
  ...more,
});
const used = (customerId: string, checkoutId: string): CouponEvent => ({
  type: 'CouponUsed',
  data: { at: minute(5), code, customerId, checkoutId, discount: { percent: 15 } },
});
const refused = (checkoutId: string, reason: CouponRefusalReason, triedAt?: string): CouponEvent => ({
  type: 'CouponRefused',
  data: { at: minute(5), code, customerId: 'c1', checkoutId, reason, ...(triedAt && { triedAt }) },
});

describe('a coupon', () => {
  it('CPN-2: is used by the first attempt of a customer; a later one is refused with the instant of the first', () => {
    given(coupon, defined()).when(attempt('c1', 'k1')).thenRecords(used('c1', 'k1'));
    given(coupon, defined(), used('c1', 'k1'))
      .when(attempt('c1', 'k2'))
      .thenRecords(refused('k2', 'tried-before', minute(5)));
    given(coupon, defined(), used('c1', 'k1')).when(attempt('c2', 'k3')).thenRecords(used('c2', 'k3'));
  });

  it.each<[CouponRefusalReason, object, object]>([
    ['not-this-store', {}, { storeId: 'north' }],
    ['not-yet-valid', { validFrom: minute(6) }, {}],
    ['expired', { validUntil: minute(4) }, {}],
    ['wrong-lead-type', { leadTypeIds: ['shared-fresh'] }, {}],
  ])('CPN-3: is refused as %s, and nothing is used up', (reason, more, asked) => {
    given(coupon, defined(more))
      .when(attempt('c1', 'k1', asked))
      .thenRecords(refused('k1', reason));
  });

  it('CPN-3: a text that is no code of the store is refused, and recorded nowhere', () => {
    given(coupon).when(attempt('c1', 'k1')).thenRefuses('invalid-coupon', 'CPN-3');
  });

  it('CPN-3: is valid at its first and at its last instant', () => {
    given(coupon, defined({ validFrom: minute(5), validUntil: minute(5) }))
      .when(attempt('c1', 'k1'))
      .thenRecords(used('c1', 'k1'));
  });

  it('CPN-4: replaces one coupon: the same code for another coupon is refused, so that no customer gets a used code', () => {
    const fresh = { at: minute(1), ...definition, customerId: 'c1', insteadOf: 'WINTER 25' };
    const givenOnce = given(coupon, { type: 'AlternativeCouponGiven', data: fresh });
    givenOnce.when({ type: 'GiveAlternativeCoupon', ...fresh }).thenRecords();
    givenOnce
      .when({ type: 'GiveAlternativeCoupon', ...fresh, insteadOf: 'AUTUMN 25' })
      .thenRefuses('coupon-exists', 'CPN-1');
  });

  it('CPN-2: is returned when its checkout did not take it: then it was not tried', () => {
    const giveBack = { type: 'ReturnCoupon' as const, at: minute(6), customerId: 'c1', checkoutId: 'k1' };
    const returned: CouponEvent = {
      type: 'CouponReturned',
      data: { at: minute(6), code, customerId: 'c1', checkoutId: 'k1' },
    };
    given(coupon, defined(), used('c1', 'k1')).when(giveBack).thenRecords(returned);
    given(coupon, defined({ totalLimit: 1 }), used('c1', 'k1'), returned)
      .when(attempt('c2', 'k2'))
      .thenRecords(used('c2', 'k2'));
    given(coupon, defined(), used('c1', 'k1'), returned).when(attempt('c1', 'k2')).thenRecords(used('c1', 'k2'));
    for (const past of [[], [defined()], [defined(), used('c1', 'k2')]])
      given(coupon, ...past)
        .when(giveBack)
        .thenNothing();
  });

  it('CPN-4: gives no discount any more, also where it was tried, once the customer has another code', () => {
    const use = { customerId: 'c1', checkoutId: 'k1' };
    const replace = { type: 'ReplaceCoupon' as const, at: minute(6), ...use, by: 'FRESH' };
    const replaced: CouponEvent = { type: 'CouponReplaced', data: { at: minute(6), code, ...use, by: 'FRESH' } };
    const returned: CouponEvent = { type: 'CouponReturned', data: { at: minute(7), code, ...use } };
    given(coupon, defined(), used('c1', 'k1')).when(replace).thenRecords(replaced);
    for (const past of [
      [used('c1', 'k1'), replaced],
      [used('c1', 'k1'), replaced, returned],
    ])
      for (const checkoutId of ['k1', 'k2'])
        given(coupon, defined(), ...past)
          .when(attempt('c1', checkoutId))
          .thenRecords(refused(checkoutId, 'tried-before', minute(5)));
    given(coupon, defined(), used('c1', 'k1'), replaced)
      .when({ ...replace, by: 'ANOTHER' })
      .thenRefuses('coupon-replaced', 'CPN-4');
    given(coupon, defined(), used('c1', 'k2')).when(replace).thenRefuses('coupon-not-used', 'CPN-4');
    given(coupon, defined()).when(replace).thenRefuses('coupon-not-used', 'CPN-4');
  });

  it('is not defined twice in different ways, nor to end before it begins', () => {
    given(coupon, defined())
      .when({ type: 'DefineCoupon', at: minute(1), ...definition, discount: { percent: 20 } })
      .thenRefuses('coupon-exists', 'CPN-1');
    given(coupon, defined())
      .when({ type: 'DefineCoupon', at: minute(1), ...definition })
      .thenNothing();
    given(coupon)
      .when({ type: 'DefineCoupon', at: minute(1), ...definition, validUntil: '2020-01-01T00:00:00.000Z' })
      .thenRefuses('coupon-never-valid');
  });

  it('CPN-4: an alternative that ended untried may be replaced; from then on nobody tries it', () => {
    const given1: CouponEvent = {
      type: 'AlternativeCouponGiven',
      data: { at: minute(1), ...definition, validUntil: minute(5), customerId: 'c1', insteadOf: 'WINTER 25' },
    };
    const replace = { type: 'ReplaceCoupon' as const, customerId: 'c1', checkoutId: 'k0', by: 'FRESH' };
    const replaced: CouponEvent = {
      type: 'CouponReplaced',
      data: { at: minute(6), code, customerId: 'c1', checkoutId: 'k0', by: 'FRESH' },
    };
    given(coupon, given1)
      .when({ ...replace, at: minute(5) })
      .thenRefuses('coupon-not-used', 'CPN-4');
    given(coupon, given1)
      .when({ ...replace, at: minute(6), customerId: 'c2' })
      .thenRefuses('coupon-not-used', 'CPN-4');
    given(coupon, given1)
      .when({ ...replace, at: minute(6) })
      .thenRecords(replaced);
    // Tried by a program whose clock is behind.
    given(coupon, given1, replaced)
      .when(attempt('c1', 'k1'))
      .thenRecords(refused('k1', 'tried-before', minute(6)));
    given(coupon, given1, used('c1', 'k1'))
      .when({ ...replace, at: minute(6) })
      .thenRefuses('coupon-not-used', 'CPN-4');
  });

  it('CPN-4: names another code where the customer was not given the one that was named before', () => {
    const use = { customerId: 'c1', checkoutId: 'k1' };
    const replaced = (by: string): CouponEvent => ({
      type: 'CouponReplaced',
      data: { at: minute(6), code, ...use, by },
    });
    const again = { type: 'ReplaceCoupon' as const, at: minute(6), ...use, by: 'OTHER' };
    given(coupon, defined(), used('c1', 'k1'), replaced('TAKEN'))
      .when({ ...again, formerly: 'TAKEN' })
      .thenRecords(replaced('OTHER'));
    given(coupon, defined(), used('c1', 'k1'), replaced('FIRST'))
      .when({ ...again, formerly: 'TAKEN' })
      .thenRefuses('coupon-replaced', 'CPN-4');
  });

  it('CPN-1: is not defined with a code that nobody can type, nor with an amount without a currency', () => {
    const define = { type: 'DefineCoupon' as const, at: minute(0), ...definition };
    given(coupon)
      .when({ ...define, code: ' MAY' })
      .thenRefuses('coupon-code-untypable', 'CPN-1');
    given(coupon)
      .when({ ...define, discount: { amountCents: 500 } })
      .thenRefuses('coupon-without-currency', 'CPN-3');
    const inEuros = { ...definition, at: minute(0), discount: { amountCents: 500, currency: 'EUR' } };
    given(coupon)
      .when({ ...define, ...inEuros })
      .thenRecords({ type: 'CouponDefined', data: inEuros });
  });

  it('CPN-3: holds for prices in its currency; one of an older version names none, and holds for all', () => {
    const use = (discount: Discount): CouponEvent => ({
      type: 'CouponUsed',
      data: { at: minute(5), code, customerId: 'c1', checkoutId: 'k1', discount },
    });
    const inEuros = { amountCents: 500, currency: 'EUR' };
    given(coupon, defined({ discount: inEuros }))
      .when(attempt('c1', 'k1', { currency: 'EUR' }))
      .thenRecords(use(inEuros));
    for (const currency of ['USD', undefined])
      given(coupon, defined({ discount: inEuros }))
        .when(attempt('c1', 'k1', { currency }))
        .thenRecords(refused('k1', 'not-this-store'));
    given(coupon, defined({ discount: { amountCents: 500 } }))
      .when(attempt('c1', 'k1', { currency: 'JPY' }))
      .thenRecords(use({ amountCents: 500 }));
  });

  it('takes whole cents off, and never more than the price', () => {
    expect(discountCentsOf({ percent: 15 }, 999)).toBe(149);
    expect(discountCentsOf({ percent: 8.2 }, 1500)).toBe(123);
    expect(discountCentsOf({ percent: 100 }, 999)).toBe(999);
    expect(discountCentsOf({ amountCents: 5000 }, 999)).toBe(999);
  });

  it('CPN-5: when many try at once, from several programs, each customer succeeds once and the limit holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 24 }),
        async (totalLimit, customers) => {
          const store = await openEmbeddedStore();
          const programs = [new CommandHandler(store), new CommandHandler(store), new CommandHandler(store)];
          const by = (commandId: string) => ({
            caller: trialCaller('staff:spec'),
            cause: { commandId, correlationId: commandId, actor: 'staff:spec' },
          });
          const stream = couponStream(code);
          const define = { type: 'DefineCoupon' as const, at: minute(0), ...definition, totalLimit };
          await programs[0]?.execute({ stream, command: define, ...by('00000000-0000-5000-8000-000000000000') });
          await Promise.all(
            customers.map((customer, index) =>
              programs[index % 3]?.execute({
                stream,
                command: attempt(`c${customer}`, `k${index}`),
                ...by(`00000000-0000-5000-8000-${String(index + 1).padStart(12, '0')}`),
              }),
            ),
          );
          const { state } = await (programs[0] as CommandHandler).streams.read<'coupon'>(stream);
          expect(state.uses.size).toBe(Math.min(totalLimit, new Set(customers).size));
          await store.close();
        },
      ),
      { numRuns: 25 },
    );
    // Milliseconds. Long, so that this test passes on a slow machine.
  }, 600_000);
});
