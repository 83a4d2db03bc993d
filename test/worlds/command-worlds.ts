import fc from 'fast-check';
import type { Fact } from '#domain/codec';
import { type Decision, isRefusal } from '#domain/kernel/decider';
import { unsealed } from '#domain/kernel/events';
import { addHours } from '#domain/kernel/instants';
import { type CommandOf, type EventOf, type FamilyName, ledger, type StateOf } from '#domain/ledger';
import { defaultPolicy } from '#domain/policy/policy';

/*
 * Worlds of commands: one customer, its order in Loyalty Rewards, a few leads and returns, and commands of all kinds in any
 * order, as if every process and person acted at any moment. What the ledger refuses does not happen.
 */

/** One of the families that rows show, and the command: what is chosen in it follows from `choice`. */
export interface Attempt {
  readonly family: keyof typeof commands;
  readonly type: string;
  readonly choice: number;
  readonly afterHours: number;
}

type Maker<Command> = (choice: number, at: string, facts: readonly Fact[]) => Omit<Command, 'type' | 'at'>;
type Makers<Family extends FamilyName> = {
  readonly [Type in CommandOf<Family>['type']]: Maker<Extract<CommandOf<Family>, { type: Type }>>;
};

const box = (text: string) => ({ keyId: 'k1', box: btoa(text) });
const secret = (text: string) => ({ ...box(text), secret: true as const });
const one = <Value>(values: readonly Value[], choice: number): Value => values[choice % values.length] as Value;
const nothing = () => ({});

const CUSTOMER = 'c1';
const ORDER = 'o1';
const LEADS = ['l0', 'l1', 'l2', 'l3', 'l4', 'l5'];
const about = { customerId: CUSTOMER, storeId: 'main', leadTypeId: 't1' };
const money = { amountCents: 3000, currency: 'USD' };
const loyalty = {
  cadence: 'weekly',
  cadenceDays: 7,
  exclusive: false,
  bonusPercents: [10, 20],
  standardBonusPercent: 10,
  pausesThatKeepTheLadder: 1,
};
const decision = (at: string) => ({
  rule: 'order-served-longest-ago' as const,
  rank: {},
  decidedAt: at,
  eventsSeen: 1,
  decisionIndex: 0,
  policyVersion: 1,
});
const terms = {
  ...about,
  quantity: 2,
  dailyMaximum: 2,
  timeZone: 'America/New_York',
  pricePerLeadCents: 1500,
  currency: 'USD',
  paymentToken: secret('tok_ok'),
  statementDescriptor: 'LEADGER',
  policyVersion: 1,
  loyalty,
};

const findingOf = (choice: number, reference: string) =>
  choice % 2 === 0 ? { result: 'captured' as const, reference } : { result: 'not-captured' as const };

