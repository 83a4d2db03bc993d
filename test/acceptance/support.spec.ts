import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDays, addSeconds } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
/** A Friday noon in New York, the time zone of the policy's business days. Each test has its own Friday. */
let friday: string;

const FIRST_FRIDAY = '2026-06-12T16:00:00.000Z';

beforeAll(async () => {
  shop = await openShop({ start: FIRST_FRIDAY });
});
afterAll(() => shop.stop());

beforeEach(async () => {
  const weeks = Math.ceil((Date.parse(shop.now()) - Date.parse(FIRST_FRIDAY)) / (7 * 86_400_000));
  friday = addDays(FIRST_FRIDAY, 7 * weeks);
  await shop.wait({ seconds: (Date.parse(friday) - Date.parse(shop.now())) / 1000 });
});

const letter = { subject: 'Late leads', message: 'Nothing came since Tuesday.' };
const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'looked the order up' };

const as = (customerId: string) => ({ 'leadger-actor': `customer:${customerId}` });

const open = async (details: Record<string, unknown> = {}): Promise<string> => {
  const customerId = (details.customerId as string) ?? (await shop.customer());
  return (await shop.ask('POST', '/api/tickets', { customerId, ...letter, ...details }, 201, as(customerId))).ticketId;
};
const answer = (ticketId: string) =>
  shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'They come today.' }, 200, staff);
const ticket = (ticketId: string) => shop.read(`/api/tickets/${ticketId}`);
const queue = async () => (await shop.read('/api/tickets?status=open')).items;
const happened = async (ticketId: string) =>
  (await shop.history(`/api/tickets/${ticketId}`)).map(({ type, at }) => [type, at]);

