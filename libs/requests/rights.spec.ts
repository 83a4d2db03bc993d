import { customer } from '#domain/accounts/customer';
import {
  type Caller,
  formCaller,
  memberCaller,
  type ProvedFactor,
  staffRoles,
  trialCaller,
  visitor,
} from '#domain/kernel/caller';
import { anyone, type RightsOf } from '#domain/kernel/rights';
import { type CommandOf, type FamilyName, ledger, type StateOf } from '#domain/ledger';
import { checkRight } from './rights.ts';

type PolicyRights = RightsOf<CommandOf<'policy'>, StateOf<'policy'>>;

const owner = trialCaller('customer:c1');
const stranger = trialCaller('customer:c2');
const staff = trialCaller('staff:ada');
const process: Caller = { kind: 'process', actor: 'process:mailing', roles: ['process'], stores: 'all' };
const program: Caller = { kind: 'program', actor: 'system:intake', roles: ['lead-source'], stores: 'all' };

const withRoles = (...roles: Caller['roles']): Caller => ({ ...staff, roles });

/** States of streams that belong to the customer c1. The others are owned by the name of the stream, or have no owner. */
const owned: Partial<Record<FamilyName, object>> = {
  factors: { factors: new Map() },
  checkout: { wishes: { customerId: 'c1' } },
  order: { terms: { customerId: 'c1' } },
  programme: { status: 'active', customerId: 'c1' },
  ticket: { status: 'open', customerId: 'c1' },
  webhook: { wish: { customerId: 'c1' } },
};

const commands = (Object.keys(ledger) as FamilyName[]).flatMap((family) =>
  Object.keys(ledger[family].rights).map((type) => ({ family, type })),
);
type Command = (typeof commands)[number];

const refusalOf = ({ family, type }: Command, caller: Caller, reason?: string) =>
  checkRight(`${family}-c1`, { type, customerId: 'c1' } as { type: string }, owned[family], { caller, reason })?.code;

const typesWhere = (test: (command: Command) => boolean) => commands.filter(test).map(({ type }) => type);