const order: Makers<'order'> = {
  PlaceOrder: () => ({ ...terms, orderLimits: { smallest: 1, largest: 9 }, batchType: false }),
  // Older versions showed terms in time zones that are not known.
  PlacePromisedOrder: (choice) => {
    const timeZone = one(['America/New_York', 'PST'], choice);
    return { ...terms, timeZone, totalCents: 3000, checkoutId: 'k1' };
  },
  CapturePayment: () => ({ ...money, reference: 'p0' }),
  DeclinePayment: () => ({ reason: 'expired-card' }),
  RecordPaymentNotCaptured: () => ({ ...money, chargeKey: 'k0' }),
  RecordPaymentUnknown: () => ({ ...money, chargeKey: 'k0' }),
  ResolvePayment: (choice) => findingOf(choice, 'p0'),
  RecordPayerForgotten: () => ({ providerCustomerId: 'cus1' }),
  ReplaceOrderCoupon: (choice) => ({ customerId: CUSTOMER, code: `C${choice % 2}`, by: `D${choice}` }),
  WishRefund: (choice) => ({
    refundId: `f${choice % 4}`,
    renewalNumber: choice % 3,
    cause: one(['by-hand', 'captured-too-late'], choice),
    ...(choice % 2 === 0 && { amountCents: 100 * (1 + choice) }),
  }),
  RecordRefunded: (choice) => ({ refundId: `f${choice % 4}`, attempt: 1 + (choice % 3), reference: `re${choice}` }),
  RecordRefundFailed: (choice) => ({
    refundId: `f${choice % 4}`,
    attempt: 1 + (choice % 3),
    failure: one(['no-balance', 'refused'], choice),
  }),
  RecordRefundReturned: (choice) => ({ refundId: `f${choice % 4}`, reference: `re${choice}` }),
  RetryRefund: (choice) => ({ refundId: `f${choice % 4}` }),
  SettleRefund: (choice) => ({ refundId: `f${choice % 4}` }),
  RecordDispute: (choice) => ({
    ...money,
    disputeId: `d${choice % 2}`,
    reference: `p${choice % 3}`,
    stage: one(['opened', 'won', 'lost'], choice),
    reason: 'fraudulent',
  }),
  PauseOrder: (choice) => (choice % 2 === 0 ? { restart: { afterDays: 3, policyVersion: 1 } } : {}),
  RestartOrder: nothing,
  RestartAutomatically: (choice) => ({ pauseNumber: 1 + (choice % 3) }),
  ReopenOrder: (choice) => ({ ...money, renewalNumber: 1 + (choice % 3), paymentReference: `p${1 + (choice % 3)}` }),
  ChangeDailyMaximum: (choice) => ({ dailyMaximum: { leads: 1 + (choice % 3) } }),
  CorrectOrderTimeZone: (choice) => ({ timeZone: one(['UTC', 'Europe/Paris'], choice) }),
  ChangePaymentCard: (choice) => ({ paymentToken: secret(`tok_${choice}`) }),
  CancelOrder: nothing,
  DeliverLead: (choice, at) => ({
    leadId: one(LEADS, choice),
    leadTypeId: 't1',
    businessKey: 'abc',
    returnWindowDays: 5,
    decision: decision(at),
    ...(choice % 3 === 0 && { replacementFor: `r${choice % 2}` }),
  }),
  OweReplacement: (choice, at) => ({ replacementId: `r${choice % 2}`, leadId: one(LEADS, choice), owedSince: at }),
  ForgiveReplacement: (choice) => ({ replacementId: `r${choice % 2}`, cause: 'verdict-corrected' }),
};

/** Mostly the present renewal and its present attempt, now and then another one. */
function attemptOf(choice: number, facts: readonly Fact[]) {
  const countOf = (type: string, number?: number) =>
    facts.filter(({ type: one, data }) => one === type && (number === undefined || numberIn(data) === number)).length;
  const renewalNumber = choice === 9 ? 2 : 1 + countOf('RenewalPaid');
  return { renewalNumber, attempt: choice === 8 ? 1 : countOf('RenewalBegun', renewalNumber) };
}
const numberIn = (data: object): unknown => ('renewalNumber' in data ? data.renewalNumber : undefined);
const renewalOf = (choice: number, facts: readonly Fact[]) => ({
  renewalNumber: attemptOf(choice, facts).renewalNumber,
});

