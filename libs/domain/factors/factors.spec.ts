import { given, minute } from '#test/given';
import { type FactorCommand, type FactorEvent, factors, hasFactor } from './factors.ts';

const secret = { keyId: 'k', box: 'c2VjcmV0', secret: true as const };
const member = { memberId: 'ada' };
const CODES = ['one', 'two'];

const offered = (factorId: string, of: object = member): FactorEvent => ({
  type: 'TotpOffered',
  data: { at: minute(0), factorId, secret, ...of },
});
const added = (factorId: string, of: object = member, codes?: string[]): FactorEvent => ({
  type: 'TotpAdded',
  data: { at: minute(1), factorId, ...of, ...(codes && { codes }) },
});
const add = (factorId: string, codes = CODES): FactorCommand => ({ type: 'AddTotp', at: minute(1), factorId, codes });
const remove = (factorId: string): FactorCommand => ({ type: 'RemoveFactor', at: minute(2), factorId });
const use = (code: string): FactorCommand => ({ type: 'UseRecoveryCode', at: minute(2), code });
const withOne = [offered('phone'), added('phone', member, CODES)];
const withTwo = [...withOne, offered('tablet'), added('tablet')];

describe('an authenticator app', () => {
  it('is offered, and is no factor yet', () => {
    given(factors)
      .when({ type: 'OfferTotp', at: minute(0), factorId: 'phone', secret, ...member })
      .thenRecordsEachTime(offered('phone'));
    expect(hasFactor(given(factors, offered('phone')).state())).toBe(false);
  });

  it('is a factor once it is added, and recovery codes come with the first one', () => {
    given(factors, offered('phone'))
      .when(add('phone'))
      .thenRecords(added('phone', member, CODES));
    given(factors, ...withOne, offered('tablet'))
      .when(add('tablet', ['other']))
      .thenRecords(added('tablet'));
  });

  it('is not added when another one was offered since, or none', () => {
    given(factors).when(add('phone')).thenRefuses('factor-unknown');
    given(factors, offered('phone'), offered('tablet')).when(add('phone')).thenRefuses('factor-unknown');
  });

  it('is one of ten at most', () => {
    const ids = Array.from({ length: 10 }, (_, index) => `app-${index}`);
    const ten = ids.flatMap((id) => [offered(id), added(id)]);
    given(factors, ...ten)
      .when({ type: 'OfferTotp', at: minute(0), factorId: 'eleventh', secret, ...member })
      .thenRefuses('too-many-factors');
    given(factors, ...ten, offered('eleventh'))
      .when(add('eleventh'))
      .thenRefuses('too-many-factors');
  });

  it('is removed, but not the last one of a member of staff', () => {
    const data = { at: minute(2), ...member, factorId: 'phone' };
    given(factors, ...withTwo)
      .when(remove('phone'))
      .thenRecordsOnce({ type: 'FactorRemoved', data });
    given(factors, ...withOne)
      .when(remove('phone'))
      .thenRefuses('last-factor');
    given(factors, ...withOne)
      .when(remove('tablet'))
      .thenRefuses('factor-unknown');
  });

  it('is removed by a customer, also the last one, with the recovery codes', () => {
    const of = { customerId: 'c1' };
    const past = [offered('phone', of), added('phone', of, CODES)];
    const removed: FactorEvent = { type: 'FactorRemoved', data: { at: minute(2), ...of, factorId: 'phone' } };
    given(factors, ...past)
      .when(remove('phone'))
      .thenRecordsOnce(removed);
    expect(given(factors, ...past, removed).state()).toMatchObject({ codes: new Set(), reductions: 1, ...of });
  });
});

const credential = { keyId: 'k', box: 'cGFzc2tleQ==', secret: true as const };
const passkey = (factorId: string, credentialKey = `key of ${factorId}`, of: object = member) => ({
  ...{ at: minute(1), factorId, credentialKey, credential },
  ...{ counter: 0, isBackupEligible: true, isBackedUp: false, ...of },
});
const addPasskey = (...of: Parameters<typeof passkey>): FactorCommand => ({
  ...passkey(...of),
  type: 'AddPasskey',
  codes: CODES,
});
const passkeyAdded = (of: ReturnType<typeof passkey>, codes?: string[]): FactorEvent => ({
  type: 'PasskeyAdded',
  data: { ...of, ...(codes && { codes }) },
});

