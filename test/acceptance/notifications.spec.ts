import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { addDays } from '#domain/kernel/instants';
import type { MailKind } from '#domain/notifications/kinds';
import { smtpMail } from '#gateways/mail';
import { signatureOf } from '#gateways/webhooks';
import { copyOfMail, proveAddress, tokenInMail } from '#test/mail-copies';
import { openShop, type Shop } from './shop.ts';

type Mail = Record<'kind' | 'status' | 'reason' | 'wishedAt', string>;
const as = (customerId: string) => ({ 'leadger-actor': `customer:${customerId}` });
const support = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'as is right' };

describe('mails of a store on one machine', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  afterAll(() => shop.stop());

  let people = 0;
  const member = async (details: Record<string, unknown> = {}) => {
    people += 1;
    const email = `reader${people}@example.org`;
    return { id: await shop.customer({ email, name: { firstName: 'Robin' }, ...details }), email };
  };
  /** Kinds of the mails to a customer, oldest first, then by name; with the status if a mail was not sent. */
  const mailsTo = async (customerId: string): Promise<string[]> => {
    const { items } = await shop.read(`/api/mails?customerId=${customerId}`);
    return (
      items
        // Each account begins with one.
        .filter(({ kind }: Mail) => kind !== 'address-confirmation')
        .toSorted((a: Mail, b: Mail) => (`${a.wishedAt} ${a.kind}` < `${b.wishedAt} ${b.kind}` ? -1 : 1))
        .map(({ kind, status, reason }: Mail) => (status === 'sent' ? kind : `${kind} ${status} ${reason}`))
    );
  };
  const copyOf = (customerId: string, kind: MailKind) => copyOfMail(shop, customerId, kind);
  const tokenIn = (customerId: string, kind: MailKind) => tokenInMail(shop, customerId, kind);

  test('NTF-1: mails are sent for an order, its leads, a granted return, a denied return and a replacement', async () => {
    const { id, email } = await member();
    const orderId = await shop.order(id, { quantity: 2 });
    const leads = [await shop.lead(), await shop.lead()];
    expect(await mailsTo(id)).toEqual(['order-confirmed', 'receipt-issued']);
    await shop.wait({ hours: 1 });
    expect(await mailsTo(id)).toEqual(['order-confirmed', 'receipt-issued', 'leads-delivered']);

    const ask = (leadId: string | undefined, reason: string) =>
      shop.ask('POST', '/api/replacements', { orderId, leadId, reason });
    const { replacementId: returned } = await ask(leads[0], 'wrong number');
    await ask(leads[1], 'not interested');
    await shop.ask('POST', `/api/replacements/${returned}/grant`, {}, 200, support);
    await shop.lead();
    expect((await mailsTo(id)).slice(2)).toEqual([
      'chargeback-denied',
      'chargeback-granted',
      'leads-delivered',
      'replacement-delivered',
    ]);

    expect(await copyOf(id, 'chargeback-granted')).toContain('We verified your return (Wrong number) and accepted it.');

    const confirmation = await copyOf(id, 'order-confirmed');
    expect(confirmation).toContain(`To: ${email}`);
    expect(confirmation).toContain('Hello Robin,');
    expect(confirmation).toMatch(/Message-ID: <[0-9a-f-]{36}@/);
    expect(await copyOf(id, 'leads-delivered')).toContain('You have 2 new leads.');
  });

  test('CHK-4, NTF-1: the mail about a declined payment gives the processor’s reason', async () => {
    const { id } = await member();
    await shop.order(id, { paymentToken: 'tok_declined_insufficient_funds' });
    expect(await mailsTo(id)).toEqual(['order-confirmed', 'payment-declined']);
    expect(await copyOf(id, 'payment-declined')).toContain('insufficient funds');
  });

  test('LOY-7, NTF-1: mails are sent before and after renewals, and for holds and restarts', async () => {
    const { id } = await member();
    const orderId = await shop.order(id, { quantity: 3, loyalty: { cadence: 'weekly' } });
    await shop.wait({ days: 4 });
    expect(await mailsTo(id)).toEqual(['order-confirmed', 'receipt-issued', 'renewal-coming']);
    await shop.ask('POST', `/api/orders/${orderId}/pause`, {}, 200, as(id));
    await shop.wait({ days: 3 });
    expect((await mailsTo(id)).slice(3)).toEqual(['receipt-issued', 'renewal-done']);
    const next = addDays(shop.now(), 7).slice(0, 10);
    expect(await copyOf(id, 'renewal-done')).toContain(`It renews next on ${next} for $`);
    await shop.wait({ days: 4 });
    expect((await mailsTo(id)).slice(5)).toEqual(['order-restarted', 'renewal-coming']);
    await shop.ask('POST', `/api/programmes/${orderId}/hold`, {}, 200, as(id));
    expect(await mailsTo(id)).toContain('programme-held');
  });

  test('LOY-8, NTF-1: the mail about a declined renewal gives the day of the next attempt and says that the order is not closed', async () => {
    const { id } = await member();
    const orderId = await shop.order(id, { quantity: 3, loyalty: { cadence: 'weekly' } });
    const card = { paymentToken: 'tok_declined_expired_card' };
    await shop.ask('PUT', `/api/orders/${orderId}/payment-card`, card, 200, support);
    await shop.wait({ days: 7 });
    const first = await copyOf(id, 'payment-declined');
    expect(first).toContain('expired card');
    expect(first).toContain(`We will try again on ${addDays(shop.now(), 1).slice(0, 10)}.`);
    await shop.wait({ days: 5 });
    const last = await copyOf(id, 'payment-declined');
    expect(last).toContain('Your programme is on hold now');
    expect(last).not.toContain('The order is closed');
    expect(await copyOf(id, 'programme-held')).toContain('was declined, so the programme is on hold');
  });

  test('ACC-3: a lost password is reset with the link in the mail, once and for a limited time', async () => {
    const { id, email } = await member();
    const set = (token: string, password: string) =>
      shop.try('POST', '/api/password-recoveries/complete', { token, password });
    await shop.ask('POST', '/api/password-recoveries', { email });
    const late = await tokenIn(id, 'password-recovery');
    await shop.wait({ seconds: 30 * 60 });
    expect((await set(late, 'came much too late')).body.code).toBe('link-invalid');

    await shop.ask('POST', '/api/password-recoveries', { email });
    const token = await tokenIn(id, 'password-recovery');
    expect((await set(token, 'a fresh password')).status).toBe(200);
    expect((await set(token, 'for a second time')).body.code).toBe('link-invalid');
    const reply = await shop.try('POST', '/api/sign-ins', { email, password: 'a fresh password' });
    expect(reply).toMatchObject({ status: 200, body: { customerId: id } });
  });

  test('ACC-4: an e-mail change is confirmed from the new address and the account, orders and leads stay', async () => {
    const { id, email } = await member({ password: 'stays the same now' });
    await proveAddress(shop, id);
    const orderId = await shop.order(id, { leadTypeId: 'shared-fresh', quantity: 1 });
    const leadId = await shop.lead('shared-fresh');
    await shop.ask('PUT', `/api/customers/${id}/email`, { email: 'new.home@example.org' }, 200, as(id));
    expect(await copyOf(id, 'address-change')).toContain('To: new.home@example.org');
    const token = await tokenIn(id, 'address-change');
    await shop.ask('POST', `/api/customers/${id}/email/confirm`, { token });

    const signIn = async (address: string) =>
      (await shop.try('POST', '/api/sign-ins', { email: address, password: 'stays the same now' })).status;
    expect([await signIn(email), await signIn('new.home@example.org')]).toEqual([401, 200]);
    // The address changes between delivery and return: the mail about the return goes to the new address.
    const { replacementId: returned } = await shop.ask('POST', '/api/replacements', {
      orderId,
      leadId,
      reason: 'wrong number',
    });
    await shop.ask('POST', `/api/replacements/${returned}/grant`, {}, 200, support);
    expect(await copyOf(id, 'chargeback-granted')).toContain('To: new.home@example.org');
    // Another customer may use the former address.
    await shop.customer({ email });
  });

  test('ACC-4: a confirmation that is refused with a stale If-Match changes nothing, and the link stays valid', async () => {
    const { id, email } = await member();
    await shop.ask('PUT', `/api/customers/${id}/email`, { email: 'elsewhere@example.org' }, 200, as(id));
    const token = await tokenIn(id, 'address-change');
    const path = `/api/customers/${id}/email/confirm`;
    const late = await shop.try('POST', path, { token }, { 'if-match': '"0"' });
    expect([late.status, late.body.code]).toEqual([412, 'revision-mismatch']);
    await shop.wait({ seconds: 60 });
    expect((await shop.read(`/api/customers/${id}`)).email).toBe(email);
    await shop.ask('POST', path, { token });
    expect((await shop.read(`/api/customers/${id}`)).email).toBe('elsewhere@example.org');
  });

  test('NTF-2: kinds of mail are switched off and on again, except those that customers need', async () => {
    const { id } = await member();
    const choose = (off: string[]) =>
      shop.try('PUT', `/api/customers/${id}/mail-preferences`, { mailsOff: off }, as(id));
    expect((await choose(['order-confirmed'])).status).toBe(200);
    await shop.order(id, { quantity: 1, paymentToken: 'tok_declined' });
    expect(await mailsTo(id)).toEqual(['order-confirmed withheld switched-off', 'payment-declined']);
    for (const kind of [
      'payment-declined',
      'chargeback-granted',
      'chargeback-denied',
      'password-recovery',
      'address-change',
    ])
      expect((await choose([kind])).body).toMatchObject({ code: 'mail-always-sent', errors: [{ field: 'mailsOff' }] });
    expect((await choose([])).status).toBe(200);
    await shop.order(id, { quantity: 1 });
    expect(await mailsTo(id)).toContain('order-confirmed');
  });

  test('NTF-1: a customer without an address gets no mail, and that is recorded', async () => {
    const id = await shop.customer();
    await shop.order(id, { quantity: 1 });
    expect(await mailsTo(id)).toEqual(['order-confirmed withheld no-address', 'receipt-issued withheld no-address']);
  });

  test('ACC-4: a customer without an address gets the link at the new one, and the address is theirs then', async () => {
    const id = await shop.customer();
    await shop.ask('PUT', `/api/customers/${id}/email`, { email: 'first.home@example.org' }, 200, as(id));
    expect(await copyOf(id, 'address-change')).toContain('To: first.home@example.org');
    const token = await tokenIn(id, 'address-change');
    await shop.ask('POST', `/api/customers/${id}/email/confirm`, { token });
    expect((await shop.read(`/api/customers/${id}`)).email).toBe('first.home@example.org');
    await shop.order(id, { quantity: 1 });
    expect(await copyOf(id, 'order-confirmed')).toContain('To: first.home@example.org');
  });

  test('SUP-1, NTF-1: the answer to a ticket is mailed', async () => {
    const { id } = await member();
    const letter = { customerId: id, subject: 'Why?', message: 'Why?' };
    const { ticketId } = await shop.ask('POST', '/api/tickets', letter, 201, as(id));
    await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'Because of <this>.' }, undefined, support);
    expect(await mailsTo(id)).toEqual(['ticket-answered']);
    expect(await copyOf(id, 'ticket-answered')).toContain('Because of &lt;this&gt;.');
  });

  test('DLV-9: a customer may receive each lead by mail, with its contact details', async () => {
    const { id } = await member();
    await shop.ask('PUT', `/api/customers/${id}/lead-delivery`, { mails: 'each' }, 200, as(id));
    await shop.order(id, { leadTypeId: 'shared-fresh', quantity: 2 });
    const contact = { firstName: 'Ines', telephone: '+1 212 555 7788' };
    await shop.lead('shared-fresh', { contact });
    expect(await mailsTo(id)).toEqual(['leads-delivered', 'order-confirmed', 'receipt-issued']);
    const mail = await copyOf(id, 'leads-delivered');
    expect(mail).toContain('First name: Ines');
    expect(mail).toMatch(/Telephone: \+1\s?212\s?555\s?7788/);
  });

  test('DLV-9: a replacement is also a lead: its contact details are mailed only to customers who want each lead by mail', async () => {
    for (const mails of ['each', 'digest']) {
      const { id } = await member();
      await shop.ask('PUT', `/api/customers/${id}/lead-delivery`, { mails }, 200, as(id));
      const leadTypeId = await shop.leadType();
      const orderId = await shop.order(id, { leadTypeId, quantity: 1 });
      const leadId = await shop.lead(leadTypeId);
      const { replacementId: returned } = await shop.ask('POST', '/api/replacements', {
        orderId,
        leadId,
        reason: 'wrong number',
      });
      await shop.ask('POST', `/api/replacements/${returned}/grant`, {}, 200, support);
      await shop.lead(leadTypeId, { contact: { firstName: 'Wanda', email: `wanda-${mails}@example.org` } });
      const mail = await copyOf(id, 'replacement-delivered');
      expect(mail.includes('First name: Wanda')).toBe(mails === 'each');
    }
  });

  test('NTF-1, RPL-10, RPL-11: corrected verdicts and goodwill are told by mail', async () => {
    const { id } = await member();
    const leadTypeId = await shop.leadType();
    const orderId = await shop.order(id, { leadTypeId, quantity: 1 });
    const leadId = await shop.lead(leadTypeId);
    const aReturn = { orderId, leadId, reason: 'wrong number' };
    const { replacementId } = await shop.ask('POST', '/api/replacements', aReturn);
    const staff = (verb: string, body?: object) =>
      shop.ask('POST', `/api/replacements/${replacementId}/${verb}`, body, 200, support);
    await staff('grant');
    await staff('correct', { verdict: 'denied', explanation: 'It was your own telephone.' });
    expect(await copyOf(id, 'verdict-corrected')).toContain(
      'We looked at your return (Wrong number) again. We cannot replace the lead after all: It was your own telephone.',
    );
    await shop.wait({ seconds: 1 });
    await staff('correct', { verdict: 'granted' });
    expect(await copyOf(id, 'verdict-corrected')).toContain('We accept it now. You will receive a replacement');
    await shop.wait({ seconds: 1 });
    await staff('correct', { verdict: 'denied', explanation: 'We had replaced it before.' });
    await staff('goodwill');
    expect(await copyOf(id, 'chargeback-granted')).toContain('As goodwill, we replace the lead that you returned');
    const { items } = await shop.read(`/api/mails?customerId=${id}&kind=verdict-corrected`);
    expect(items).toHaveLength(3);
  });

  test('NTF-1: mails are listed page by page', async () => {
    const page = await shop.ask('GET', '/mails');
    expect(page).toContain('<h1>Mails</h1>');
    expect(page).toContain('Your order is confirmed');
  });

  test('NTF-3: every event in this log led to one mail', async () => {
    const log = await shop.log();
    const wishes = log.filter(({ type }) => type === 'MailWished').map(({ data }) => `${data.kind} ${data.eventId}`);
    expect(wishes.length).toBeGreaterThan(15);
    expect(new Set(wishes).size).toBe(wishes.length);
    const ends = log.filter(({ type }) => ['MailSent', 'MailRefused', 'MailWithheld'].includes(type));
    expect(new Set(ends.map(({ stream }) => stream)).size).toBe(ends.length);
    expect(ends).toHaveLength(wishes.length);
  });
});

