import { deriveId } from '#domain/kernel/ids';
import { hashOfEvent } from '#event-store/event-hash';
import type { Position, RecordedEvent } from '#event-store/port';
import { logDigest } from '../digest.ts';
import { EventIdCheck } from './event-ids.ts';
import { checkLaws, type Law } from './laws.ts';
import { nameOf } from './raw-log.ts';

/** Events are written by hand, as bytes, without code of the domain. */
type Line = readonly [stream: string, type: string, data?: object, metadata?: object];

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-05-01T12:00:00.000Z');
const on = (day: number): string => new Date(START + day * DAY).toISOString();

const ofAnotherLog = { decidedOn: '9999999999999999' };
const decision = (index: number, rank: object = { placedAt: on(0) }, seen: object = ofAnotherLog) => ({
  rule: 'owedSince' in rank ? 'replacement-owed-longest' : 'order-served-longest-ago',
  rank,
  decidedAt: on(0),
  decisionIndex: index,
  policyVersion: 1,
  ...seen,
});

const policy = {
  maximumCustomersPerSharedLead: 3,
  freshAfterDays: 1,
  agedAfterDays: 30,
  returnWindowDays: 5,
  verificationDays: 7,
  approvedReturnReasons: ['wrong number'],
  invalidReturnReasons: ['not interested'],
};

const businesses = { c1: 'Abc', c2: 'Other', c3: 'Third', c4: 'Fourth', c5: 'A.B.C.' } as const;
const box = { keyId: 'k', box: 'AAAA' };
type Customer = keyof typeof businesses;
const keyOf = (customer: Customer) => businesses[customer].toLowerCase().replaceAll('.', '');

/** The names that are plain get keys. */
const keyed = (customerId: Customer, ...formerNameKeys: readonly string[]): Line => [
  `customer-${customerId}`,
  'BusinessAssociationSealed',
  { businessAssociation: box, businessKey: formerNameKeys.at(-1), formerNameKeys },
];
const worksForKeyed = (customerId: Customer, businessKey: string): Line => [
  `customer-${customerId}`,
  'BusinessAssociationChanged',
  { businessAssociation: box, businessKey },
];

const order = (id: string, customerId: Customer, leadTypeId: string, dailyMaximum?: number): Line[] => [
  [
    `order-${id}`,
    'OrderPlaced',
    { customerId, leadTypeId, timeZone: 'America/New_York', dailyMaximum, quantity: 2, bonusLeads: 0 },
  ],
  [`order-${id}`, 'PaymentCaptured'],
];
const lead = (id: string, leadTypeId: string, person = id, day = 0, policyVersion = 1): Line => [
  `lead-${id}`,
  'LeadReceived',
  { at: on(day), leadTypeId, openPlaces: leadTypeId === 'ex' ? 1 : 3, telephoneKey: person, policyVersion },
];
/** Leads with one e-mail address. */
const withAddress = (id: string, telephone: string): Line => {
  const [stream, type, data] = lead(id, 'ex', telephone);
  return [stream, type, { ...data, emailKey: 'address' }];
};
/** The assignment of a delivery names the person. */
const ofPerson = (telephoneKey: string, [assigned]: readonly Line[]): Line => {
  const [stream, type, data] = assigned as Line;
  return [stream, type, { ...data, telephoneKey }];
};
/** After so many days, a shared person may be sold again. */
const windowOf = (sharedPersonDays: number): Line[] => [
  ['policy-main', 'PolicyPublished', { version: 2, effectiveFrom: on(0), policy: { ...policy, sharedPersonDays } }],
];

const coupon = (totalLimit?: number): Line => ['coupon-k', 'CouponDefined', { code: 'K', totalLimit }];
const used = (customerId: Customer): Line => ['coupon-k', 'CouponUsed', { customerId }];
const mail = (id: string, eventId: string, day = 0, customerId = 'c1'): Line => [
  `mail-${id}`,
  'MailWished',
  { at: on(day), kind: 'order-confirmed', eventId, customerId },
];
const sent = (id: string): Line => [`mail-${id}`, 'MailSent'];
const failed = (id: string, day: number, retryOn: number): Line => [
  `mail-${id}`,
  'MailFailed',
  { at: on(day), retryAt: on(retryOn) },
];
const refused = (id: string): Line => [`mail-${id}`, 'MailRefused'];
const retried = (id: string, day = 0): Line => [`mail-${id}`, 'MailRetried', { at: on(day) }];
const givenUp = (id: string, day: number): Line => [`mail-${id}`, 'MailGivenUp', { at: on(day) }];

const checkoutLine = (type: string, data: object = {}): Line => [`checkout-k1`, type, data];
const couponTaken = (discount: object, code = 'K') => checkoutLine('CheckoutCouponTaken', { code, discount });
const checkoutPlaced = (totalCents?: number) =>
  checkoutLine('CheckoutPlaced', { ...(totalCents && { order: { pricePerLeadCents: 500, totalCents } }) });
const orderOfCheckout = (totalCents: number, checkoutId = 'k1'): Line => [
  'order-k',
  'OrderPlaced',
  { customerId: 'c1', leadTypeId: 'ex', quantity: 3, bonusLeads: 0, pricePerLeadCents: 500, totalCents, checkoutId },
];
const quote = { quantity: 3, pricePerLeadCents: 500, totalCents: 1500, currency: 'USD', bonusLeads: 0 };
const quoted = (more: object = {}) => checkoutLine('CheckoutQuoted', { ...quote, ...more });
const orderOfQuote = (more: object = {}): Line => [
  'order-k',
  'OrderPlaced',
  { customerId: 'c1', leadTypeId: 'ex', checkoutId: 'k1', ...quote, ...more },
];
const started = checkoutLine('CheckoutStarted', { quantity: 3 });
const later: Line = ['customer-c1', 'BusinessAssociationChanged', { at: on(1), businessAssociation: 'Abc' }];

let decisions = 0;
/** Assigned and delivered by a decision that cannot be judged, because it names a position of another log. */
function delivery(
  leadId: string,
  orderId: string,
  customerId: Customer,
  more: object = {},
  business = keyOf(customerId),
): Line[] {
  decisions += 1;
  const data = { leadId, orderId, customerId, businessKey: business, decision: decision(decisions), ...more };
  return [
    [`lead-${leadId}`, 'LeadAssigned', { leadTypeId: 'ex', openPlaces: 0, ...data }],
    [`order-${orderId}`, 'LeadDelivered', { leadTypeId: 'ex', localDay: '2026-05-01', ...data }],
  ];
}

const sharedFirst: Line[] = [lead('l3', 'sh'), ...delivery('l3', 'o1', 'c1')];
const sharedAgain = (day: number, policyVersion = 2): Line[] => [
  lead('l4', 'sh', 'l3', day, policyVersion),
  ...delivery('l4', 'o2', 'c2', { at: on(day) }),
];