describe('a ticket', () => {
  /** Tickets of one test must not stay in the queue of the next test. */
  afterEach(async () => {
    for (const { ticketId } of await queue())
      await shop.ask('POST', `/api/tickets/${ticketId}/close`, undefined, 200, staff);
  });

  test('SUP-1: written on Friday at noon is due on Tuesday at noon: the weekend does not count', async () => {
    const customerId = await shop.customer();
    expect(await ticket(await open({ customerId }))).toMatchObject({
      ...{ status: 'open', openedAt: friday, dueAt: addDays(friday, 4), overdue: false, policyVersion: 1 },
      ...{ customerId, storeId: 'main', subject: letter.subject, callBackTelephone: null },
      messages: [{ at: friday, actor: `customer:${customerId}`, text: letter.message }],
    });
  });

  test('SUP-1: has a due date by the hours and holidays of the policy in force when it was written', async () => {
    const { policy } = await shop.ask('GET', '/api/policy');
    const publish = (change: object) => shop.publish({ policy: { ...policy, ...change } });
    const monday = addDays(friday, 3).slice(0, 10);
    const usual = await open();
    await publish({ holidays: [monday] });
    const holiday = await open();
    await publish({ holidays: [monday], ticketAnswerBusinessHours: 12 });
    const tillMidnight = await open();
    await publish({ ticketAnswerBusinessHours: 1, businessTimeZone: 'Asia/Tokyo' });
    const saturdayInTokyo = await open();
    await publish({});
    const due = [];
    for (const ticketId of [usual, holiday, tillMidnight, saturdayInTokyo]) {
      const { dueAt, policyVersion } = await ticket(ticketId);
      due.push([dueAt, policyVersion]);
    }
    expect(due).toEqual([
      [addDays(friday, 4), 1],
      [addDays(friday, 5), 2],
      // Twelve hours end with Friday. After that no business hours count until Tuesday begins.
      [addDays(friday, 3.5), 3],
      // In Tokyo it was already Saturday. The first hour of Monday there ends at noon on Sunday in New York.
      [addDays(friday, 2), 4],
    ]);
  });

  test('SUP-1: without an answer in time is recorded as overdue once, and comes first in the list for staff until it is answered', async () => {
    const forgotten = await open();
    await shop.wait({ days: 4, seconds: -0.001 });
    const later = await open();
    expect(await queue()).toMatchObject([
      { ticketId: forgotten, overdue: false },
      { ticketId: later, overdue: false },
    ]);
    await shop.wait({ seconds: 0.001 });
    expect(await queue()).toMatchObject([
      { ticketId: forgotten, overdue: true },
      { ticketId: later, overdue: false },
    ]);
    await shop.wait({ hours: 20 });
    await answer(forgotten);
    expect(await queue()).toMatchObject([{ ticketId: later }]);
    await shop.wait({ days: 30 });
    expect(await happened(forgotten)).toEqual([
      ['TicketOpened', friday],
      ['TicketOverdue', addDays(friday, 4)],
      ['TicketAnswered', addSeconds(addDays(friday, 4), 20 * 3600)],
    ]);
    expect(await ticket(forgotten)).toMatchObject({ status: 'answered', overdue: true });
  });

  test('SUP-1: answered in time is never overdue, and has one answer', async () => {
    const ticketId = await open();
    await shop.wait({ days: 4, seconds: -1 });
    await answer(ticketId);
    const answeredAt = shop.now();
    await shop.wait({ days: 30 });
    expect(await happened(ticketId)).toEqual([
      ['TicketOpened', friday],
      ['TicketAnswered', answeredAt],
    ]);
    expect(await ticket(ticketId)).toMatchObject({
      ...{ status: 'answered', overdue: false, answeredAt },
      messages: [{ text: letter.message }, { actor: 'staff:ada', text: 'They come today.' }],
    });
    expect(await shop.try('POST', `/api/tickets/${ticketId}/answer`, { answer: 'Again.' }, staff)).toMatchObject({
      status: 409,
      body: { code: 'ticket-answered', rule: 'SUP-1' },
    });
  });

  test('SUP-2: is answered by a mail that does not say that it is automatic, because a person wrote it; others do', async () => {
    const customerId = await shop.customer({ email: 'ada@example.org' });
    await answer(await open({ customerId }));
    await shop.ask('POST', '/api/password-recoveries', { email: 'ada@example.org' });
    const { items } = await shop.read(`/api/mails?customerId=${customerId}`);
    const automatic: Record<string, boolean> = {};
    for (const { kind, mailId } of items)
      automatic[kind] = /^Auto-Submitted: auto-generated\r?$/m.test(await shop.ask('GET', `/api/mails/${mailId}/copy`));
    expect(automatic).toEqual({
      'ticket-answered': false,
      'password-recovery': true,
      'address-confirmation': true,
    });
  });

  test('SUP-1: gets a new due date when the customer writes after the answer, but not while it waits for one', async () => {
    const customerId = await shop.customer();
    const ticketId = await open({ customerId });
    const writeAgain = (message: string) =>
      shop.ask('POST', `/api/tickets/${ticketId}/messages`, { message }, 200, as(customerId));
    await shop.wait({ days: 3 });
    await writeAgain('Still nothing.');
    expect(await ticket(ticketId)).toMatchObject({ status: 'open', dueAt: addDays(friday, 4) });
    await answer(ticketId);
    await shop.wait({ days: 1 });
    await writeAgain('No, they do not.');
    expect(await ticket(ticketId)).toMatchObject({
      ...{ status: 'open', dueAt: addDays(friday, 6), answeredAt: null },
      messages: [letter.message, 'Still nothing.', 'They come today.', 'No, they do not.'].map((text) => ({ text })),
    });
    await shop.wait({ days: 2 });
    expect(await queue()).toMatchObject([{ ticketId, overdue: true }]);
    expect((await happened(ticketId)).at(-1)).toEqual(['TicketOverdue', addDays(friday, 6)]);
  });

  test('SUP-1: is no longer overdue, answered or extended after it is closed', async () => {
    const customerId = await shop.customer();
    const ticketId = await open({ customerId });
    await shop.ask('POST', `/api/tickets/${ticketId}/close`, undefined, 200, as(customerId));
    await shop.wait({ days: 30 });
    expect(await ticket(ticketId)).toMatchObject({ status: 'closed', overdue: false, closedAt: friday });
    for (const [what, body] of [
      ['answer', { answer: 'Hello?' }],
      ['messages', { message: 'Hello?' }],
    ] as const)
      expect(await shop.try('POST', `/api/tickets/${ticketId}/${what}`, body, staff)).toMatchObject({
        status: 409,
        body: { code: 'ticket-closed' },
      });
  });

  test('SUP-1: may request a call back, and then must have a telephone number', async () => {
    const ticketId = await open({ callBack: { telephone: '+1 212 555 0143' } });
    expect((await ticket(ticketId)).callBackTelephone).toBe('+1 212 555 0143');
    const customerId = await shop.customer();
    for (const callBack of [{}, { telephone: '' }, { telephone: 'call me' }])
      expect(await shop.try('POST', '/api/tickets', { customerId, ...letter, callBack }, staff)).toMatchObject({
        status: 400,
        body: { code: 'invalid-request', errors: [{ field: 'callBack.telephone' }] },
      });
    expect(await queue()).toHaveLength(1);
  });

  test('SUP-1: of an unknown customer is refused; an unknown ticket is not found', async () => {
    expect(await shop.try('POST', '/api/tickets', { customerId: 'nobody', ...letter }, staff)).toMatchObject({
      status: 409,
      body: { code: 'customer-unknown', errors: [{ field: 'customerId' }] },
    });
    for (const [what, body] of [
      ['answer', { answer: 'Hello?' }],
      ['messages', { message: 'Hello?' }],
      ['close', undefined],
    ] as const)
      expect(await shop.try('POST', `/api/tickets/none/${what}`, body, staff)).toMatchObject({
        status: 404,
        body: { code: 'ticket-unknown' },
      });
  });

  test('SUP-1: is opened, extended and closed only by its customer, or by staff who give a reason', async () => {
    const customerId = await shop.customer();
    const ticketId = await open({ customerId });
    for (const [path, body] of [
      ['/api/tickets', { customerId, ...letter }],
      [`/api/tickets/${ticketId}/messages`, { message: 'And another thing.' }],
      [`/api/tickets/${ticketId}/close`, undefined],
    ] as const) {
      expect(await shop.try('POST', path, body, as('another'))).toMatchObject({
        status: 403,
        body: { code: 'not-yours', rule: 'SUP-1' },
      });
      expect(await shop.try('POST', path, body)).toMatchObject({ status: 400, body: { code: 'reason-missing' } });
      await shop.ask('POST', path, body, undefined, staff);
    }
    expect((await happened(ticketId)).map(([type]) => type)).toEqual(['TicketOpened', 'TicketAddedTo', 'TicketClosed']);
  });

  test('SUP-1: that fell due while the store was stopped is recorded as overdue once after the restart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'leadger-support-'));
    try {
      const before = await openShop({ directory, start: FIRST_FRIDAY });
      const customerId = await before.customer();
      const { ticketId: id } = await before.ask('POST', '/api/tickets', { customerId, ...letter }, 201, staff);
      await before.stop();
      for (const restartedAt of [addDays(FIRST_FRIDAY, 9), addDays(FIRST_FRIDAY, 10)]) {
        const after = await openShop({ directory, start: restartedAt });
        const overdue = (await after.read('/api/tickets')).items;
        const events = await after.history(`/api/tickets/${id}`);
        await after.stop();
        expect(overdue).toMatchObject([{ ticketId: id, overdue: true, dueAt: addDays(FIRST_FRIDAY, 4) }]);
        expect(events.map(({ type, at }) => [type, at])).toEqual([
          ['TicketOpened', FIRST_FRIDAY],
          ['TicketOverdue', addDays(FIRST_FRIDAY, 9)],
        ]);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('SUP-1: repeated with the same key does not open a second ticket', async () => {
    const customerId = await shop.customer();
    const key = { ...as(customerId), 'idempotency-key': 'letter-1' };
    const first = await shop.ask('POST', '/api/tickets', { customerId, ...letter }, 201, key);
    expect(await shop.ask('POST', '/api/tickets', { customerId, ...letter }, 201, key)).toEqual(first);
    expect(await queue()).toHaveLength(1);
  });

  test('SUP-1: has its messages and telephone number sealed in the log', async () => {
    const secrets = ['Wombat subject', 'Wombat message', '+1 212 555 0177', 'Wombat answer', 'Wombat again'] as const;
    const [subject, message, telephone, text, again] = secrets;
    const ticketId = await open({ subject, message, callBack: { telephone } });
    await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: text }, 200, staff);
    await shop.ask('POST', `/api/tickets/${ticketId}/messages`, { message: again }, 200, staff);
    const told = JSON.stringify(await shop.history(`/api/tickets/${ticketId}`));
    const log = JSON.stringify(await shop.log());
    expect(log).toContain(`ticket-${ticketId}`);
    for (const secret of secrets) {
      expect(told).toContain(secret);
      expect(log).not.toContain(secret);
    }
  });
});

const FOR_A_CUSTOMER = { 'leadger-actor': 'customer:c1', 'leadger-reason': 'please' };
const WITHOUT_REASON = { 'leadger-actor': 'staff:ada' };

/** What support may do: the request, and the event that it records in which history. */
interface Act {
  readonly what: string;
  readonly method?: 'PUT';
  readonly ask: (subject: Subject) => readonly [path: string, body?: object];
  readonly records: string;
}
interface Subject {
  readonly customerId: string;
  readonly orderId: string;
  readonly granted: string;
  readonly denied: string;
  readonly ticketId: string;
}
const acts: readonly Act[] = [
  {
    what: 'changes a daily maximum',
    method: 'PUT',
    ask: ({ orderId }) => [`/api/orders/${orderId}/daily-maximum`, { dailyMaximum: { leads: 9 } }],
    records: 'DailyMaximumChanged',
  },
  {
    what: 'changes a payment card',
    method: 'PUT',
    ask: ({ orderId }) => [`/api/orders/${orderId}/payment-card`, { paymentToken: 'tok_other' }],
    records: 'PaymentCardChanged',
  },
  {
    what: 'gives an alternative coupon',
    ask: ({ customerId }) => ['/api/coupons/alternatives', { insteadOf: 'MAY', customerId, couponCode: 'MAY AGAIN' }],
    records: 'AlternativeCouponGiven',
  },
  {
    what: 'grants a return',
    ask: ({ granted }) => [`/api/replacements/${granted}/grant`],
    records: 'ChargebackGranted',
  },
  {
    what: 'denies a return',
    ask: ({ denied }) => [`/api/replacements/${denied}/deny`, { explanation: 'We reached the person.' }],
    records: 'ChargebackDenied',
  },
  {
    what: 'answers a ticket',
    ask: ({ ticketId }) => [`/api/tickets/${ticketId}/answer`, { answer: 'They come today.' }],
    records: 'TicketAnswered',
  },
];

describe('support', () => {
  let subject: Subject;
  let stranger: string;
  const wholeHistory = async (query: Record<string, string> = {}, headers: Record<string, string> = staff) => {
    const asked = new URLSearchParams({ limit: '200', waitFor: await shop.server.position(), ...query });
    return shop.try('GET', `/api/customers/${subject.customerId}/whole-history?${asked}`, undefined, headers);
  };

  beforeAll(async () => {
    const customerId = await shop.customer({ email: 'wombat@example.org', password: 'open, grey wombat' });
    stranger = await shop.customer();
    await shop.ask('POST', '/api/coupons', { couponCode: 'JUNE', storeIds: ['main'], discount: { percent: 10 } });
    const order = { leadTypeId: 'exclusive-real-time', dailyMaximum: { leads: 5 }, couponCode: 'JUNE' };
    const orderId = await shop.order(customerId, { ...order, loyalty: { cadence: 'weekly' } });
    const returns = [];
    for (let number = 0; number < 2; number += 1) {
      const leadId = await shop.lead('exclusive-real-time');
      const bad = { orderId, leadId, reason: 'wrong number', note: 'A bakery.' };
      returns.push((await shop.ask('POST', '/api/replacements', bad)).replacementId);
    }
    const { checkoutId } = await shop.ask('POST', '/api/checkouts', {
      customerId,
      leadTypeId: 'shared-fresh',
      quantity: 5,
    });
    await shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: 'JUNE' });
    await shop.ask('POST', '/api/coupons', { couponCode: 'MAY', storeIds: ['main'], discount: { percent: 10 } });
    await shop.ask('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: 'MAY' });
    await shop.order(stranger, { couponCode: 'JUNE' });
    await open({ customerId: stranger });
    const [granted, denied] = returns as [string, string];
    subject = { customerId, orderId, granted, denied, ticketId: await open({ customerId }) };
  });

  test.each(acts)(
    'SUP-2: $what: only support may, and must give a reason; action and reason are recorded',
    async ({ method = 'POST', ask, records }) => {
      const [path, body] = ask(subject);
      expect(await shop.try(method, path, body, FOR_A_CUSTOMER)).toMatchObject({
        status: 403,
        body: { code: 'support-only' },
      });
      expect(await shop.try(method, path, body, WITHOUT_REASON)).toMatchObject({
        status: 400,
        body: { code: 'reason-missing', errors: [{ field: 'leadger-reason' }] },
      });
      expect((await shop.ask(method, path, body, undefined, staff)).events).toEqual([records]);
      const { items } = (await wholeHistory()).body;
      expect(items.filter(({ type }: { type: string }) => type === records)).toMatchObject([
        { actor: 'staff:ada', reason: 'looked the order up' },
      ]);
    },
  );

  test('SUP-2: sees the whole history of a customer in order, and nothing of other customers', async () => {
    const { status, body, text } = await wholeHistory();
    expect(status).toBe(200);
    const families = new Set(body.items.map(({ stream }: { stream: string }) => stream.split('-')[0]));
    expect([...families].sort()).toEqual(
      [
        'address',
        'customer',
        'contacts',
        'checkout',
        'coupon',
        'mail',
        'order',
        'programme',
        'receipts',
        'replacement',
        'ticket',
      ].sort(),
    );
    const positions = body.items.map(({ position }: { position: string }) => position);
    expect(positions).toEqual([...new Set(positions)].sort());
    expect(body.items.slice(0, 3)).toMatchObject([
      { type: 'AddressClaimed', data: { customerId: subject.customerId } },
      { type: 'CustomerRegistered', stream: `customer-${subject.customerId}`, data: { email: 'wombat@example.org' } },
      { type: 'PasswordSet', data: { verifier: { secret: true } } },
    ]);
    expect(text).toContain(letter.message);
    expect(text).toContain('A bakery.');
    expect(text).not.toContain(stranger);
    const coupons = body.items.filter(({ stream }: { stream: string }) => stream.startsWith('coupon-'));
    expect(coupons.slice(0, 2)).toMatchObject([
      { type: 'CouponUsed', data: { customerId: subject.customerId } },
      { type: 'CouponRefused', data: { customerId: subject.customerId, reason: 'tried-before' } },
    ]);
  });

  test('SUP-2: reads the history page by page, and an unknown page is refused', async () => {
    const all = (await wholeHistory()).body.items;
    const paged = [];
    let query: Record<string, string> = { limit: '7' };
    for (;;) {
      const { items, nextCursor } = (await wholeHistory(query)).body;
      paged.push(...items);
      expect(items.length).toBeGreaterThan(0);
      if (nextCursor === undefined) break;
      query = { limit: '7', cursor: nextCursor };
    }
    expect(paged).toEqual(all);
    expect(await wholeHistory({ cursor: 'none' })).toMatchObject({ status: 400, body: { code: 'bad-cursor' } });
  });

  test('SUP-2: is the only role that may read it, and must give a reason; each access is recorded', async () => {
    const looks = async () => {
      const found = (await shop.log()).filter(({ stream }) => stream === `looks-${subject.customerId}`);
      return Promise.all(
        found.map(async ({ metadata: { actor, reason } }) => ({ actor, reason: await shop.opened(reason) })),
      );
    };
    const before = (await looks()).length;
    expect(await wholeHistory({}, FOR_A_CUSTOMER)).toMatchObject({ status: 403, body: { code: 'support-only' } });
    expect(await wholeHistory({}, WITHOUT_REASON)).toMatchObject({ status: 400, body: { code: 'reason-missing' } });
    expect(await shop.try('GET', '/api/customers/nobody/whole-history', undefined, staff)).toMatchObject({
      status: 404,
      body: { code: 'customer-unknown' },
    });
    expect(await looks()).toHaveLength(before);
    await wholeHistory({}, { 'leadger-actor': 'staff:bob', 'leadger-reason': 'a complaint' });
    expect((await looks()).slice(before)).toEqual([{ actor: 'staff:bob', reason: 'a complaint' }]);
  });
});
