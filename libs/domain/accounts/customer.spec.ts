import { given, minute } from '#test/given';
import { businessKey, type CustomerCommand, type CustomerEvent, customer } from './customer.ts';

const details = { storeId: 'main', businessAssociation: 'A.B.C. Vitamins', timeZone: 'America/New_York' };
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
    given(customer)
      .when({ ...register, businessAssociation: ' - ' })
      .thenRefuses('business-association-empty', 'ACC-5');
    given(customer, registered)
      .when({ type: 'ChangeBusinessAssociation', at: minute(1), businessAssociation: 'Other' })
      .thenRecords({ type: 'BusinessAssociationChanged', data: { at: minute(1), businessAssociation: 'Other' } });
    given(customer)
      .when({ type: 'ChangeBusinessAssociation', at: minute(1), businessAssociation: 'Other' })
      .thenRefuses('customer-unknown');
  });

  it('moves to another time zone', () => {
    given(customer, registered)
      .when({ type: 'ChangeTimeZone', at: minute(1), timeZone: 'UTC' })
      .thenRecords({ type: 'TimeZoneChanged', data: { at: minute(1), timeZone: 'UTC' } });
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
        data: { at: minute(3), verifier: box('verifier'), how: 'recovered' },
      });
    given(customer, registered, asked, moved).when(follow).thenRefuses('link-invalid');
  });

  it.each(['abc vitamins', 'ABC-Vitamins', ' A. B. C. VITAMINS ', 'ＡＢＣ Vitamins'])(
    'DLV-3: "%s" is the same business as "A.B.C. Vitamins"',
    (written) => {
      expect(businessKey(written)).toBe(businessKey('A.B.C. Vitamins'));
    },
  );

  it.each([
    ['Straße Vitamins', 'STRASSE VITAMINS'],
    ['ΟΔΟΣ Α', 'ΟΔΟΣΑ'],
  ])('DLV-3: "%s" and "%s" are one business: letters that capitals and neighbours change are the same', (one, same) => {
    expect(businessKey(one)).toBe(businessKey(same));
  });

  it('DLV-3: other letters are another business', () => {
    expect(businessKey('ABD Vitamins')).not.toBe(businessKey('ABC Vitamins'));
  });
});