const programme: Makers<'programme'> = {
  JoinProgramme: (_, at) => ({ ...about, cadence: 'weekly', cadenceDays: 7, countedFrom: at }),
  AnnounceRenewal: (choice, _, facts) => ({ ...renewalOf(choice, facts), policyVersion: 1 }),
  BeginRenewal: (choice, _, facts) => ({
    ...renewalOf(choice, facts),
    charge: { ...money, token: secret('tok_ok'), statementDescriptor: 'LEADGER' },
    retryHours: [24, 72],
    graceHours: choice < 6 ? 10_000 : 24,
    policyVersion: 1,
  }),
  MissRenewal: (choice, _, facts) => ({ ...attemptOf(choice, facts), graceHours: 24, policyVersion: 1 }),
  ReleaseRenewal: nothing,
  SkipRenewal: nothing,
  RecordRenewalPaid: (choice, _, facts) => {
    const attempt = attemptOf(choice, facts);
    return { ...attempt, ...money, reference: `p${attempt.renewalNumber}` };
  },
  RequestConfirmation: (choice, _, facts) => ({ ...attemptOf(choice, facts), reference: 'p9', link: secret('link') }),
  RecordRenewalDeclined: (choice, _, facts) => ({ ...attemptOf(choice, facts), reason: 'expired-card' }),
  RecordRenewalUnknown: (choice, _, facts) => ({ ...attemptOf(choice, facts), ...money, chargeKey: 'k1' }),
  ResolveRenewal: (choice, _, facts) => findingOf(choice, `p${attemptOf(choice, facts).renewalNumber}`),
  HoldProgramme: nothing,
  ActivateProgramme: nothing,
  CancelProgramme: () => ({ cause: 'customer' }),
};

const reasons = ['wrong-number', 'telephone-disconnected', 'not-interested'];
const replacement: Makers<'replacement'> = {
  RequestReplacement: (choice, at) => ({
    ...about,
    orderId: ORDER,
    leadId: 'l1',
    reason: one(reasons, choice),
    ...(choice % 2 === 0 && { note: box(`note ${choice % 4}`) }),
    explanation: box('It is no reason.'),
    deliveredAt: at,
    returnableUntil: choice === 9 ? addHours(at, -1) : addHours(at, 1),
    returnPolicy: { policyVersion: 1, ...defaultPolicy },
  }),
  GrantChargeback: nothing,
  DenyChargeback: () => ({ explanation: box('It rang.') }),
  GrantGoodwill: nothing,
  CorrectToGranted: nothing,
  CorrectToDenied: () => ({ explanation: box('It rang again.') }),
  CompleteCorrection: nothing,
  RecordOverdue: nothing,
  RecordReplacementDelivered: () => ({ replacementLeadId: 'l2' }),
  EndReplacement: () => ({ cause: 'customer-erased' }),
};

const persons = (choice: number) => ({ telephoneKey: `t${choice % 4}`, emailKey: `e${choice % 4}` });
const lead: Makers<'lead'> = {
  ReceiveLead: (choice) => ({
    leadTypeId: 't1',
    maximumCustomers: 3,
    source: 'page',
    ...persons(choice),
    contact: box('somebody'),
    policyVersion: 1,
  }),
  ReceiveDuplicate: (choice) => ({
    leadTypeId: 't1',
    source: 'page',
    ...persons(choice),
    duplicateOf: 'l0',
    match: 'telephone',
    policyVersion: 1,
  }),
  ReceiveKnown: (choice) => ({ knownAs: one(LEADS, choice) }),
  ForfeitReceipt: () => ({ attempt: 0, toLeadId: 'l0' }),
  SupersedeLead: () => ({
    leadTypeId: 't1',
    byLeadId: 'l9',
    agesNoFurther: true,
    agedAfterDays: 1,
    bothShared: true,
    sharedPersonDays: 1,
  }),
  MergeLead: () => ({ byLeadId: 'l9' }),
  SuppressLead: () => ({ suppression: 'opt-out', personKey: 'k1' }),
  CorrectWithdrawal: () => ({ replacementId: 'r1' }),
  AssignLead: (choice, at) => ({
    leadTypeId: one(['t1', 't2'], choice),
    orderId: `o${choice}`,
    customerId: `c${choice}`,
    businessKey: `b${choice}`,
    decision: decision(at),
  }),
  ReleaseLead: (choice) => ({ orderId: `o${choice}`, reason: 'order-paused' }),
  AgeLead: () => ({ leadTypeId: 't1', intoLeadTypeId: 't2', policyVersion: 1 }),
  WithdrawLead: (choice) => ({ reason: 'wrong-number', ...(choice % 2 === 0 && { replacementId: 'r1' }) }),
};

