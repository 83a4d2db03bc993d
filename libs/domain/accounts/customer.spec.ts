import { boxOf, businessOf } from '#test/boxes';
import { given, minute } from '#test/given';
import { unsealed } from '../kernel/events.ts';
import { type CustomerCommand, type CustomerEvent, customer } from './customer.ts';

const details = { storeId: 'main', ...businessOf('A.B.C. Vitamins'), timeZone: 'America/New_York' };
const register: CustomerCommand = { type: 'RegisterCustomer', at: minute(0), ...details };
const registered: CustomerEvent = { type: 'CustomerRegistered', data: { at: minute(0), ...details } };

describe('a customer', () => {
  it('registers once', () => {
    given(customer).when(register).thenRecords(registered);
    given(customer, registered)
      .when({ ...register, timeZone: 'UTC' })
      .thenRefuses('customer-registered');
  });

  it('ACC-5: works for a business, and may change it', () => {
    given(customer, registered)
      .when({ type: 'ChangeBusinessAssociation', at: minute(1), ...businessOf('Other') })
      .thenRecords({ type: 'BusinessAssociationChanged', data: { at: minute(1), ...businessOf('Other') } });
    given(customer)
      .when({ type: 'ChangeBusinessAssociation', at: minute(1), ...businessOf('Other') })
      .thenRefuses('customer-unknown');
  });

  it('moves to another time zone', () => {
    given(customer, registered)
      .when({ type: 'ChangeTimeZone', at: minute(1), timeZone: 'UTC' })
      .thenRecords({ type: 'TimeZoneChanged', data: { at: minute(1), timeZone: 'UTC' } });
  });

  it('ACC-4: changes a password only against the one that was checked', () => {
    const secret = (of: string) => ({ keyId: 'k1', box: btoa(of), secret: true as const });
    const known: CustomerEvent = {
      type: 'CustomerRegistered',
      data: { at: minute(0), ...details, email: boxOf('ada@example.org'), addressKey: 'k' },
    };
    const set = (of: string, told?: true): CustomerEvent => ({
      type: 'PasswordSet',
      data: { at: minute(1), verifier: secret(of), how: 'chosen', ...(told && { told }) },
    });
    const change = { type: 'SetPassword', at: minute(1), verifier: secret('new') } as const;
    const checked = { ...change, checked: secret('old') };
    given(customer, known).when(change).thenRecordsEachTime(set('new'));
    given(customer, known, set('old')).when(change).thenRefuses('password-wrong', 'ACC-2');
    given(customer, known, set('old')).when(checked).thenRecordsEachTime(set('new', true));
    given(customer, known, set('other')).when(checked).thenRefuses('password-wrong', 'ACC-2');
  });

  it('ACC-3: a link that was sent to a former address sets no password', () => {
    const box = (of: string) => ({ box: of, subject: of }) as never;
    const link = { token: box('token'), tokenHash: 'h', expiresAt: minute(30) };
    const asked: CustomerEvent = { type: 'PasswordRecoveryRequested', data: { at: minute(1), ...link } };
    const moved: CustomerEvent = { type: 'EmailChanged', data: { at: minute(2), email: box('new'), addressKey: 'k' } };
    const follow = { type: 'RecoverPassword', at: minute(3), tokenHash: 'h', verifier: box('verifier') } as const;
    given(customer, registered, asked)
      .when(follow)
      .thenRecordsEachTime({
        type: 'PasswordSet',
        data: { at: minute(3), verifier: box('verifier'), how: 'recovered', told: true },
      });
    given(customer, registered, asked, moved).when(follow).thenRefuses('link-invalid');
  });

  it('ACC-3: nobody ends the link of the owner by asking for another one, nor fills the mailbox', () => {
    const box = (of: string) => ({ box: of, subject: of }) as never;
    const link = (hash: string, at: number) => ({ token: box('token'), tokenHash: hash, expiresAt: minute(at + 30) });
    const asked = (hash: string, at: number): CustomerEvent => ({
      type: 'PasswordRecoveryRequested',
      data: { at: minute(at), ...link(hash, at) },
    });
    const ask = (at: number) => ({ type: 'RequestPasswordRecovery', at: minute(at), ...link('h', at) }) as const;
    given(customer, registered, asked('a', 1)).when(ask(2)).thenNothing();
    given(customer, registered, asked('a', 1)).when(ask(3)).thenRecordsEachTime(asked('h', 3));
    const use = (hash: string, at: number) =>
      ({ type: 'RecoverPassword', at: minute(at), tokenHash: hash, verifier: box('verifier') }) as const;
    const set = (at: number): CustomerEvent => ({
      type: 'PasswordSet',
      data: { at: minute(at), verifier: box('verifier'), how: 'recovered', told: true },
    });
    const both = [registered, asked('a', 1), asked('b', 5)] as const;
    for (const hash of ['a', 'b'])
      given(customer, ...both)
        .when(use(hash, 6))
        .thenRecordsEachTime(set(6));
    given(customer, ...both)
      .when(use('a', 31))
      .thenRefuses('link-invalid');
    given(customer, ...both, set(6))
      .when(use('b', 7))
      .thenRefuses('link-invalid');
  });
});

