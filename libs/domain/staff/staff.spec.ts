import { given, minute } from '#test/given';
import { staffRoles } from '../kernel/caller.ts';
import { type StaffAccess, type StaffCommand, type StaffEvent, staffList } from './staff.ts';

const box = (text: string) => ({ keyId: 'k', box: Buffer.from(text).toString('base64') });
const secret = (text: string) => ({ ...box(text), secret: true as const });
const HASH = 'h'.repeat(43);
const invitation = { storeId: 'main', token: secret('token'), tokenHash: HASH, expiresAt: minute(60) };
const person = (memberId: string) => ({ memberId, email: box(memberId), addressKey: `${memberId}-key` });
const everything: StaffAccess = { roles: [...staffRoles], stores: 'all' };
const supportOf = (stores: StaffAccess['stores']): StaffAccess => ({ roles: ['support'], stores });

const added = (memberId: string, access: StaffAccess): StaffEvent => ({
  type: 'StaffMemberAdded',
  data: { at: minute(0), ...person(memberId), ...access },
});
const invited = (memberId: string): StaffEvent => ({
  type: 'StaffMemberInvited',
  data: { at: minute(0), memberId, email: box(memberId), ...invitation },
});
const passwordSet = (memberId: string): StaffEvent => ({
  type: 'StaffPasswordSet',
  data: { at: minute(0), memberId, verifier: secret('verifier') },
});
const rolesChanged = (memberId: string, access: StaffAccess): StaffEvent => ({
  type: 'StaffRolesChanged',
  data: { at: minute(5), memberId, ...access },
});
const ada = [added('ada', everything), passwordSet('ada')];
const changeRoles = (memberId: string, access: StaffAccess): StaffCommand => ({
  type: 'ChangeStaffRoles',
  at: minute(5),
  memberId,
  ...access,
});
const remove = (memberId: string): StaffCommand => ({ type: 'RemoveStaffMember', at: minute(5), memberId });
const add = (memberId: string, access: StaffAccess): StaffCommand => ({
  type: 'AddStaffMember',
  at: minute(0),
  ...person(memberId),
  ...access,
  invitation,
});
const accept = (memberId: string, tokenHash: string, at = minute(0)): StaffCommand => ({
  type: 'SetStaffPassword',
  at,
  memberId,
  tokenHash,
  verifier: secret('verifier'),
});

describe('the first member of staff', () => {
  const first: StaffCommand = {
    type: 'AddFirstAdministrator',
    at: minute(0),
    ...person('ada'),
    verifier: secret('verifier'),
  };

  it('is an administrator of all stores, and there is one first', () =>
    given(staffList)
      .when(first)
      .thenRecordsOnce(...ada));

  it('is added before all others', () =>
    given(staffList)
      .when(add('sam', supportOf('all')))
      .thenRefuses('trial-goes-on'));

  it('is added once, also where all members were removed', () => {
    given(staffList, ...ada)
      .when(first)
      .thenRefuses('trial-over');
  });
});

describe('members', () => {
  it('are invited', () =>
    given(staffList, ...ada)
      .when(add('sam', supportOf(['main'])))
      .thenRecords(added('sam', supportOf(['main'])), invited('sam')));

  it('have different addresses', () =>
    given(staffList, ...ada)
      .when({ ...add('ada2', supportOf('all')), addressKey: 'ada-key' } as StaffCommand)
      .thenRefuses('staff-address-taken'));

  it('accept the newest invitation, once, before it expires', () => {
    const sam = [...ada, added('sam', supportOf('all')), invited('sam')];
    given(staffList, ...sam)
      .when(accept('sam', HASH))
      .thenRecordsOnce(passwordSet('sam'));
    given(staffList, ...sam)
      .when(accept('sam', 'x'.repeat(43)))
      .thenRefuses('invitation-invalid');
    given(staffList, ...sam)
      .when(accept('sam', HASH, minute(60)))
      .thenRefuses('invitation-invalid');
  });

  it('who are administrators are of all stores', () => {
    given(staffList, ...ada)
      .when(add('bob', { roles: ['administrator'], stores: ['main'] }))
      .thenRefuses('administrator-of-all-stores');
    given(staffList, ...ada, added('bob', everything), passwordSet('bob'))
      .when(changeRoles('bob', { roles: ['administrator'], stores: ['main'] }))
      .thenRefuses('administrator-of-all-stores');
  });
});

describe('the last administrator', () => {
  const sam = [added('sam', supportOf('all')), passwordSet('sam')];
  const bob = [added('bob', everything), invited('bob')];

  it('is not removed, and stays one', () => {
    given(staffList, ...ada, ...sam)
      .when(remove('ada'))
      .thenRefuses('last-administrator');
    given(staffList, ...ada, ...sam)
      .when(changeRoles('ada', supportOf('all')))
      .thenRefuses('last-administrator');
  });

  it('is the last one as long as another has not accepted the invitation', () => {
    given(staffList, ...ada, ...bob)
      .when(remove('ada'))
      .thenRefuses('last-administrator');
    given(staffList, ...ada, ...bob, passwordSet('bob'))
      .when(remove('ada'))
      .thenRecords({ type: 'StaffMemberRemoved', data: { at: minute(5), memberId: 'ada' } });
  });

  it('keeps nobody else', () => {
    given(staffList, ...ada, ...sam)
      .when(remove('sam'))
      .thenRecords({ type: 'StaffMemberRemoved', data: { at: minute(5), memberId: 'sam' } });
  });
});

describe('what is taken away', () => {
  const reductionsAfter = (...access: readonly StaffAccess[]) =>
    given(
      staffList,
      ...ada,
      added('sam', { roles: ['support', 'verifier'], stores: ['a', 'b'] }),
      ...access.map((one) => rolesChanged('sam', one)),
    )
      .state()
      .members.get('sam')?.reductions;

  it('is a role, or a store', () => {
    expect(reductionsAfter({ roles: ['verifier'], stores: ['a', 'b'] })).toBe(1);
    expect(reductionsAfter({ roles: ['support', 'verifier'], stores: ['b'] })).toBe(1);
    expect(
      reductionsAfter(
        { roles: ['support', 'verifier'], stores: 'all' },
        { roles: ['support', 'verifier'], stores: ['a', 'b'] },
      ),
    ).toBe(1);
  });

  it('is nothing where roles or stores are added, or come in another order', () => {
    expect(reductionsAfter({ roles: ['verifier', 'auditor', 'support'], stores: ['b', 'a'] })).toBe(0);
    expect(reductionsAfter({ roles: ['support', 'verifier'], stores: 'all' })).toBe(0);
  });

  it('is not recorded where nothing changes', () =>
    given(staffList, ...ada)
      .when(changeRoles('ada', { ...everything, roles: everything.roles.toReversed() }))
      .thenNothing());
});

describe('the password of a member', () => {
  const change = (checked: string): StaffCommand => ({
    type: 'ChangeStaffPassword',
    at: minute(5),
    memberId: 'ada',
    checked: secret(checked),
    verifier: secret('other'),
  });

  it('is changed by who knows the present one', () =>
    given(staffList, ...ada)
      .when(change('verifier'))
      .thenRecordsOnce({
        type: 'StaffPasswordSet',
        data: { at: minute(5), memberId: 'ada', verifier: secret('other'), how: 'changed' },
      }));

  it('is not changed when another one was set since it was checked', () =>
    given(staffList, ...ada)
      .when(change('former'))
      .thenRefuses('password-wrong'));
});