describe('a passkey', () => {
  it('is a factor, and recovery codes come with the first one', () => {
    given(factors)
      .when(addPasskey('laptop'))
      .thenRecords(passkeyAdded(passkey('laptop'), CODES));
    given(factors, ...withOne)
      .when(addPasskey('laptop'))
      .thenRecords(passkeyAdded(passkey('laptop')));
    expect(hasFactor(given(factors, passkeyAdded(passkey('laptop'))).state())).toBe(true);
  });

  it('is not added twice, and is one of ten factors at most', () => {
    given(factors, passkeyAdded(passkey('laptop')))
      .when(addPasskey('other', 'key of laptop'))
      .thenRefuses('passkey-known');
    const ten = Array.from({ length: 10 }, (_, index) => passkeyAdded(passkey(`key-${index}`)));
    given(factors, ...ten)
      .when(addPasskey('eleventh'))
      .thenRefuses('too-many-factors');
  });

  it('is removed, but is not when it is the last factor of a member of staff', () => {
    const removed: FactorEvent = {
      type: 'FactorRemoved',
      data: { at: minute(2), ...member, factorId: 'laptop', kind: 'passkey' },
    };
    given(factors, ...withOne, passkeyAdded(passkey('laptop')))
      .when(remove('laptop'))
      .thenRecordsOnce(removed);
    given(factors, passkeyAdded(passkey('laptop')))
      .when(remove('laptop'))
      .thenRefuses('last-factor');
  });
});

describe('a recovery code', () => {
  it('is used once', () =>
    given(factors, ...withOne)
      .when(use('one'))
      .thenRecordsOnce({ type: 'RecoveryCodeUsed', data: { at: minute(2), ...member, code: 'one' } }));

  it('is good for nothing when newer ones were made, or when it is another one', () => {
    const issued: FactorEvent = { type: 'RecoveryCodesIssued', data: { at: minute(2), ...member, codes: ['three'] } };
    given(factors, ...withOne)
      .when({ type: 'IssueRecoveryCodes', at: minute(2), codes: ['three'] })
      .thenRecordsEachTime(issued);
    given(factors, ...withOne, issued)
      .when(use('one'))
      .thenRefuses('factor-wrong');
    given(factors, ...withOne)
      .when(use('three'))
      .thenRefuses('factor-wrong');
  });

  it('stands in for a factor: without one, none is made', () =>
    given(factors)
      .when({ type: 'IssueRecoveryCodes', at: minute(2), codes: CODES })
      .thenRefuses('no-factor'));
});

describe('factors that were lost', () => {
  const reset: FactorEvent = { type: 'FactorsReset', data: { at: minute(3), ...member } };
  it('are taken away, with the recovery codes and with what was offered', () => {
    given(factors, ...withTwo, offered('watch'))
      .when({ type: 'ResetFactors', at: minute(3) })
      .thenRecords(reset);
    const state = given(factors, ...withTwo, offered('watch'), reset).state();
    expect(state).toMatchObject({ factors: new Map(), codes: new Set(), reductions: 1 });
    expect(state.offered).toBeUndefined();
  });

  it('of a customer are not for an administrator, and those of a member not for support', () => {
    const customer = { customerId: 'c1' };
    const ofCustomer = [offered('phone', customer), added('phone', customer, CODES)];
    given(factors, ...ofCustomer)
      .when({ type: 'ResetFactors', at: minute(3) })
      .thenRefuses('staff-member-unknown');
    given(factors, ...withOne)
      .when({ type: 'ResetCustomerFactors', at: minute(3), ...customer })
      .thenRefuses('customer-unknown');
    given(factors, ...ofCustomer)
      .when({ type: 'ResetCustomerFactors', at: minute(3), ...customer })
      .thenRecords({ type: 'FactorsReset', data: { at: minute(3), ...customer } });
  });

  it('are added anew', () =>
    given(factors, ...withOne, reset, offered('watch'))
      .when(add('watch', ['new']))
      .thenRecords(added('watch', member, ['new'])));
});