describe('the address of a customer', () => {
  const box = (of: string) => ({ box: of, subject: of }) as never;
  const link = { token: box('token'), tokenHash: 'h', expiresAt: minute(30) };
  const known: CustomerEvent = {
    type: 'CustomerRegistered',
    data: { at: minute(0), ...details, email: box('old'), addressKey: 'k' },
  };
  const asked: CustomerEvent = { type: 'AddressConfirmationRequested', data: { at: minute(0), ...link } };
  const proved: CustomerEvent = { type: 'AddressConfirmed', data: { at: minute(3), addressKey: 'k' } };
  const wished: CustomerEvent = {
    type: 'EmailChangeRequested',
    data: { at: minute(1), ...link, email: box('new'), addressKey: 'n' },
  };
  const moved: CustomerEvent = {
    type: 'EmailChanged',
    data: { at: minute(4), email: box('new'), addressKey: 'n', formerAddressKey: 'k', formerEmail: box('old') },
  };
  const set = (how: 'chosen' | 'recovered', at = 5): CustomerEvent => ({
    type: 'PasswordSet',
    data: { at: minute(at), verifier: box('verifier'), how },
  });
  const confirm = (at: number, tokenHash = 'h') => ({ type: 'ConfirmAddress', at: minute(at), tokenHash }) as const;

  it('ACC-6: is proved by the link that was sent there, in time; opening it again is no error', () => {
    given(customer, known, asked).when(confirm(3)).thenRecords(proved);
    given(customer, known, asked, proved).when(confirm(40)).thenNothing();
    given(customer, known, asked).when(confirm(30)).thenRefuses('link-invalid');
    given(customer, known, asked).when(confirm(3, 'other')).thenRefuses('link-invalid');
  });

  it('ACC-6: is not proved by a link to the address before', () => {
    given(customer, known, asked, wished, moved).when(confirm(5, 'other')).thenRefuses('link-invalid');
    expect(given(customer, known, proved).state().addressIsProved).toBe(true);
    const olderMove = { ...moved, data: { ...moved.data, addressKey: 'k2' } } as CustomerEvent;
    expect(given(customer, known, asked, olderMove).state().confirmation).toBeUndefined();
  });

  it('ACC-6: is proved by a recovery and by a change, too, and by a chosen password it is not', () => {
    expect(given(customer, known, asked).state().addressIsProved).toBe(undefined);
    expect(given(customer, known, set('chosen')).state().addressIsProved).toBe(undefined);
    expect(given(customer, known, set('recovered')).state().addressIsProved).toBe(true);
    expect(given(customer, known, wished, moved).state().addressIsProved).toBe(true);
  });

  it('ACC-6: a change names the former address, which is told', () => {
    given(customer, known, wished)
      .when({ type: 'ConfirmEmailChange', at: minute(4), claimedAt: minute(4), tokenHash: 'h' })
      .thenRecords(moved);
  });

  it('ACC-6: a new password, a recovery and a new address end the sessions that began before', () => {
    const voidBefore = (...events: CustomerEvent[]) => given(customer, known, ...events).state().sessionsVoidBefore;
    expect(voidBefore(asked, proved)).toBeUndefined();
    expect(voidBefore(set('chosen', 5))).toBe(minute(5));
    expect(voidBefore(set('chosen', 5), set('recovered', 7))).toBe(minute(7));
    expect(voidBefore(wished, moved)).toBe(minute(4));
  });
});