const setting: Line[] = [
  ['policy-main', 'PolicyPublished', { version: 1, effectiveFrom: on(-1), policy }],
  ['catalogue-main', 'LeadTypeDefined', { leadTypeId: 'ex', exclusivity: 'exclusive' }],
  ['catalogue-main', 'LeadTypeDefined', { leadTypeId: 'sh', exclusivity: 'shared' }],
  ...Object.entries(businesses).map(
    ([id, businessAssociation]): Line => [`customer-${id}`, 'CustomerRegistered', { businessAssociation }],
  ),
  ...order('o1', 'c1', 'ex'),
  ...order('o2', 'c2', 'ex'),
  lead('l1', 'ex'),
];

/** A decision that had seen the setting, and of which the log does not have those that were made before it. */
const seenSetting = { eventsSeen: setting.length };

/** A shared order of 10 that is renewed every 7 days. */
const member: Line[] = [
  [
    'order-m1',
    'OrderPlaced',
    {
      customerId: 'c4',
      leadTypeId: 'sh',
      timeZone: 'UTC',
      quantity: 10,
      bonusLeads: 1,
      policyVersion: 1,
      loyalty: { cadenceDays: 7 },
    },
  ],
  ['order-m1', 'PaymentCaptured'],
  ['programme-m1', 'ProgrammeJoined'],
];
const charged = (renewalNumber: number, day = 7 * renewalNumber): Line[] => [
  ['programme-m1', 'RenewalBegun', { at: on(day), renewalNumber }],
  ['programme-m1', 'RenewalPaid', { at: on(day), renewalNumber }],
];
const reopened = (renewalNumber: number, bonusLeads: number, day = 7 * renewalNumber): Line => [
  'order-m1',
  'OrderReopened',
  { at: on(day), renewalNumber, quantity: 10, bonusLeads },
];
const renewed = (renewalNumber: number, bonusLeads: number, day?: number): Line[] => [
  ...charged(renewalNumber, day),
  reopened(renewalNumber, bonusLeads, day),
];

const promised = { returnableUntil: on(5) };
const longerWindow: Line = [
  'policy-main',
  'PolicyPublished',
  { version: 2, effectiveFrom: on(0), policy: { ...policy, returnWindowDays: 9 } },
];
const changed = (version: number, day: number, changes: object): Line => [
  'policy-main',
  'PolicyPublished',
  { version, effectiveFrom: on(day), changes },
];
/** By version 2, for which others are planned before it and after it. */
const byChanges = (days: number): Line[] => [
  changed(2, 2, { verificationDays: 8 }),
  changed(3, 3, { returnWindowDays: 20 }),
  changed(4, 1, { returnWindowDays: 9, sharedPersonDays: 30 }),
  changed(5, 1, { sharedPersonDays: null }),
  ...delivery('l1', 'o1', 'c1', {
    ...{ at: on(2), returnableUntil: on(2 + days) },
    decision: { ...decision(900), policyVersion: 2, decidedAt: on(2) },
  }),
];
const correctedTo = (verdict: string, reason: string): Line => [
  'replacement-r1',
  'VerdictCorrected',
  { at: on(2), orderId: 'o1', leadId: 'l1', verdict, reason },
];

const ofProgramme = (type: string, renewalNumber: number, dueOn: number, day: number): Line => [
  'programme-m1',
  type,
  { at: on(day), renewalNumber, dueAt: on(dueOn) },
];
const missed = (renewalNumber: number, dueOn: number, day: number): Line =>
  ofProgramme('RenewalMissed', renewalNumber, dueOn, day);
const released = (renewalNumber: number, dueOn: number, day: number): Line =>
  ofProgramme('RenewalReleased', renewalNumber, dueOn, day);
const skipped = (renewalNumber: number, dueOn: number, day: number): Line =>
  ofProgramme('RenewalSkipped', renewalNumber, dueOn, day);

const returned = (reason = 'wrong number', requestedOn = 1, more: object = {}): Line[] => [
  [
    'replacement-r1',
    'ReplacementRequested',
    { at: on(requestedOn), orderId: 'o1', leadId: 'l1', reason, policyVersion: 1, ...more },
  ],
  ['replacement-r1', 'ChargebackGranted', { at: on(requestedOn), orderId: 'o1', leadId: 'l1' }],
];

const encoder = new TextEncoder();
const cause = { commandId: 'a-command', correlationId: 'a-command', actor: 'staff:ada' };

function record(lines: readonly Line[]): RecordedEvent[] {
  const revisions = new Map<string, number>();
  return lines.map(([stream, type, data, metadata], index) => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    const event = {
      stream,
      revision,
      type,
      id: `00000000-0000-5000-8000-${String(index).padStart(12, '0')}`,
      data: encoder.encode(JSON.stringify({ at: on(0), ...data })),
      metadata: encoder.encode(JSON.stringify({ ...cause, ...metadata })),
      position: String(index + 1).padStart(16, '0') as Position,
      recordedAt: on(0),
    };
    return { ...event, hash: hashOfEvent(event) };
  });
}

const logOf = (events: readonly RecordedEvent[]) => ({
  async *readAll() {
    yield* events;
  },
});

async function broken(
  lines: readonly Line[],
  change = (events: RecordedEvent[]) => events,
): Promise<Partial<Record<Law, number>>> {
  const { laws } = await checkLaws(logOf(change(record(lines))), { hashOf: hashOfEvent });
  return Object.fromEntries(Object.entries(laws).filter(([, count]) => count > 0));
}