const contacts: Makers<'contacts'> = {
  AddContact: (choice) => ({ leadId: one(LEADS, choice), orderId: ORDER, telephoneKey: `t${choice}` }),
  RemoveContact: (choice) => ({ leadId: one(LEADS, choice), orderId: ORDER, reason: 'order-paused' }),
  SuppressContact: (choice) => ({ leadId: one(LEADS, choice), orderId: ORDER, suppression: 'do-not-call' }),
  RateContact: (choice) => ({ leadId: one(LEADS, choice), rating: 1 + (choice % 5) }),
};

const linked = (choice: number, at: string) => ({
  token: secret(`token ${choice}`),
  tokenHash: `hash ${choice % 3}`,
  expiresAt: addHours(at, 1),
});
const address = (choice: number) => ({ email: box(`${choice}@example.com`), addressKey: `a${choice}` });
const customer: Makers<'customer'> = {
  RegisterCustomer: (choice) => ({
    storeId: 'main',
    businessAssociation: box('Abc'),
    businessKey: 'abc',
    timeZone: 'Etc/UTC',
    ...(choice % 2 === 1 && address(choice)),
  }),
  ChangeBusinessAssociation: (choice) => ({
    businessAssociation: choice < 5 ? unsealed(`B ${choice}`, 'business-association') : box(`B ${choice}`),
    businessKey: `b${choice}`,
  }),
  SealBusinessAssociation: (choice) => ({
    ...(choice % 2 === 0 && { businessAssociation: box('Abc') }),
    formerNameKeys: ['abc'],
  }),
  RenewBusinessKeys: (choice) => ({
    statements: 1 + (choice % 2),
    names: [{ statement: choice % 2, businessKey: `n${choice}` }],
  }),
  ChangeTimeZone: (choice) => ({ timeZone: one(['Etc/UTC', 'Pacific/Honolulu'], choice) }),
  ChangeName: (choice) => ({ name: box(`Name ${choice}`) }),
  ChangePostalAddress: (choice) => ({ postalAddress: box(`Street ${choice}`) }),
  RequestAddressConfirmation: (choice, at) => linked(choice, at),
  ConfirmAddress: (choice) => ({ tokenHash: `hash ${choice % 3}` }),
  RequestEmailChange: (choice, at) => ({ ...address(choice), ...linked(choice, at) }),
  ConfirmEmailChange: (choice, at) => ({ tokenHash: `hash ${choice % 3}`, claimedAt: at }),
  SetPassword: (choice) => ({ verifier: secret(`verifier ${choice}`) }),
  SetFirstPassword: (choice) => ({ verifier: secret(`verifier ${choice}`) }),
  RequestPasswordRecovery: (choice, at) => linked(choice, at),
  RecoverPassword: (choice) => ({ tokenHash: `hash ${choice % 3}`, verifier: secret(`verifier ${choice}`) }),
  ChangeMailPreferences: (choice) => ({ off: choice % 2 === 0 ? ['leads-delivered'] : [] }),
  SwitchMailOff: (choice) => ({ kind: one(['leads-delivered', 'order-confirmed'], choice) }),
  ChooseLeadDelivery: () => ({ mails: 'each' }),
};

const answerPolicy = { policyVersion: 1, ...defaultPolicy };
const ticket: Makers<'ticket'> = {
  OpenTicket: () => ({ customerId: CUSTOMER, storeId: 'main', subject: box('s'), message: box('m'), answerPolicy }),
  SetLetterAside: (choice) => ({
    ...{ customerId: CUSTOMER, storeId: 'main', subject: box('s'), message: box('m'), reason: 'spam' },
    ...{ letter: { thread: box('t'), subject: box('s'), attachmentsRefused: 0 } },
    ...(choice > 7 && { noAddress: true }),
  }),
  TakeUpLetter: () => ({ answerPolicy }),
  AnswerTicket: () => ({ answer: box('a') }),
  WriteAgain: () => ({ message: box('m'), answerPolicy }),
  CloseTicket: nothing,
  RecordTicketOverdue: nothing,
};