describe('a customer whose business an older version stored plain', () => {
  const plain = (name: string) => ({ businessAssociation: unsealed(name), businessKey: name.toLowerCase() });
  const old: CustomerEvent = { type: 'CustomerRegistered', data: { at: minute(0), ...details, ...plain('Abc') } };
  const moved: CustomerEvent = { type: 'BusinessAssociationChanged', data: { at: minute(1), ...plain('Other') } };
  const changed: CustomerEvent = { type: 'BusinessAssociationChanged', data: { at: minute(2), ...businessOf('New') } };
  const seal = (name: string, ...formerNameKeys: [string, ...string[]]) =>
    ({ type: 'SealBusinessAssociation', at: minute(3), businessAssociation: boxOf(name), formerNameKeys }) as const;
  it('gets the present name sealed, and a key for each name that it had', () => {
    given(customer, old, moved)
      .when(seal('Other', 'k1', 'k2'))
      .thenRecords({
        type: 'BusinessAssociationSealed',
        data: {
          at: minute(3),
          businessAssociation: boxOf('Other'),
          businessKey: 'k2',
          formerNameKeys: ['k1', 'k2'],
        },
      });
    expect(given(customer, old).state().plainBusinesses).toEqual([unsealed('Abc')]);
  });

  it('keeps a name that is sealed already', () => {
    given(customer, old, changed)
      .when(seal('Abc', 'k1'))
      .thenRecords({
        type: 'BusinessAssociationSealed',
        data: { at: minute(3), ...businessOf('New'), formerNameKeys: ['k1'] },
      });
  });

  it('gets no name sealed when it was erased', () => {
    given(customer, old)
      .when({ type: 'SealBusinessAssociation', at: minute(3), formerNameKeys: ['k1'] })
      .thenRecords({
        type: 'BusinessAssociationSealed',
        data: { at: minute(3), businessKey: 'k1', formerNameKeys: ['k1'] },
      });
  });

  it('is the only one for whom anything is recorded', () => {
    given(customer, registered).when(seal('Abc', 'k1')).thenNothing();
  });
});

describe('a customer whose business has keys of a form of before', () => {
  const changed: CustomerEvent = { type: 'BusinessAssociationChanged', data: { at: minute(2), ...businessOf('New') } };
  const list = 'a-list';
  const renewOf = (statements: number, ...names: readonly (readonly [statement: number, businessKey: string])[]) => ({
    type: 'RenewBusinessKeys' as const,
    at: minute(3),
    legalEndingsId: list,
    statements,
    names: names.map(([statement, businessKey]) => ({ statement, businessKey, formerBusinessKeys: ['former'] })),
  });
  const renew = (...names: readonly (readonly [number, string])[]): CustomerCommand => renewOf(2, ...names);
  const renewed = (businessKey: string, ...names: readonly (readonly [number, string])[]): CustomerEvent => ({
    type: 'BusinessKeysRenewed',
    data: {
      at: minute(3),
      businessKey,
      names: names.map(([statement, key]) => ({ statement, businessKey: key, formerBusinessKeys: ['former'] })),
      legalEndingsId: list,
    },
  });

  it('DLV-3: gets keys of the present form for all its names, once', () => {
    given(customer, registered, changed)
      .when(renew([0, 'n0'], [1, 'n1']))
      .thenRecords(renewed('n1', [0, 'n0'], [1, 'n1']));
    expect(given(customer, registered, changed, renewed('n1', [1, 'n1'])).state().businessKey).toBe('n1');
  });

  it('DLV-3: keeps the key of a present name that cannot be opened', () => {
    given(customer, registered, changed)
      .when(renew([0, 'n0']))
      .thenRecords(renewed(businessOf('New').businessKey, [0, 'n0']));
  });

  it('DLV-3: gets none where it has them', () => {
    given(customer, registered, changed, renewed('n1', [0, 'n0'], [1, 'n1']))
      .when(renew([0, 'n0'], [1, 'n1']))
      .thenNothing();
  });

  it('DLV-3: gets none after it stated another name meanwhile: that one may have a key of another list', () => {
    given(customer, registered, changed)
      .when(renewOf(1, [0, 'n0']))
      .thenNothing();
  });

  it('DLV-3: whose names cannot be opened keeps its keys, and it is recorded with which list that was tried', () => {
    const kept = renewed(businessOf('New').businessKey);
    given(customer, registered, changed).when(renew()).thenRecords(kept);
    given(customer, registered, changed, kept).when(renew()).thenNothing();
  });
});