describe('the laws', () => {
  it('hold for a store that obeys them', async () => {
    const story = [
      ...setting,
      ...delivery('l1', 'o1', 'c1'),
      ...order('o3', 'c3', 'sh'),
      ...order('o4', 'c1', 'sh'),
      lead('s1', 'sh'),
      ...delivery('s1', 'o3', 'c3'),
      ...delivery('s1', 'o4', 'c1'),
      ...returned(),
      ['lead-l1', 'LeadWithdrawn', { leadTypeId: 'ex', openPlaces: 0 }] as Line,
      ['order-o1', 'OrderCancelled'] as Line,
      lead('l2', 'ex'),
      ...delivery('l2', 'o1', 'c1', { replacementFor: 'r1' }),
      lead('l3', 'ex'),
      [
        'customer-c2',
        'BusinessAssociationChanged',
        { at: on(9), businessAssociation: 'Abc' },
        { basis: { 'policy-main': 0, 'catalogue-main': 1 }, eventsSeen: setting.length },
      ] as Line,
    ];
    expect(await broken(story)).toEqual({});
  });

  it('hold for renewals on their dates, also after a hold, a decline and a pause', async () => {
    const story: Line[] = [
      ...setting,
      ...member,
      ...renewed(1, 1),
      ['programme-m1', 'ProgrammeHeld', { at: on(8) }],
      ['programme-m1', 'ProgrammeActivated', { at: on(9) }],
      ...renewed(2, 2),
      ['order-m1', 'OrderPaused', { at: on(15) }],
      ['order-m1', 'OrderRestarted', { at: on(15) }],
      ['programme-m1', 'RenewalBegun', { at: on(21), renewalNumber: 3 }],
      ['programme-m1', 'RenewalDeclined', { at: on(21), renewalNumber: 3, retryAt: on(22) }],
      ...renewed(3, 3, 22),
      ...renewed(4, 3),
      ['programme-m1', 'ProgrammeHeld', { at: on(29) }],
      ['programme-m1', 'ProgrammeActivated', { at: on(40) }],
      ...renewed(5, 3, 40),
      ['order-m1', 'OrderPaused', { at: on(41) }],
      ...renewed(6, 1, 47),
      ['programme-m1', 'ProgrammeCancelled', { at: on(48) }],
      ['customer-c1', 'BusinessAssociationChanged', { at: on(100), businessAssociation: 'Abc' }],
    ];
    expect(await broken(story)).toEqual({});
  });

  it.each<[string, readonly Line[]]>([
    [
      'with a coupon that takes a share off',
      [couponTaken({ percent: 8.2 }), checkoutPlaced(1377), orderOfCheckout(1377)],
    ],
    ['with a coupon that makes it free', [couponTaken({ amountCents: 9999 }), checkoutPlaced(), orderOfCheckout(0)]],
    [
      'with a coupon that support replaced',
      [
        couponTaken({ percent: 50 }),
        checkoutLine('CheckoutCouponReplaced', { code: 'K', by: 'K2' }),
        couponTaken({ percent: 10 }, 'K2'),
        ...[checkoutPlaced(1350), orderOfCheckout(1350)],
      ],
    ],
    ['that an older version closed after the order', [orderOfCheckout(1500), checkoutPlaced()]],
    [
      'whose quantity was changed, and which costs what was shown last',
      [
        quoted(),
        quoted({ quantity: 4, totalCents: 2000 }),
        checkoutPlaced(2000),
        orderOfQuote({ quantity: 4, totalCents: 2000 }),
        ['order-k', 'PaymentCaptured', { amountCents: 2000, currency: 'USD' }],
      ],
    ],
    ['that is not a day old and has no order yet', [checkoutPlaced(1500)]],
  ])('CHK-1: hold for a checkout %s', async (_, lines) => {
    const placed = lines.some(([, type]) => type === 'OrderPlaced');
    expect(await broken([...setting, started, ...lines, ...(placed ? [later] : [])])).toEqual({});
  });

  it('CPN-2: hold for a coupon that is used again after it was returned', async () => {
    const back: Line = ['coupon-k', 'CouponReturned', { customerId: 'c1' }];
    expect(await broken([...setting, coupon(1), used('c1'), back, used('c1')])).toEqual({});
    expect(await broken([...setting, coupon(1), used('c1'), back, used('c2')])).toEqual({});
  });

  it('DLV-11: hold for a person that comes again after a return, or after the time of the policy', async () => {
    const returned: Line = ['lead-l1', 'LeadWithdrawn', { replacementId: 'r1' }];
    const again = [lead('l2', 'ex', 'l1'), ...delivery('l2', 'o2', 'c2')];
    expect(await broken([...setting, ...delivery('l1', 'o1', 'c1'), returned, ...again])).toEqual({});
    expect(await broken([...setting, ...sharedFirst, ...windowOf(30), ...sharedAgain(30)])).toEqual({});
  });

  it('RPL-2: hold for a return inside its promised window, and for an older one judged by the policy of its request', async () => {
    const shorter: Line = [
      'policy-main',
      'PolicyPublished',
      { version: 2, effectiveFrom: on(1), policy: { ...policy, returnWindowDays: 1 } },
    ];
    const inside = returned('wrong number', 4, { policyVersion: 2, returnableUntil: on(5) });
    expect(await broken([...setting, ...delivery('l1', 'o1', 'c1', promised), shorter, ...inside])).toEqual({});
    expect(await broken([...setting, ...delivery('l1', 'o1', 'c1'), shorter, ...inside])).toEqual({});
    const older = [longerWindow, ...returned('wrong number', 8, { policyVersion: 2 })];
    expect(await broken([...setting, ...delivery('l1', 'o1', 'c1'), ...older])).toEqual({});
  });

  it('POL-2: hold for what was decided by a version that changes single fields, with what held before it', async () => {
    expect(await broken([...setting, ...byChanges(9)])).toEqual({});
    const rejoined = { exclusiveBonusPercent: 50 };
    const loyal = { ...member[0]?.[2], leadTypeId: 'ex', policyVersion: 3 };
    const joined = (bonusLeads: number): Line => ['order-m2', 'OrderPlaced', { ...loyal, at: on(2), bonusLeads }];
    const plan = [changed(2, 2, { pausesThatKeepTheLadder: 3 }), changed(3, 2, rejoined)];
    expect(await broken([...setting, ...plan, joined(5)])).toEqual({});
    expect(await broken([...setting, ...plan, joined(1)])).toEqual({ bonusWrong: 1 });
  });

  it('RPL-8, RPL-10, RPL-11: hold for a second reason, corrected verdicts and goodwill', async () => {
    const back: Line = ['order-o1', 'ReplacementForgiven', { replacementId: 'r1', cause: 'verdict-corrected' }];
    const asked = returned('not interested').slice(0, 1);
    const late: Line = ['customer-c2', 'BusinessAssociationChanged', { at: on(9), businessAssociation: 'Abc' }];
    const start = [...setting, ...delivery('l1', 'o1', 'c1')];
    expect(await broken([...start, ...asked, ...returned()])).toEqual({});
    expect(
      await broken([...start, ...returned(), back, correctedTo('denied', 'wrong number'), lead('l2', 'ex'), late]),
    ).toEqual({});
    expect(await broken([...start, ...asked, ['replacement-r1', 'GoodwillGranted', { at: on(2) }]])).toEqual({});
  });

  it('ORD-6, DLV-5: count the leads that renewals add, and use the maximum in force', async () => {
    const story: Line[] = [
      ...setting,
      ...order('m2', 'c3', 'ex', 1),
      ...['l2', 'l3', 'l4', 'l5'].map((id) => lead(id, 'ex')),
      ...delivery('l2', 'm2', 'c3'),
      ['order-m2', 'DailyMaximumChanged', { dailyMaximum: 3 }],
      ...delivery('l3', 'm2', 'c3'),
      ['order-m2', 'OrderFilled'],
      ['order-m2', 'OrderReopened', { renewalNumber: 1, quantity: 2, bonusLeads: 0 }],
      ...delivery('l4', 'm2', 'c3'),
    ];
    // The order joined nothing, so only its renewal is wrong.
    expect(await broken(story)).toEqual({ renewalOutOfTurn: 1 });
    expect(await broken([...story, ...delivery('l5', 'm2', 'c3')])).toMatchObject({ aboveDailyMaximum: 1 });
  });

  it.each<[string, Partial<Record<Law, number>>, readonly Line[]]>([
    [
      'LOY-3: a first order comes with too many bonus leads',
      { bonusWrong: 1 },
      [['order-m2', 'OrderPlaced', { ...member[0]?.[2], bonusLeads: 3 }]],
    ],
    ['LOY-3: a renewal comes with the bonus of another renewal', { bonusWrong: 1 }, [...member, ...renewed(1, 2)]],
    [
      'LOY-4: the second pause does not lose the ladder',
      { bonusWrong: 1 },
      [...member, ['order-m1', 'OrderPaused'], ['order-m1', 'OrderPaused'], ...renewed(1, 1), ...renewed(2, 2)],
    ],
    ['LOY-1: a renewal comes early', { renewalOutOfTurn: 1 }, [...member, ...renewed(1, 1, 6.99)]],
    [
      'LOY-1: the next renewal counts from the date, not from the arrival of the renewal before it',
      { renewalOutOfTurn: 1, renewalChargedLate: 1 },
      [...member, ...renewed(1, 1, 10), ...renewed(2, 2, 13.9)],
    ],
    [
      'LOY-10: a renewal is charged late without a word',
      { renewalChargedLate: 1 },
      [...member, ...renewed(1, 1, 8.1), ...renewed(2, 2, 15)],
    ],
    [
      'LOY-10: a renewal is charged while it waits for a word, though not late',
      { renewalChargedLate: 1 },
      [...member, skipped(1, 7, 14.5), missed(1, 14, 14.5), ...renewed(1, 1, 14.6)],
    ],
    ['LOY-10: a renewal is skipped before its date', { renewalOutOfTurn: 1 }, [...member, skipped(1, 7, 6)]],
    [
      'LOY-10: the newest date is skipped without a word',
      { renewalOutOfTurn: 1 },
      [...member, skipped(1, 7, 9), ...renewed(1, 1, 14)],
    ],
    [
      'LOY-10: a date is skipped that is not the next one, and then the next one does not come',
      { renewalOutOfTurn: 1, renewalMissing: 1 },
      [...member, skipped(1, 14, 25)],
    ],
    ['LOY-10: a word is given though nothing waits', { renewalOutOfTurn: 1 }, [...member, released(1, 7, 7)]],
    [
      'LOY-10: a skipped renewal counts as a step of the ladder',
      { bonusWrong: 1 },
      [...member, skipped(1, 7, 15), missed(1, 14, 15), released(1, 14, 16), ...renewed(1, 2, 16)],
    ],
    [
      'LOY-10: one word is taken for two charges',
      { renewalChargedLate: 1 },
      [
        ...member,
        ...[skipped(1, 7, 20), missed(1, 14, 20), released(1, 14, 20), ...renewed(1, 1, 20)],
        ...renewed(2, 2, 23),
      ],
    ],
    ['LOY-1: a renewal comes twice', { renewalOutOfTurn: 1 }, [...member, ...renewed(1, 1), reopened(1, 1)]],
    ['LOY-1: a renewal is charged twice', { renewalOutOfTurn: 2 }, [...member, ...renewed(1, 1), ...charged(1, 8)]],
    ['LOY-8: an unpaid renewal re-opens the order', { renewalOutOfTurn: 1 }, [...member, reopened(1, 1)]],
    [
      'LOY-5: a held programme is renewed',
      { renewalOutOfTurn: 1 },
      [...member, ['programme-m1', 'ProgrammeHeld'], ...renewed(1, 1)],
    ],
    [
      'LOY-8: a declined renewal is tried again before its time',
      { renewalOutOfTurn: 1 },
      [
        ...member,
        ['programme-m1', 'RenewalBegun', { at: on(7), renewalNumber: 1 }],
        ['programme-m1', 'RenewalDeclined', { at: on(7), renewalNumber: 1, retryAt: on(8) }],
        ...renewed(1, 1, 7.5),
      ],
    ],
    [
      'LOY-1: a renewal does not come',
      { renewalMissing: 1 },
      [...member, ['customer-c1', 'BusinessAssociationChanged', { at: on(8), businessAssociation: 'Abc' }]],
    ],
    [
      'LOY-8: a charge that its customer may confirm is never settled',
      { renewalMissing: 1 },
      [
        ...member,
        ['programme-m1', 'RenewalBegun', { at: on(7), renewalNumber: 1 }],
        ['programme-m1', 'RenewalConfirmationRequested', { at: on(7), renewalNumber: 1, until: on(8) }],
        ['customer-c1', 'BusinessAssociationChanged', { at: on(9), businessAssociation: 'Abc' }],
      ],
    ],
    [
      'LOY-2: a renewal is paid and not delivered',
      { renewalMissing: 1 },
      [
        ...member,
        ...charged(1),
        ['customer-c1', 'BusinessAssociationChanged', { at: on(8), businessAssociation: 'Abc' }],
      ],
    ],
    [
      'an event was decided on a revision that another stream had not reached',
      { basisNotThere: 2 },
      [
        ['catalogue-main', 'StatementDescriptorSet', {}, { basis: { 'policy-main': 1 } }],
        ['catalogue-main', 'StatementDescriptorSet', {}, { basis: { 'policy-main': 0, 'customer-c9': 0 } }],
      ],
    ],
    [
      'an event was decided on events after it',
      { basisNotThere: 1 },
      [['order-o1', 'OrderCancelled', {}, { eventsSeen: setting.length + 1 }]],
    ],
    [
      'CHK-1: an order does not have the discount of its checkout',
      { checkoutNotKept: 1 },
      [started, couponTaken({ percent: 10 }), orderOfCheckout(1500)],
    ],
    [
      'CHK-1: a checkout takes a coupon after its order was placed',
      { checkoutNotKept: 1 },
      [started, orderOfCheckout(1500), couponTaken({ percent: 10 })],
    ],
    [
      'CHK-1: an order costs more than its checkout promised',
      { checkoutNotKept: 1 },
      [started, checkoutPlaced(1500), orderOfCheckout(1600)],
    ],
    ['CHK-1: the order of a checkout is missing', { checkoutNotKept: 1 }, [started, checkoutPlaced(1500), later]],
    [
      'CHK-5: an order costs more than its checkout showed',
      { quoteNotKept: 1 },
      [started, quoted(), orderOfQuote({ pricePerLeadCents: 600, totalCents: 1800 })],
    ],
    [
      'CHK-5: another amount is captured than the checkout showed',
      { quoteNotKept: 1 },
      [started, quoted(), orderOfQuote(), ['order-k', 'PaymentCaptured', { amountCents: 1501, currency: 'USD' }]],
    ],
    [
      'CHK-5: the dates of the renewals are others than the checkout showed',
      { quoteNotKept: 1 },
      [started, quoted({ renewalsCountedFrom: on(0) }), orderOfQuote({ renewalsCountedFrom: on(1) })],
    ],
    [
      'CHK-5: a quote does not have the discount of the coupon',
      { quoteNotKept: 1 },
      [started, couponTaken({ percent: 10 }), quoted()],
    ],
    [
      'CHK-5: something else is shown after the order',
      { quoteNotKept: 1 },
      [started, quoted(), orderOfQuote(), quoted({ totalCents: 1500 })],
    ],
    ['CHK-1: an order names a checkout that never was', { checkoutNotKept: 1 }, [orderOfCheckout(1500, 'k9')]],
    ['CPN-2: a customer uses a coupon again', { couponUsedTwice: 1 }, [coupon(), used('c1'), used('c2'), used('c1')]],
    ['CPN-5: a coupon is used by more than its limit', { couponUsedTwice: 1 }, [coupon(1), used('c1'), used('c2')]],
    ['CPN-3: a coupon that was never defined is used', { couponUsedTwice: 1 }, [used('c1')]],
    [
      'NTF-3: a mail has no result',
      { mailMissing: 1 },
      [mail('m1', 'e1'), mail('m2', 'e2'), sent('m2'), mail('m3', 'e3', 1), mail('m4', 'e4', 6)],
    ],
    [
      'NTF-4: a mail that fails is not tried for five days',
      { mailMissing: 1 },
      [mail('m1', 'e1'), failed('m1', 0, 4), givenUp('m1', 4), mail('m2', 'e2'), failed('m2', 0, 5), givenUp('m2', 5)],
    ],
    ['NTF-4: a mail is given up, and never failed before', { mailMissing: 1 }, [mail('m1', 'e1'), givenUp('m1', 9)]],
    [
      'NTF-4: a mail that failed is not tried again when it is time',
      { mailMissing: 1 },
      [mail('m1', 'e1'), failed('m1', 0, 1), mail('m2', 'e2'), failed('m2', 0, 2), mail('m3', 'e3', 2)],
    ],
    [
      'NTF-4: a mail is tried for more than six days',
      { mailMissing: 1 },
      [mail('m1', 'e1'), failed('m1', 0, 5), failed('m1', 5, 6), mail('m2', 'e2', 6)],
    ],
    ['NTF-3: a mail is tried after it was sent', { mailTwice: 1 }, [mail('m1', 'e1'), sent('m1'), failed('m1', 0, 1)]],
    [
      'NTF-3: a mail is sent again by hand after it was sent, or on its way',
      { mailTwice: 2 },
      [mail('m1', 'e1'), sent('m1'), retried('m1'), mail('m2', 'e2'), retried('m2'), sent('m2')],
    ],
    [
      'NTF-4: a mail that was sent again by hand has no result',
      { mailMissing: 1 },
      [mail('m1', 'e1'), refused('m1'), retried('m1', 1), mail('m2', 'e2', 7)],
    ],
    [
      'NTF-3: two mails to one person are about one event',
      { mailTwice: 1 },
      [mail('m1', 'e1'), sent('m1'), mail('m2', 'e1')],
    ],
    ['NTF-3: a mail is sent twice', { mailTwice: 1 }, [mail('m1', 'e1'), sent('m1'), sent('m1')]],
    ['NTF-3: a mail is sent that was never requested', { mailTwice: 1 }, [sent('m1')]],
    [
      'DLV-1: an exclusive lead goes to a second customer',
      { exclusiveToSeveral: 1 },
      [...delivery('l1', 'o1', 'c1'), ...delivery('l1', 'o2', 'c2')],
    ],
    [
      'DLV-2: a shared lead goes to a fourth customer',
      { sharedToTooMany: 1 },
      [
        lead('s1', 'sh'),
        ...(['c1', 'c2', 'c3', 'c4'] as const).flatMap((customer) => [
          ...order(`s-${customer}`, customer, 'sh'),
          ...delivery('s1', `s-${customer}`, customer),
        ]),
      ],
    ],
    [
      'DLV-3: a shared lead goes into one business twice, however that is written',
      { sameBusinessTwice: 1 },
      [
        lead('s1', 'sh'),
        ...order('o5', 'c5', 'sh'),
        ...order('o6', 'c1', 'sh'),
        ...delivery('s1', 'o5', 'c5'),
        ...delivery('s1', 'o6', 'c1'),
      ],
    ],
    [
      'DLV-3: a wrong business in an event does not hide a violation',
      { sameBusinessTwice: 1 },
      [
        lead('s1', 'sh'),
        ...order('o5', 'c5', 'sh'),
        ...order('o6', 'c1', 'sh'),
        ...delivery('s1', 'o5', 'c5'),
        ...delivery('s1', 'o6', 'c1', { decision: decision(9, undefined, seenSetting) }, 'somethingelse'),
      ],
    ],
    [
      'DLV-3: a lead goes into a business that an older version named, and again when it has a key',
      { sameBusinessTwice: 1 },
      [
        lead('s1', 'sh'),
        ...order('o5', 'c5', 'sh'),
        ...delivery('s1', 'o5', 'c5'),
        keyed('c5', 'k1'),
        keyed('c1', 'k1'),
        worksForKeyed('c2', 'k1'),
        ...order('o6', 'c2', 'sh'),
        ...delivery('s1', 'o6', 'c2', {}, 'k1'),
      ],
    ],
    [
      'DLV-3: a lead goes into a business twice by its key, and an event names the business by name',
      { sameBusinessTwice: 1 },
      [
        lead('s1', 'sh'),
        worksForKeyed('c2', 'k1'),
        ...order('o6', 'c2', 'sh'),
        ...delivery('s1', 'o6', 'c2', {}, 'k1'),
        keyed('c5', 'k1'),
        ...order('o5', 'c5', 'sh'),
        ...delivery('s1', 'o5', 'c5'),
      ],
    ],
    [
      'a customer gets fewer keys than it has plain names',
      { unreadable: 1 },
      [['customer-c1', 'BusinessAssociationChanged', { businessAssociation: 'Second' }], keyed('c1', 'k1')],
    ],
    [
      'DLV-4: a customer gets a person again, with another lead and another order',
      { samePersonTwice: 1, personSoldAgain: 1 },
      [
        ...order('o7', 'c1', 'ex'),
        ...delivery('l1', 'o1', 'c1'),
        lead('l2', 'ex', 'l1'),
        ...delivery('l2', 'o7', 'c1'),
      ],
    ],
    [
      'DLV-11: an exclusive person is sold as another lead to another customer',
      { personSoldAgain: 1 },
      [...delivery('l1', 'o1', 'c1'), lead('l2', 'ex', 'l1'), ...delivery('l2', 'o2', 'c2')],
    ],
    [
      'DLV-11: a shared person is sold as another lead, within the time of the policy at its receipt',
      { personSoldAgain: 1 },
      [...sharedFirst, ...windowOf(30), ...sharedAgain(29)],
    ],
    [
      'DLV-11: a shared person is sold as another lead, and the policy knows no time',
      { personSoldAgain: 1 },
      [...sharedFirst, ...sharedAgain(3650, 1)],
    ],
    [
      'DLV-11: an exclusive person is sold as a shared lead, however late',
      { personSoldAgain: 1 },
      [
        ...delivery('l1', 'o1', 'c1'),
        ...windowOf(30),
        lead('l3', 'sh', 'l1', 90, 2),
        ...delivery('l3', 'o2', 'c2', { at: on(90) }),
      ],
    ],
    [
      'DLV-11: a record with the telephone of one lead and the address of another is sold after the first',
      { personSoldAgain: 1 },
      [...delivery('l1', 'o1', 'c1'), withAddress('l2', 'l2'), withAddress('l3', 'l1'), ...delivery('l3', 'o2', 'c2')],
    ],
    [
      'DLV-11: a record with the telephone of one lead and the address of another is sold after the second',
      { personSoldAgain: 1 },
      [withAddress('l2', 'l2'), ...delivery('l2', 'o1', 'c1'), withAddress('l3', 'l1'), ...delivery('l3', 'o2', 'c2')],
    ],
    [
      'DLV-11: a duplicate is sold',
      { personSoldAgain: 1, sharedToTooMany: 1 },
      [['lead-l2', 'DuplicateReceived', { leadTypeId: 'ex', duplicateOf: 'l1' }], ...delivery('l2', 'o2', 'c2')],
    ],
    [
      'DLV-12: a lead of a suppressed person is stored',
      { suppressedSold: 1 },
      [['person-l9', 'PersonSuppressed', { suppression: 'opt-out' }], lead('l9', 'ex')],
    ],
    [
      'DLV-12: a lead is assigned although its person is suppressed',
      { suppressedSold: 1 },
      [['person-l1', 'PersonSuppressed', { suppression: 'opt-out' }], ofPerson('l1', delivery('l1', 'o1', 'c1'))],
    ],
    [
      'DLV-12: a person is sold of whom only one of two suppressions was lifted',
      { suppressedSold: 1 },
      [
        ['person-l9', 'PersonSuppressed', { suppression: 'do-not-call', listId: 'march' }],
        ['person-l9', 'PersonSuppressed', { suppression: 'opt-out' }],
        ['person-l9', 'SuppressionLifted', { listId: 'march' }],
        lead('l9', 'ex'),
      ],
    ],
    [
      'DLV-5: an order gets more than its maximum on a local day',
      { aboveDailyMaximum: 1 },
      [...order('o8', 'c3', 'ex', 1), lead('l2', 'ex'), ...delivery('l1', 'o8', 'c3'), ...delivery('l2', 'o8', 'c3')],
    ],
    [
      'ORD-1: a paused order gets a lead',
      { deliveredWhileNotOpen: 1 },
      [['order-o1', 'OrderPaused'], ...delivery('l1', 'o1', 'c1')],
    ],
    [
      'RPL-6: what names a replacement that is not owed, is none',
      { deliveredWhileNotOpen: 1 },
      [['order-o1', 'OrderCancelled'], ...delivery('l1', 'o1', 'c1', { replacementFor: 'r1' })],
    ],
    [
      'ORD-6: an order gets more than was ordered',
      { deliveredTooMany: 1 },
      [
        lead('l2', 'ex'),
        lead('l3', 'ex'),
        ...delivery('l1', 'o1', 'c1'),
        ...delivery('l2', 'o1', 'c1'),
        ...delivery('l3', 'o1', 'c1'),
      ],
    ],
    [
      'CHK-6: one payment of the provider is recorded as that of a second order',
      { paymentTwice: 1 },
      [
        ['order-o1', 'PaymentCapturedTooLate', { reference: 'pi_1', amountCents: 100 }],
        ['order-o2', 'PaymentCapturedTooLate', { reference: 'pi_1', amountCents: 100 }],
      ],
    ],
    [
      'DLV-10: a withdrawn lead is assigned',
      { deliveredAfterWithdrawal: 1 },
      [['lead-l1', 'LeadWithdrawn', { leadTypeId: 'ex', openPlaces: 0 }], delivery('l1', 'o1', 'c1')[0] as Line],
    ],
    [
      'RPL-2: a return is granted that was asked for too late',
      { returnGrantedOutsideWindow: 1 },
      [...delivery('l1', 'o1', 'c1'), ...returned('wrong number', 5.01)],
    ],
    [
      'RPL-3: a return is granted for a reason that is not approved',
      { returnGrantedOutsideWindow: 1 },
      [...delivery('l1', 'o1', 'c1'), ...returned('not interested')],
    ],
    [
      'RPL-2: a return is granted after the window that was promised with the delivery, whatever the policy says later',
      { returnGrantedOutsideWindow: 1 },
      [
        ...delivery('l1', 'o1', 'c1', promised),
        longerWindow,
        ...returned('wrong number', 6, { policyVersion: 2, returnableUntil: on(9) }),
      ],
    ],
    [
      'RPL-2: a delivery promises another window than its policy',
      { returnWindowWrong: 1 },
      delivery('l1', 'o1', 'c1', { returnableUntil: on(6) }),
    ],
    [
      'RPL-2, POL-2: a delivery promises another window than held before the version that decided it',
      { returnWindowWrong: 1 },
      byChanges(5),
    ],
    [
      'RPL-2, POL-2: a delivery promises the window of a version that is planned for later',
      { returnWindowWrong: 1 },
      byChanges(20),
    ],
    [
      'RPL-10: a verdict is corrected to granted beyond the rules',
      { returnGrantedOutsideWindow: 1 },
      [
        ...delivery('l1', 'o1', 'c1'),
        ...returned('not interested').slice(0, 1),
        correctedTo('granted', 'not interested'),
      ],
    ],
    [
      'RPL-10: a replacement is delivered although the verdict was corrected',
      { deliveredTooMany: 1 },
      [
        ...delivery('l1', 'o1', 'c1'),
        ...returned(),
        ['order-o1', 'ReplacementForgiven', { replacementId: 'r1', cause: 'verdict-corrected' }],
        ...['l2', 'l3'].flatMap((id) => [lead(id, 'ex'), ...delivery(id, 'o1', 'c1')]).slice(0, 4),
        lead('l4', 'ex'),
        ...delivery('l4', 'o1', 'c1', { replacementFor: 'r1' }),
      ],
    ],
    [
      'RPL-11: a replacement that was promised as goodwill is not delivered',
      { replacementMissing: 1 },
      [
        ...delivery('l1', 'o1', 'c1'),
        ...returned('not interested').slice(0, 1),
        ['replacement-r1', 'GoodwillGranted', { at: on(1), orderId: 'o1', leadId: 'l1' }],
        lead('l2', 'ex'),
        ['customer-c2', 'BusinessAssociationChanged', { at: on(3), businessAssociation: 'Abc' }],
      ],
    ],
    [
      'RPL-6: a replacement is not delivered although a lead was in stock for a day',
      { replacementMissing: 1 },
      [
        ...delivery('l1', 'o1', 'c1'),
        ...returned(),
        lead('l2', 'ex'),
        ['customer-c2', 'BusinessAssociationChanged', { at: on(3), businessAssociation: 'Abc' }],
      ],
    ],
    ['an event says nothing that can be understood', { unreadable: 1 }, [['lead-l1', 'LeadAged', { at: 'yesterday' }]]],
    ...Object.entries({
      'a time that is none': { recordedAt: 'yesterday' },
      'an effective time that is none': { effectiveAt: 'x' },
      'less than no events seen': { eventsSeen: -1 },
      'half an event seen': { eventsSeen: 0.5 },
      'an authentication that does not exist': { authenticated: 'x' },
      'an authenticated actor that is no id': { authenticated: 'cli', actor: 'a b@c' },
      'an authenticated person that is no id': { authenticatedAs: 'a b@c' },
      'no actor': { actor: undefined },
      'an actor that is no text': { actor: 5 },
      'no command': { commandId: undefined },
      'a version that is no number': { schemaVersion: '2' },
      'a lease without a token': { lease: { unit: 'mailing' } },
      'a hash that is no text': { requestHash: 7 },
      'a reason that is neither a text nor a box': { reason: { keyId: 'k' } },
      'a field that no version wrote': { motive: 'x' },
    }).map(([what, metadata]): [string, Partial<Record<Law, number>>, readonly Line[]] => [
      `an event has ${what}`,
      { unreadable: 1 },
      [['order-o1', 'OrderPaused', {}, metadata]],
    ]),
  ])('count when %s', async (_, counts, lines) => {
    expect(await broken([...setting, ...lines])).toEqual(counts);
  });

  describe('DLV-7: count a lead for which another order was first in turn', () => {
    const assigned = (orderId: string, customerId: Customer, seen: object): Line => [
      'lead-l1',
      'LeadAssigned',
      {
        leadTypeId: 'ex',
        openPlaces: 0,
        orderId,
        customerId,
        businessKey: keyOf(customerId),
        decision: decision(0, { placedAt: on(0) }, seen),
      },
    ];
    const judge = async (line: Line, change = (events: RecordedEvent[]) => events, past: readonly Line[] = []) => {
      const events = change(record([...setting, ...past, line]));
      const { laws, decisions } = await checkLaws(logOf(events), { hashOf: hashOfEvent });
      return [laws.winnerNotFirst, decisions];
    };
    const judged = { judged: 1, passedOver: 0 };
    const bySeen = { eventsSeen: setting.length };
    const byPosition = { decidedOn: String(setting.length).padStart(16, '0') };
    /** A store whose positions have gaps. */
    const copied = (events: RecordedEvent[]) =>
      events.map((event) => ({
        ...event,
        position: String(Number(event.position) * 37).padStart(16, '0') as Position,
      }));

    it.each([
      ['eventsSeen', bySeen],
      ['decidedOn, of older decisions', byPosition],
    ])('by %s', async (_, seen) => {
      expect(await judge(assigned('o1', 'c1', seen))).toEqual([0, judged]);
      expect(await judge(assigned('o2', 'c2', seen))).toEqual([1, judged]);
    });

    it('an order of an erased customer has no turn from the moment of the fact, and restarting it changes nothing', async () => {
      const erased: Line = ['erasures-main', 'PersonErased', { subjects: ['customer-c1'], personKeys: [], ends: [] }];
      const restarted: Line = ['order-o1', 'OrderRestarted'];
      for (const past of [[erased], [erased, restarted]]) {
        const seen = { eventsSeen: setting.length + past.length };
        expect(await judge(assigned('o2', 'c2', seen), undefined, past)).toEqual([0, judged]);
        expect(await judge(assigned('o1', 'c1', seen), undefined, past)).toEqual([1, judged]);
      }
    });

    describe('DLV-3: compare businesses by name and by key', () => {
      /** A lead that went to c1, which an older version knows by name; then c2 stands first for it, and c3 second. */
      const before = [...setting, ...order('s1', 'c1', 'sh'), lead('l9', 'sh')];
      const first = {
        leadTypeId: 'sh',
        openPlaces: 2,
        decision: decision(0, { placedAt: on(0) }, { eventsSeen: before.length }),
      };
      const past = [
        ...before,
        ...delivery('l9', 's1', 'c1', first),
        keyed('c1', 'k1'),
        keyed('c5', 'k1'),
        ...order('s2', 'c2', 'sh'),
        ...order('s3', 'c3', 'sh'),
      ];
      const judgeNext = async (lines: readonly Line[], [orderId, customerId, businessKey]: readonly string[]) => {
        const all = [...past, ...lines];
        const seen = decision(0, { placedAt: on(0) }, { eventsSeen: all.length });
        const data = { leadTypeId: 'sh', openPlaces: 1, orderId, customerId, businessKey, decision: seen };
        const { laws } = await checkLaws(logOf(record([...all, ['lead-l9', 'LeadAssigned', data]])), {
          hashOf: hashOfEvent,
        });
        return laws.winnerNotFirst;
      };

      it.each([
        ['another key: it is first', 'k2', ['s2', 'c2', 'k2'], 0],
        ['another key: it was passed over', 'k2', ['s3', 'c3', 'third'], 1],
        ['the key of the business that has the lead: it was passed over rightly', 'k1', ['s3', 'c3', 'third'], 0],
        ['the key of the business that has the lead: it has no right to it', 'k1', ['s2', 'c2', 'k1'], 1],
      ])('the first customer has %s', async (_, key, winner, found) => {
        expect(await judgeNext([worksForKeyed('c2', key)], winner)).toBe(found);
      });
    });

    /** A decision about l1, and a true one about l2 that had seen all before it. */
    const judgeBoth = (claim: object, metadata: object = {}) => {
      const [stream, type, data = {}] = assigned('o1', 'c1', claim);
      const [, ...next] = assigned('o2', 'c2', { eventsSeen: setting.length + 2 });
      const lines: Line[] = [...setting, [stream, type, data, metadata], lead('l2', 'ex'), ['lead-l2', ...next]];
      return checkLaws(logOf(record(lines)), { hashOf: hashOfEvent });
    };

    it.each<[string, object, readonly [unreadable: number, basisNotThere: number]]>([
      ['to have seen itself', { eventsSeen: setting.length + 1 }, [0, 1]],
      ['to have seen events that never were', { eventsSeen: 9_999_999 }, [0, 1]],
      ['that it saw half an event', { eventsSeen: 0.5 }, [1, 1]],
      ['a policy that was never published', { policyVersion: 9 }, [0, 1]],
      ['a rule that does not exist', { rule: 'nonsense' }, [1, 0]],
      ['no rank', { rank: undefined }, [1, 0]],
      ['the rank of another rule', { rank: { owedSince: on(0) } }, [1, 0]],
    ])('a decision that claims %s is found, and hides no later one', async (_, claim, found) => {
      const { laws, decisions } = await judgeBoth({ ...bySeen, ...claim }, bySeen);
      expect([laws.unreadable, laws.basisNotThere]).toEqual(found);
      expect(decisions).toEqual({ judged: 2, passedOver: 0 });
    });

    it('a decision that claims a time after it is found, and hides no later one', async () => {
      const { laws, decisions } = await judgeBoth({ ...bySeen, decidedAt: on(9000) }, bySeen);
      expect([laws.datedOtherwise, decisions]).toEqual([1, { judged: 2, passedOver: 0 }]);
    });

    it('an order that has its maximum is passed by, also after a clock that was set forward was put right', async () => {
      const past: Line[] = [
        ...order('o3', 'c3', 'ex', 1),
        ...delivery('l9', 'o3', 'c3'),
        ...delivery('l8', 'o2', 'c2'),
        ['order-o2', 'OrderPaused', { at: on(8) }],
        ['order-o2', 'OrderRestarted', { at: on(0) }],
        ['order-o1', 'OrderPaused', { at: on(0) }],
      ];
      const winner = assigned('o2', 'c2', { eventsSeen: setting.length + past.length });
      expect(await judge(winner, undefined, past)).toEqual([0, { judged: 1, passedOver: 2 }]);
    });

    it('a decision of which nothing is true is passed over, and no other one', async () => {
      const { laws, decisions } = await judgeBoth({ eventsSeen: 9_999_999 });
      expect([laws.basisNotThere, laws.winnerNotFirst]).toEqual([1, 0]);
      expect(decisions).toEqual({ judged: 1, passedOver: 1 });
    });

    it('also in a copy with other positions', async () => {
      expect(await judge(assigned('o1', 'c1', bySeen), copied)).toEqual([0, judged]);
      expect(await judge(assigned('o2', 'c2', bySeen), copied)).toEqual([1, judged]);
    });

    it('older decisions name a position of the log in which they were made: a copy cannot judge them', async () => {
      const passedOver = { judged: 0, passedOver: 1 };
      expect(await judge(assigned('o1', 'c1', byPosition), copied)).toEqual([0, passedOver]);
      expect(await judge(assigned('o2', 'c2', byPosition), copied)).toEqual([0, passedOver]);
    });
  });

  it('count events that are missing from a stream, in it twice, or changed', async () => {
    const lines = [...setting, ...delivery('l1', 'o1', 'c1')];
    expect(await broken(lines, (events) => events.filter(({ type }) => type !== 'PaymentCaptured'))).toMatchObject({
      revisionGap: 1,
    });
    expect(await broken(setting, (events) => [...events, events.at(-1) as RecordedEvent])).toEqual({ revisionGap: 1 });
    const tampered = (event: RecordedEvent) => ({ ...event, data: encoder.encode(`{"at":"${on(1)}"}`) });
    const changed = await broken([...setting, ['order-o1', 'OrderPaused']], (events) => [
      ...events.slice(0, -1),
      tampered(events.at(-1) as RecordedEvent),
    ]);
    expect(changed).toEqual({ hashMismatch: 1 });
  });

  it('count events with one id, in one stream or two, and name both', async () => {
    const lines: Line[] = [...setting, ['order-o1', 'OrderPaused'], ['order-o1', 'OrderRestarted']];
    const log = record(lines);
    const withIds = (ids: Readonly<Record<number, number>>) =>
      log.map((event, index) => ({ ...event, id: (log[ids[index] ?? index] as RecordedEvent).id }));
    const check = (events: readonly RecordedEvent[]) =>
      checkLaws(logOf(events), { hashOf: ({ hash }) => hash as Uint8Array });
    const last = lines.length - 1;
    const { laws, examples } = await check(withIds({ [last]: last - 1, 5: 0 }));
    expect(Object.entries(laws).filter(([, count]) => count > 0)).toEqual([['idTwice', 2]]);
    const named = [5, 0, last, last - 1].map((index) => nameOf(log[index] as RecordedEvent));
    expect(examples.idTwice).toEqual([
      `${named[0]} has the id of ${named[1]}`,
      `${named[2]} has the id of ${named[3]}`,
    ]);
    expect((await check(log)).laws.idTwice).toBe(0);
  });

  it('find one id twice in a log of many', async () => {
    const ids = new EventIdCheck();
    const many = Array.from({ length: 5000 }, (_, revision) => ({
      ...(record([['order-o1', 'OrderPaused']])[0] as RecordedEvent),
      revision,
      id: deriveId('many', String(revision === 4000 ? 17 : revision)),
    }));
    for (const event of many) ids.take(event);
    const { position } = many[0] as RecordedEvent;
    expect(await ids.repeated(logOf(many), position)).toEqual(['order-o1@4000 has the id of order-o1@17']);
    expect(await ids.repeated(logOf(many), '')).toEqual([]);
  });

  it('count what contradicts itself in the records of a store, in its words', async () => {
    const faults = async () => ['order-o1: it ends at revision 2, and its last event has revision 1'];
    const { laws, examples } = await checkLaws({ ...logOf(record(setting)), faults }, { hashOf: hashOfEvent });
    expect(laws.faultInStore).toBe(1);
    expect(examples).toEqual({ faultInStore: await faults() });
  });

  it('name the events that broke them', async () => {
    const { examples, events, head } = await checkLaws(
      logOf(record([...setting, ['order-o1', 'OrderPaused'], ...delivery('l1', 'o1', 'c1')])),
      { hashOf: hashOfEvent },
    );
    expect(examples).toEqual({ deliveredWhileNotOpen: ['order-o1@3'] });
    expect([events, Number(head)]).toEqual([setting.length + 3, setting.length + 3]);
  });
});