const mail: Makers<'mail'> = {
  WishMail: (_, at) => ({ kind: 'order-confirmed', customerId: CUSTOMER, eventId: 'e1', happenedAt: at, facts: {} }),
  RecordMailSent: () => ({ messageId: 'm1', subject: 'Your order' }),
  RecordMailRefused: () => ({ answer: { status: 550 } }),
  RecordMailWithheld: () => ({ reason: 'no-address' }),
  RecordMailFailed: (choice, at) => ({ attempt: 1 + (choice % 3), failure: 'no-answer', retryAt: at }),
  RetryMail: () => ({}),
  AcknowledgeMailFailure: nothing,
  RecordMailGivenUp: (choice) => ({ attempt: 1 + (choice % 3), failure: 'answered', status: 451 }),
};

const webhook: Makers<'webhook'> = {
  WishWebhook: (_, at) => ({ customerId: CUSTOMER, orderId: ORDER, leadId: 'l1', eventId: 'e1', deliveredAt: at }),
  RecordWebhookAccepted: (choice) => ({ attempt: 1 + (choice % 4), status: 200 }),
  RecordWebhookFailed: (choice) => ({ attempt: 1 + (choice % 4), hopeless: choice > 6, failure: 'no-answer' }),
  ReplayWebhook: nothing,
};

const couponTerms = {
  code: 'C0',
  storeIds: ['main'],
  discount: { percent: 10 },
  validFrom: '2026-03-02T15:00:00.000Z',
  totalLimit: 2,
};
const tryOf = (choice: number) => ({ customerId: `c${choice % 3}`, checkoutId: `k${choice}` });
const coupon: Makers<'coupon'> = {
  DefineCoupon: () => couponTerms,
  GiveAlternativeCoupon: (choice) => ({ ...couponTerms, customerId: `c${choice % 3}`, insteadOf: 'B0' }),
  TryCoupon: (choice) => ({
    ...tryOf(choice),
    storeId: choice === 9 ? 'other' : 'main',
    leadTypeId: 't1',
    currency: 'USD',
  }),
  ReturnCoupon: tryOf,
  ReplaceCoupon: (choice) => ({ ...tryOf(choice), by: `D${choice % 2}` }),
  RetireCoupon: nothing,
  ReopenCoupon: nothing,
};

const commands = { order, programme, replacement, lead, contacts, customer, ticket, mail, webhook, coupon };
export type Family = keyof typeof commands;

const streamOf = (family: Family, choice: number): string => {
  if (family === 'lead') return `lead-${one([...LEADS, 'l6', 'l7'], choice)}`;
  if (family === 'customer' || family === 'contacts') return `${family}-${CUSTOMER}`;
  return family === 'order' || family === 'programme' ? `${family}-${ORDER}` : `${family}-r1`;
};

/** Commands that must have happened for the others to be about something. */
const beginning: readonly Attempt[] = [
  ...LEADS.map((_, choice) => ['lead', 'ReceiveLead', choice] as const),
  ['order', 'ReplaceOrderCoupon', 0],
].map(([family, type, choice]) => ({ family, type, choice, afterHours: 0 }) as Attempt);

/** Without an address, and with one. */
const registering = fc.constantFrom<Attempt>(
  { family: 'customer', type: 'RegisterCustomer', choice: 0, afterHours: 0 },
  { family: 'customer', type: 'RegisterCustomer', choice: 1, afterHours: 0 },
);
const placing = fc.constantFrom<Attempt>(
  { family: 'order', type: 'PlaceOrder', choice: 0, afterHours: 0 },
  { family: 'order', type: 'PlacePromisedOrder', choice: 1, afterHours: 0 },
);