test.each([
  [6, 'sent', null],
  [8, 'withheld', 'too-late'],
])('NTF-3: what a store that stood still for %s days has not told yet is %s', async (days, status, reason) => {
  const directory = await mkdtemp(join(tmpdir(), 'leadger-stood-still-'));
  try {
    const before = await openShop({ directory });
    const id = await before.customer({ email: 'patient@example.org' });
    await before.order(id);
    await before.lead();
    const stoppedAt = before.now();
    await before.stop();
    const after = await openShop({ directory, start: addDays(stoppedAt, days) });
    const { items } = await after.read('/api/mails?kind=leads-delivered');
    await after.stop();
    expect(items).toMatchObject([{ customerId: id, happenedAt: stoppedAt, status, reason }]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

describe('mails over a mail server', () => {
  test('NTF-3: mails wait while the server is unavailable; a refused address is recorded; nothing is sent twice', async () => {
    const received: string[] = [];
    let away = true;
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onMailFrom: (_, __, done) => done(away ? Object.assign(new Error('not now'), { responseCode: 421 }) : undefined),
      onRcptTo: ({ address }, _, done) =>
        done(
          address.startsWith('gone')
            ? Object.assign(new Error(`no such user ${address}`), { responseCode: 550 })
            : undefined,
        ),
      onData(stream, _, done) {
        let text = '';
        stream.on('data', (part: Buffer) => {
          text += part;
        });
        stream.on('end', () => {
          received.push(text);
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo;
    const shop = await openShop({ mails: smtpMail({ url: `smtp://127.0.0.1:${port}` }) });
    const statuses = async () =>
      (await shop.read('/api/mails')).items.map(({ status }: { status: string }) => status).sort();
    try {
      await shop.order(await shop.customer({ email: 'here@example.org' }));
      await shop.order(await shop.customer({ email: 'gone@example.org' }));
      await shop.wait({ seconds: 600 });
      expect([await statuses(), received.length]).toEqual([Array(6).fill('wished'), 0]);
      away = false;
      await shop.wait({ seconds: 1800 });
      expect([await statuses(), received.length]).toEqual([
        ['refused', 'refused', 'refused', 'sent', 'sent', 'sent'],
        3,
      ]);
      await shop.wait({ hours: 1 });
      expect(received).toHaveLength(3);
      expect((await shop.read('/api/mails?status=refused')).items[0].reason).toBe('the mail server answered 550');
      expect(JSON.stringify(await shop.log())).not.toMatch(/no such user|gone@example/);
    } finally {
      await shop.stop();
      await new Promise<void>((resolve) => server.close(resolve));
    }
  });
});

describe('leads sent to a program', () => {
  let shop: Shop;
  let server: Server;
  let url: string;
  let status = 204;
  const calls: { headers: IncomingHttpHeaders; body: string }[] = [];
  beforeAll(async () => {
    server = createServer((message, reply) => {
      let body = '';
      message.on('data', (part: Buffer) => {
        body += part;
      });
      message.on('end', () => {
        calls.push({ headers: message.headers, body });
        reply.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/leads`;
    shop = await openShop();
  });
  afterAll(async () => {
    await shop.stop();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    calls.length = 0;
    status = 204;
  });

  const program = async () => {
    const id = await shop.customer();
    await shop.ask('PUT', `/api/customers/${id}/lead-delivery`, { mails: 'digest', webhookUrl: url }, 200, as(id));
    return id;
  };
  const messages = async (id: string) => (await shop.read(`/api/webhooks?customerId=${id}`)).items;

  test('DLV-9: a delivered lead is sent to the program of its customer, signed with its own secret', async () => {
    const id = await program();
    const orderId = await shop.order(id, { quantity: 1 });
    const leadId = await shop.lead('exclusive-fresh', { contact: { firstName: 'Ines', telephone: '+1 212 555 7799' } });
    expect(calls).toHaveLength(1);
    const { headers, body } = calls[0] as (typeof calls)[number];
    expect(JSON.parse(body)).toMatchObject({
      type: 'lead.delivered',
      data: { leadId, orderId, leadTypeId: 'exclusive-fresh', contact: { firstName: 'Ines' } },
    });
    const { signingSecret } = await shop.read(`/api/customers/${id}/lead-delivery`);
    const at = new Date(Number(headers['webhook-timestamp']) * 1000);
    const webhookId = headers['webhook-id'] as string;
    expect(headers['webhook-signature']).toBe(signatureOf({ signingSecret, id: webhookId, at, body }));
    expect(await messages(id)).toMatchObject([{ webhookId, leadId, status: 'accepted', attempts: 1 }]);
  });

  test('DLV-12: the program is told that the person of a lead must not be contacted, also after the person was erased', async () => {
    const id = await program();
    const orderId = await shop.order(id, { quantity: 1 });
    const telephone = '+1 212 555 7798';
    const leadId = await shop.lead('exclusive-fresh', { contact: { telephone } });
    await shop.ask('POST', '/api/persons/erasures', { person: { telephone } }, 200, support);
    await shop.ask('POST', '/api/suppressions', { person: { telephone } });
    expect(calls.map(({ body }) => JSON.parse(body))).toMatchObject([
      { type: 'lead.delivered', data: { leadId } },
      { type: 'lead.suppressed', data: { leadId, orderId, suppression: 'opt-out', suppressedAt: shop.now() } },
    ]);
    expect(await messages(id)).toMatchObject([{ status: 'accepted' }, { status: 'accepted' }]);
    expect(await shop.read(`/api/customers/${id}/leads/${leadId}`)).toMatchObject({ suppressedAt: shop.now() });
  });

  test('DLV-9: a program that fails is called again after growing delays; then the message is parked, and sent again on request', async () => {
    const id = await program();
    await shop.order(id, { quantity: 1 });
    status = 503;
    await shop.lead();
    expect([calls.length, await messages(id)]).toMatchObject([
      1,
      [{ status: 'waiting', lastError: 'it answered 503' }],
    ]);
    await shop.wait({ seconds: 5 });
    expect(calls).toHaveLength(2);
    await shop.wait({ seconds: 299 });
    expect(calls).toHaveLength(2);
    await shop.wait({ seconds: 1 });
    expect(calls).toHaveLength(3);
    await shop.wait({ days: 5 });
    expect(calls).toHaveLength(10);
    const [{ webhookId, status: parked }] = await messages(id);
    expect(parked).toBe('parked');
    expect(new Set(calls.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([webhookId]));

    status = 200;
    const replay = `/api/webhooks/${webhookId}/retry`;
    const stranger = await shop.try('POST', replay, {}, as('another'));
    expect([stranger.status, stranger.body.code, calls.length]).toEqual([403, 'not-yours', 10]);
    await shop.ask('POST', replay, {}, 200, as(id));
    expect(calls).toHaveLength(11);
    expect(await messages(id)).toMatchObject([{ status: 'accepted', attempts: 11 }]);
  });

  test('DLV-9: a message that waits for its next attempt is sent at once on request, and once', async () => {
    const id = await program();
    await shop.order(id, { quantity: 1 });
    status = 503;
    await shop.lead();
    await shop.wait({ seconds: 5 });
    expect(calls).toHaveLength(2);
    status = 200;
    const [{ webhookId }] = await messages(id);
    const retried = await shop.ask('POST', `/api/webhooks/${webhookId}/retry`, {}, 200, as(id));
    expect(retried.events).toEqual(['WebhookReplayed']);
    expect(calls).toHaveLength(3);
    expect(await messages(id)).toMatchObject([{ status: 'accepted', attempts: 3, retryAt: null }]);
    await shop.wait({ hours: 1 });
    expect(calls).toHaveLength(3);
  });

  test('DLV-9: the signing secret of a program stays, until its address changes or a new secret is asked for', async () => {
    const id = await shop.customer();
    const path = `/api/customers/${id}/lead-delivery`;
    const choose = async (choice: Record<string, unknown>) => {
      const { events } = await shop.ask('PUT', path, { mails: 'digest', webhookUrl: url, ...choice }, 200, as(id));
      return { events, secret: (await shop.read(path)).signingSecret };
    };
    const { secret } = await choose({});
    expect(await choose({})).toEqual({ events: [], secret });
    expect(await choose({ mails: 'each' })).toEqual({ events: ['LeadDeliveryChosen'], secret });
    const elsewhere = await choose({ webhookUrl: `${url}/elsewhere` });
    expect(elsewhere.secret).not.toBe(secret);
    const renewed = await choose({ webhookUrl: `${url}/elsewhere`, newSigningSecret: true });
    expect(renewed.events).toEqual(['LeadDeliveryChosen']);
    expect(new Set([secret, elsewhere.secret, renewed.secret]).size).toBe(3);
    expect(await choose({ webhookUrl: `${url}/elsewhere`, newSigningSecret: false })).toMatchObject({
      secret: renewed.secret,
    });
  });

  test('DLV-9: for a day after a new signing secret was made, calls are signed with the former one, too', async () => {
    const id = await program();
    const path = `/api/customers/${id}/lead-delivery`;
    const secret = async () => (await shop.read(path)).signingSecret as string;
    const former = await secret();
    await shop.ask('PUT', path, { mails: 'digest', webhookUrl: url, newSigningSecret: true }, 200, as(id));
    const present = await secret();
    await shop.order(id, { quantity: 2 });
    const signaturesOfLast = () => {
      const { headers, body } = calls.at(-1) as (typeof calls)[number];
      const at = new Date(Number(headers['webhook-timestamp']) * 1000);
      const signed = { id: headers['webhook-id'] as string, at, body };
      const by = (signingSecret: string) => signatureOf({ signingSecret, ...signed });
      return { signatures: headers['webhook-signature'], by };
    };
    await shop.lead();
    const during = signaturesOfLast();
    expect(during.signatures).toBe(`${during.by(present)} ${during.by(former)}`);
    await shop.wait({ days: 1 });
    await shop.lead();
    const later = signaturesOfLast();
    expect(later.signatures).toBe(later.by(present));
  });

  test('DLV-9: nothing is sent after the program is removed, and a program that answers 410 Gone is not called again', async () => {
    const id = await program();
    await shop.order(id, { quantity: 3 });
    status = 410;
    await shop.lead();
    expect(await messages(id)).toMatchObject([{ status: 'parked', attempts: 1 }]);
    await shop.ask('PUT', `/api/customers/${id}/lead-delivery`, { mails: 'digest' }, 200, as(id));
    await shop.lead();
    expect(calls).toHaveLength(1);
  });

  test('DLV-9: a message that waits when its customer or the person of its lead is erased is withheld, and nobody needs to look at it', async () => {
    const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
    const erase = (person: object) => shop.ask('POST', '/api/persons/erasures', { person }, 200, staff);
    const mine: string[] = [];
    const toLookAt = async (): Promise<string[]> =>
      (await shop.read('/api/attention?reason=webhook-parked')).items
        .map(({ webhookId }: { webhookId: string }) => webhookId)
        .filter((webhookId: string) => mine.includes(webhookId));
    const waiting = async (answer: number) => {
      const id = await program();
      await shop.order(id, { quantity: 1 });
      status = answer;
      await shop.lead();
      const [{ webhookId, leadId }] = await messages(id);
      mine.push(webhookId);
      return { id, webhookId, leadId };
    };
    const ofBuyer = await waiting(503);
    const ofPerson = await waiting(503);
    const parked = await waiting(410);
    expect(await toLookAt()).toEqual([parked.webhookId]);
    await erase({ customerId: ofBuyer.id });
    await erase({ leadId: ofPerson.leadId });
    await shop.wait({ seconds: 5 });
    for (const { id, webhookId } of [ofBuyer, ofPerson]) {
      expect(await messages(id)).toMatchObject([{ webhookId, status: 'withheld', attempts: 2 }]);
      const retried = await shop.try('POST', `/api/webhooks/${webhookId}/retry`, {}, staff);
      expect([retried.status, retried.body.code]).toEqual([409, 'person-erased']);
    }
    expect(await toLookAt()).toEqual([parked.webhookId]);
    // Nobody can send again what belongs to nobody.
    await erase({ customerId: parked.id });
    expect(await toLookAt()).toEqual([]);
  });

  test('DLV-9: an invalid address is refused, and the field is named', async () => {
    const id = await shop.customer();
    const wrong = {
      'crm.example/leads': 'must be an address that begins with https:// or http://',
      'ftp://crm.example': 'must be an address that begins with https:// or http://',
      'http://crm.example/leads': 'must begin with https://',
      'https://user:secret@crm.example': 'must not contain a user name or a password',
      [`https://crm.example/${'x'.repeat(500)}`]: 'must have at most 500 characters',
    };
    for (const [webhookUrl, message] of Object.entries(wrong))
      expect(
        (await shop.try('PUT', `/api/customers/${id}/lead-delivery`, { mails: 'digest', webhookUrl }, as(id))).body,
      ).toMatchObject({ status: 400, errors: [{ field: 'webhookUrl', message: expect.stringContaining(message) }] });
  });
});