describe('the table of rights', () => {
  it('has a line for each family of streams', () => {
    for (const family of Object.keys(ledger)) expect(commands.map((command) => command.family)).toContain(family);
  });

  it('does not compile when a command has no line, or a line has no command', () => {
    // @ts-expect-error PublishPolicy is missing
    const incomplete: PolicyRights = {};
    const line = anyone;
    // @ts-expect-error there is no such command
    const unknown: PolicyRights = { PublishPolicy: line, ForgetPolicy: line };
    expect([incomplete, unknown]).toHaveLength(2);
  });

  it('names the few commands that anyone may ask for', () => {
    expect(typesWhere((command) => refusalOf(command, program) === undefined)).toEqual([
      'ConfirmAddress',
      'ConfirmEmailChange',
      'SwitchMailOff',
      'RequestPasswordRecovery',
      'RecoverPassword',
      'ClaimAddress',
      'ReleaseAddress',
      'WarnHolder',
      'WantAddress',
      'ReceiveLead',
      'ReceiveDuplicate',
      'ReceiveKnown',
      'ForfeitReceipt',
      'SupersedeLead',
      'MergeLead',
      'SuppressLead',
      'ClaimPerson',
      'LinkPerson',
      'SuppressPerson',
      'ClaimPayment',
      'RecordRead',
      'NoticeManyPersons',
      'AddFirstAdministrator',
      'SetStaffPassword',
    ]);
  });

  const ofCustomers = commands.filter((command) => !refusalOf(command, owner) && refusalOf(command, program));

  it('allows customers their commands on their own streams', () => {
    expect(ofCustomers.map(({ type }) => type).sort()).toEqual(
      [
        'ActivateProgramme',
        'CancelOrder',
        'CancelProgramme',
        'ChangeBusinessAssociation',
        'ChangeMailPreferences',
        'ChangeName',
        'ChangePostalAddress',
        'ChangeTimeZone',
        'ChooseLeadDelivery',
        'CloseTicket',
        'HoldProgramme',
        'OpenTicket',
        'PauseOrder',
        'PlaceCheckout',
        'PlaceOrder',
        'PlacePromisedOrder',
        'QuoteCheckout',
        'RateContact',
        'ReplayWebhook',
        'RequestEmailChange',
        'RequestReplacement',
        'RestartOrder',
        'ReturnCoupon',
        'SetFirstPassword',
        'SetPassword',
        'StartCheckout',
        'TakeCoupon',
        'TryCoupon',
        'WriteAgain',
      ].sort(),
    );
  });

  it.each(ofCustomers)('refuses $type to a customer of another account', (command) => {
    expect(refusalOf(command, stranger, 'because')).toBe('not-yours');
  });

  const ofSessions = commands.filter((command) => refusalOf(command, staff, 'because')?.startsWith('not-your'));

  it('lets only whoever signed in change the own factors and the own password', () => {
    expect(ofSessions.map(({ type }) => type).sort()).toEqual(
      ['AddPasskey', 'AddTotp', 'ChangeStaffPassword', 'IssueRecoveryCodes', 'OfferTotp', 'RemoveFactor'].sort(),
    );
    for (const command of ofSessions.filter(({ family }) => family === 'factors')) {
      expect(refusalOf(command, { ...owner, authenticated: 'session' })).toBeUndefined();
      expect(refusalOf(command, { ...stranger, authenticated: 'session' })).toBe('not-your-factors');
    }
  });

  const member = (factor: ProvedFactor) => memberCaller('ada', { roles: staffRoles, stores: 'all' }, factor);

  it('asks people for a fresh factor before money, data or rights are given away', () => {
    const stale = commands.filter((command) => refusalOf(command, member('proved'), 'because') === 'factor-stale');
    expect(stale.map(({ type }) => type).sort()).toEqual(
      [
        ...['WishRefund', 'RetryRefund', 'SettleRefund', 'IssueApiKey', 'RotateApiKey', 'RevokeApiKey', 'ResetFactors'],
        ...['ResetCustomerFactors', 'PublishPolicy'],
        ...['AddStaffMember', 'InviteStaffMember', 'ChangeStaffRoles', 'RemoveStaffMember', 'RequestEmailChange'],
        ...['RequestApproval', 'Approve', 'FinishApproval'],
      ].sort(),
    );
    for (const command of stale) expect(refusalOf(command, member('fresh'), 'because')).toBeUndefined();
  });

  it('lets a member of staff without a factor add one, and do what anyone may', () => {
    const ruleOf = ({ family, type }: Command) => (ledger[family].rights as Record<string, unknown>)[type];
    const isOpen = (command: Command) => refusalOf(command, member('none'), 'because') !== 'factor-required';
    expect(typesWhere((command) => ruleOf(command) !== anyone && isOpen(command))).toEqual([
      ...['OfferTotp', 'AddTotp', 'AddPasskey', 'RemoveFactor', 'IssueRecoveryCodes'],
    ]);
    expect(commands.filter((command) => ruleOf(command) === anyone).every(isOpen)).toBe(true);
  });

  const ofProcesses = commands.filter(
    (command) => refusalOf(command, staff, 'because') !== undefined && !ofSessions.includes(command),
  );

  it.each(ofProcesses)('lets only the store itself ask for $type', (command) => {
    for (const person of [owner, stranger, staff, program])
      expect(refusalOf(command, person, 'because')).toBe('process-only');
    expect(refusalOf(command, process)).toBeUndefined();
  });

  it('allows staff all commands except those of processes, with a reason for a customer’s account', () => {
    expect(typesWhere((command) => refusalOf(command, staff) === 'reason-missing').sort()).toEqual(
      [
        ...ofCustomers
          .filter(({ family }) => ['customer', 'ticket', 'webhook'].includes(family))
          .map(({ type }) => type)
          // It comes with an order, for which staff give no reason either.
          .filter((type) => type !== 'SetFirstPassword'),
        'AnswerTicket',
        'RequestAddressConfirmation',
        'ResetCustomerFactors',
        'TakeUpLetter',
        'ChangeLoyaltyQualification',
        'ChangeUsualDelivery',
        'ChangeWebAddress',
        'RenameLeadType',
        'RenameStore',
        'ReopenCoupon',
        'ReopenLeadType',
        'RetireCoupon',
        'RetireLeadType',
        'ChangeDailyMaximum',
        'CorrectOrderTimeZone',
        'ChangePaymentCard',
        'CorrectToDenied',
        'CorrectToGranted',
        'DenyChargeback',
        'ErasePerson',
        'RequestApproval',
        'Approve',
        'FinishApproval',
        'EndSessions',
        'GiveAlternativeCoupon',
        'GrantChargeback',
        'GrantGoodwill',
        'MergeBusinesses',
        'TakeBusinessMergeBack',
        'LiftSuppression',
        'ReleaseRenewal',
        'ReplaceCoupon',
        'ReplaceOrderCoupon',
        'ReplaceTakenCoupon',
        'ResolvePayment',
        'ResolveRenewal',
        'RetryMail',
        'AcknowledgeMailFailure',
        'RetryRefund',
        'SettleRefund',
        'WishRefund',
        'ShowCustomerHistory',
        'SkipRenewal',
      ].sort(),
    );
  });

  it('lets only support act for a customer', () => {
    const manager: Caller = { ...staff, roles: staffRoles.filter((role) => role !== 'support') };
    expect(refusalOf({ family: 'order', type: 'ChangePaymentCard' }, manager, 'because')).toBe('support-only');
    expect(refusalOf({ family: 'customer', type: 'ChangeName' }, manager, 'because')).toBe('support-only');
    expect(refusalOf({ family: 'catalogue', type: 'SetPrice' }, manager)).toBeUndefined();
  });

  it('does not refuse customers what does not exist: the domain answers that', () => {
    const unknown = ledger.order.decider.initialState();
    expect(checkRight('order-o1', { type: 'PauseOrder' }, unknown, { caller: stranger })).toBeUndefined();
  });

  it('throws for a command that the stream does not have', () => {
    const state = customer.initialState();
    expect(() => checkRight('customer-c1', { type: 'PauseOrder' }, state, { caller: staff })).toThrow(RangeError);
    expect(() => checkRight('customer-c1', { type: 'toString' }, state, { caller: staff })).toThrow(RangeError);
  });

  const commandsOf = (caller: Caller) =>
    typesWhere((command) => refusalOf(command, caller, 'because') === undefined).filter(
      (type) => !typesWhere((command) => refusalOf(command, program, 'because') === undefined).includes(type),
    );

  it('allows each role what it is for', () => {
    const ofSupport = commandsOf(withRoles('support'));
    const ofManagers = commandsOf(withRoles('catalogue-manager'));
    expect(ofManagers).toEqual([
      'OpenStore',
      'SetStatementDescriptor',
      'DefineLeadType',
      'SetPrice',
      'RenameStore',
      'ChangeWebAddress',
      'RenameLeadType',
      'ChangeUsualDelivery',
      'ChangeLoyaltyQualification',
      'RetireLeadType',
      'ReopenLeadType',
      'DefineCoupon',
      'RetireCoupon',
      'ReopenCoupon',
    ]);
    const ofAdministrators = commandsOf(withRoles('administrator'));
    expect(ofAdministrators).toEqual([
      'PublishPolicy',
      'SetTaxes',
      'AddStaffMember',
      'InviteStaffMember',
      'ChangeStaffRoles',
      'RemoveStaffMember',
      'ResetFactors',
      'EndSessions',
      'IssueApiKey',
      'RotateApiKey',
      'RevokeApiKey',
    ]);
    expect(commandsOf(withRoles('verifier'))).toEqual([
      'GrantChargeback',
      'DenyChargeback',
      'CorrectToGranted',
      'CorrectToDenied',
    ]);
    expect(commandsOf(withRoles('auditor'))).toEqual(['ShowCustomerHistory']);
    for (const role of ['analyst', 'operator'] as const) expect(commandsOf(withRoles(role))).toEqual([]);
    expect([...ofSupport, ...ofManagers, ...ofAdministrators].sort()).toEqual([...commandsOf(staff)].sort());
  });

  it('takes leads from lead sources, forms and who looks after the stock', () => {
    const bring = (caller: Caller) => refusalOf({ family: 'lead', type: 'ReceiveLead' }, caller);
    expect([program, formCaller('k1'), withRoles('catalogue-manager'), withRoles('operator')].map(bring)).toEqual(
      Array(4).fill(undefined),
    );
    expect([owner, withRoles('support'), withRoles('auditor'), visitor].map(bring)).toEqual([
      'staff-only',
      'other-role',
      'other-role',
      'sign-in-needed',
    ]);
    expect(commandsOf(formCaller('k1'))).toEqual([]);
  });

  it('says which role is needed', () => {
    const price = { family: 'catalogue', type: 'SetPrice' } as const;
    expect(refusalOf(price, withRoles('auditor'))).toBe('other-role');
    expect(refusalOf(price, owner)).toBe('staff-only');
  });

  it('lets members of single stores change their own password and factors', () => {
    const ofMain = memberCaller('c1', { roles: staffRoles, stores: ['main'] }, 'fresh');
    const ofOwnAccount = ['ChangeStaffPassword', 'OfferTotp', 'AddTotp', 'AddPasskey', 'RemoveFactor'];
    const command = (type: string) => ({ type, memberId: 'c1' });
    const refusals = [...ofOwnAccount, 'IssueRecoveryCodes'].map(
      (type) =>
        checkRight(
          type === 'ChangeStaffPassword' ? 'staff-main' : 'factors-c1',
          command(type),
          type === 'ChangeStaffPassword' ? {} : owned.factors,
          { caller: ofMain },
        )?.code,
    );
    expect(refusals).toEqual(Array(6).fill(undefined));
    expect(checkRight('factors-c2', command('OfferTotp'), owned.factors, { caller: ofMain })?.code).toBe(
      'not-your-factors',
    );
  });

  it('holds for a coupon in all its stores, and for one customer in the store of that customer', () => {
    const ofMain: Caller = { ...staff, stores: ['main'] };
    const asked = (command: { type: string; [field: string]: unknown }, defined?: { storeIds: string[] }) =>
      checkRight('coupon-x', command, { defined }, { caller: ofMain, reason: 'because' })?.code;
    const define = (...storeIds: string[]) => asked({ type: 'DefineCoupon', storeIds });
    expect([define('main'), define('main', 'other'), define('other')]).toEqual([
      undefined,
      'other-store',
      'other-store',
    ]);
    const retire = (...storeIds: string[]) => asked({ type: 'RetireCoupon' }, { storeIds });
    expect([retire('main'), retire('main', 'other'), asked({ type: 'RetireCoupon' })]).toEqual([
      undefined,
      'other-store',
      'other-store',
    ]);
    const replace = (storeId?: string) =>
      asked({ type: 'GiveAlternativeCoupon', storeId, storeIds: ['main', 'other'] });
    expect([replace('main'), replace('other'), replace()]).toEqual([undefined, 'other-store', 'other-store']);
  });

  it('holds in the stores of the roles only', () => {
    const ofMain: Caller = { ...staff, stores: ['main'] };
    const pausing = (storeId: string) =>
      checkRight('order-o1', { type: 'PauseOrder' }, { terms: { customerId: 'c1', storeId } }, { caller: ofMain })
        ?.code;
    expect([pausing('main'), pausing('other')]).toEqual([undefined, 'not-yours']);
    const maximum = (storeId: string) =>
      checkRight(
        'order-o1',
        { type: 'ChangeDailyMaximum' },
        { terms: { customerId: 'c1', storeId } },
        { caller: ofMain, reason: 'because' },
      )?.code;
    expect([maximum('main'), maximum('other')]).toEqual([undefined, 'other-store']);
    const price = (storeId?: string) =>
      checkRight('catalogue-main', { type: 'SetPrice', storeId } as { type: string }, {}, { caller: ofMain })?.code;
    expect([price('main'), price('other'), price()]).toEqual([undefined, 'other-store', 'other-store']);
    const policy = { type: 'PublishPolicy' };
    expect(checkRight('policy-main', policy, {}, { caller: ofMain })?.code).toBe('other-store');
    const registering = (addressKey?: string, caller: Caller = ofMain) =>
      checkRight(
        'customer-c9',
        { type: 'RegisterCustomer', storeId: 'main', addressKey } as { type: string },
        {},
        {
          caller,
        },
      )?.code;
    expect([registering(), registering('key'), registering('key', visitor)]).toEqual([undefined, undefined, undefined]);
    expect([registering(undefined, visitor), registering(undefined, owner)]).toEqual(['staff-only', 'staff-only']);
  });
});