/** Otherwise few orders would ever renew. */
const joining: readonly Attempt[] = [
  { family: 'order', type: 'CapturePayment', choice: 0, afterHours: 0 },
  { family: 'programme', type: 'JoinProgramme', choice: 0, afterHours: 0 },
];

const choice = fc.integer({ min: 0, max: 9 });
const hours = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 100, max: 400 }));
const attempts = (families: readonly Family[]): fc.Arbitrary<Attempt> =>
  fc
    .constantFrom(...families.flatMap((family) => Object.keys(commands[family]).map((type) => ({ family, type }))))
    .chain((command) => fc.record({ ...fixed(command), choice, afterHours: hours }));
const fixed = ({ family, type }: Pick<Attempt, 'family' | 'type'>) => ({
  family: fc.constant(family),
  type: fc.constant(type),
});

/** Attempts about a few families that meet in the same rows. */
export const worldsOf = (...families: readonly Family[]): fc.Arbitrary<readonly Attempt[]> =>
  fc
    .tuple(
      registering,
      placing,
      fc.boolean(),
      fc.array(attempts(families), { minLength: 1, maxLength: 80, size: 'max' }),
    )
    .map(([registered, placed, joins, world]) => [
      ...[registered, placed],
      ...(joins && families.includes('programme') ? joining : []),
      ...world,
    ]);

/** All that happened: what was refused did not. */
export function factsOfWorld(world: readonly Attempt[]): readonly Fact[] {
  const states = new Map<string, unknown>();
  const revisions = new Map<string, number>();
  const facts: Fact[] = [];
  let at = '2026-03-02T15:00:00.000Z';
  for (const { family, type, choice, afterHours } of [...beginning, ...world]) {
    at = addHours(at, afterHours);
    const stream = streamOf(family, choice);
    const makers = commands[family] as Readonly<Record<string, Maker<object>>>;
    const command = { type, at, ...makers[type]?.(choice, at, facts) } as CommandOf<Family>;
    if (!isPossible(command, facts)) continue;
    const decider = ledger[family].decider as unknown as AnyDecider;
    let state = states.get(stream) ?? decider.initialState();
    const decided = decider.decide(command, state as StateOf<Family>);
    if (isRefusal(decided)) continue;
    for (const event of decided) {
      state = decider.evolve(state as StateOf<Family>, event);
      const revision = (revisions.get(stream) ?? -1) + 1;
      revisions.set(stream, revision);
      facts.push(factOf(event, { stream, revision, number: facts.length }));
    }
    states.set(stream, state);
  }
  return facts;
}

/** What a process asks for only after another event, or a person only before it. */
function isPossible(command: CommandOf<Family>, facts: readonly Fact[]): boolean {
  switch (command.type) {
    case 'JoinProgramme':
      return facts.some(({ type }) => type === 'PaymentCaptured');
    case 'ReopenOrder':
      return facts.some(({ type, data }) => type === 'RenewalPaid' && data.renewalNumber === command.renewalNumber);
    case 'RemoveContact':
      return !facts.some(({ type, data }) => type === 'LeadDelivered' && data.leadId === command.leadId);
    default:
      return true;
  }
}

interface AnyDecider {
  initialState(): StateOf<Family>;
  decide(command: CommandOf<Family>, state: StateOf<Family>): Decision<EventOf<Family>>;
  evolve(state: StateOf<Family>, event: EventOf<Family>): StateOf<Family>;
}

const factOf = (
  event: EventOf<Family>,
  { stream, revision, number }: { stream: string; revision: number; number: number },
): Fact =>
  ({
    ...event,
    stream,
    revision,
    position: String(number).padStart(16, '0'),
    eventId: `event-${number}`,
    cause: { commandId: `command-${number}`, correlationId: `command-${number}`, actor: 'staff:world' },
  }) as unknown as Fact;