describe('the digest of a log', () => {
  const vault = { open: async ({ box }: { box: string }) => Buffer.from(box, 'base64').toString().slice(1) };
  const sealed = (content: string, chance: string) => ({
    keyId: 'k',
    box: Buffer.from(chance + content).toString('base64'),
  });
  const digest = (lines: readonly Line[]) => logDigest(logOf(record(lines)), vault);

  it('depends on the facts, not on how they were sealed, keyed or interleaved', async () => {
    const decision = (eventsSeen: number, decisionIndex: number) => ({
      decision: { decidedAt: 'now', eventsSeen, decisionIndex },
    });
    const one: Line[] = [
      [
        'a-1',
        'A',
        { contact: sealed('Ann', '1'), telephoneKey: 'x', tokenHash: 'x', businessKey: 'x', ...decision(7, 0) },
      ],
      ['b-1', 'B', { count: 1, name: 'n' }],
    ];
    const other: Line[] = [
      ['b-1', 'B', { name: 'n', count: 1 }],
      [
        'a-1',
        'A',
        { contact: sealed('Ann', '2'), telephoneKey: 'y', tokenHash: 'y', businessKey: 'y', ...decision(6, 1) },
      ],
    ];
    expect(await digest(one)).toBe(await digest(other));
    expect(await digest(one)).not.toBe(await digest([['a-1', 'A', { contact: sealed('Bob', '1') }], one[1] as Line]));
    expect(await digest(one)).not.toBe(await digest([...one, ['b-1', 'B', {}]]));
  });
});
