import { accountChanges, mailKinds } from '#domain/notifications/kinds';
import { mailLinks } from './mail-links.ts';
import { composeMail } from './mail-texts.ts';

const facts = {
  storeName: 'Main store',
  webAddress: 'https://store.example',
  orderId: 'o1',
  leadTypeId: 'exclusive-fresh',
  quantity: 10,
  bonusLeads: 1,
  totalCents: 12_345,
  currency: 'USD',
  statementDescriptor: 'LEADGER',
  returnReason: 'wrong number',
  declineReason: 'expired-card',
  explanation: 'it is too late',
  leads: 2,
  cadenceDays: 7,
  renewsAt: '2026-03-09T15:00:00.000Z',
  renewalTotalCents: 20_000,
  undeliveredLeads: 1,
  leadId: 'l1',
  dueAt: '2026-03-02T15:00:00.000Z',
  expiresAt: '2026-03-02T15:30:00.000Z',
  until: '2026-03-03T15:00:00.000Z',
  confirmationLink: 'https://bank.example/confirm?charge=1',
  token: 'c1.secret',
  answer: 'Yes.',
  ticketId: 't1',
  receiptId: 'n1',
  receiptNumber: 17,
  change: 'new-browser',
  device: 'Firefox on Linux',
  happenedAt: '2026-03-02T14:59:00.000Z',
};

describe('the text of mails', () => {
  it.each(mailKinds)('NTF-1: %s, in text and HTML', (kind) => {
    const { subject, text, html } = composeMail(kind, facts);
    expect(subject).not.toMatch(/\{\{|undefined/);
    expect(text).toMatch(/^Hello,\n\n[\s\S]+\n\nMain store\n$/);
    expect(`${text}${html}`).not.toMatch(/\{\{|undefined|null|NaN|\[object/);
    expect(text).not.toMatch(/\n\n\n/);
  });

  it.each(mailKinds.filter((kind) => /^(order|payment|refund|renewal|programme|leads)-/.test(kind)))(
    'NTF-5: %s names its order',
    (kind) => expect(composeMail(kind, facts).text).toContain('Order o1, exclusive-fresh: https://'),
  );

  it('NTF-5: what somebody may have done to an account says when, from what, and in its subject what', () => {
    const { subject, text } = composeMail('account-changed', { ...facts, timeZone: 'America/New_York' });
    expect(subject).toBe('Your account: a sign-in from a new browser');
    expect(text).toContain('at 2026-03-02 09:59 (America/New_York), from Firefox on Linux.');
    const { device: _, ...older } = facts;
    expect(composeMail('account-changed', older).text).toContain('at 2026-03-02 14:59 UTC. Your account lists');
  });

  it('NTF-5: each change of an account has a subject and a text of its own', () => {
    const mails = accountChanges.map((change) => composeMail('account-changed', { ...facts, change }));
    expect(new Set(mails.map(({ subject }) => subject)).size).toBe(accountChanges.length);
    expect(new Set(mails.map(({ text }) => text)).size).toBe(accountChanges.length);
  });

  it('STO-2: the confirmation shows the price and the text on the card statement', () => {
    const { text } = composeMail('order-confirmed', facts);
    expect(text).toContain('10 leads and 1 bonus lead.');
    expect(text).toContain('It costs $123.45. Your card statement shows LEADGER.');
  });

  it('NTF-5: the confirmation says that, when and for how much the order renews', () => {
    const { text } = composeMail('order-confirmed', facts);
    expect(text).toContain('it renews every 7 days, first on 2026-03-09 for $200.00');
    expect(text).toContain('https://store.example/loyalty/o1');
    const { cadenceDays: _, ...once } = facts;
    expect(composeMail('order-confirmed', once).text).not.toContain('renew');
  });

  it('NTF-5: dates are those of the zone of the order, where it is known', () => {
    const late = { ...facts, renewsAt: '2026-03-10T02:21:00.000Z', dueAt: '2026-03-10T02:21:00.000Z' };
    const inNewYork = { ...late, timeZone: 'America/New_York' };
    expect(composeMail('order-confirmed', inNewYork).text).toContain('first on 2026-03-09 for $200.00');
    const { text } = composeMail('renewal-coming', inNewYork);
    expect(text).toContain('On 2026-03-09 your order re-opens');
    expect(text).toContain('on hold before 2026-03-09 22:21 (America/New_York):');
    for (const timeZone of [undefined, 'Mars/Olympus'])
      expect(composeMail('renewal-coming', { ...late, timeZone }).text).toContain('before 2026-03-10 02:21 UTC:');
  });

  it('NTF-5: an announcement names the day and the amount; one that an older version wished names the day', () => {
    const { text } = composeMail('renewal-coming', facts);
    expect(text).toContain('On 2026-03-02 your order re-opens');
    expect(text).toContain('10 leads for $123.45, charged to your card.');
    const { quantity: _, totalCents: __, ...older } = facts;
    expect(composeMail('renewal-coming', older).text).toContain('and your bonus leads with them.');
  });

  it.each([
    [1, '1 lead will not be delivered.'],
    [2, '2 leads will not be delivered.'],
    [0, 'What you have received stays yours.'],
  ])('NTF-5: a cancellation of %d leads is confirmed', (undeliveredLeads, told) => {
    expect(composeMail('order-cancelled', { ...facts, undeliveredLeads }).text).toContain(told);
  });

  it('NTF-5: one is not called several', () => {
    const one = { ...facts, quantity: 1, bonusLeads: 1, leads: 1, cadenceDays: 1, undeliveredLeads: 1 };
    for (const kind of mailKinds) expect(composeMail(kind, one).text).not.toMatch(/\b1 (bonus )?(leads|days)\b/);
  });

  it('NTF-5: every link leads to a page that is documented', () => {
    const paths = Object.values(mailLinks).map(({ path }) => path);
    const filled = paths.map((path) =>
      path.replace(/\{(\w+)\}/g, (_, name: keyof typeof facts) => String(facts[name])),
    );
    for (const kind of mailKinds)
      for (const [, path] of composeMail(kind, facts).text.matchAll(/https:\/\/store\.example(\S*)/g))
        expect(filled).toContain(path);
  });

  it('LOY-8: a payment that the bank wants confirmed has the link, and until when', () => {
    const { text } = composeMail('payment-to-confirm', facts);
    expect(text).toContain('before 2026-03-03 15:00 UTC:\n\nhttps://bank.example/confirm?charge=1\n');
  });

  it('RPL-7: a denial explains why', () => {
    expect(composeMail('chargeback-denied', facts).text).toContain('it is too late');
  });

  it('CHK-4: a declined payment has its reason in our words', () => {
    expect(composeMail('payment-declined', { ...facts, retriesNow: true }).text).toContain('We try again.');
    expect(composeMail('payment-declined', facts).text).toContain('was declined: expired card.');
  });

  it('texts of customers and staff never become HTML', () => {
    const explanation = '<b>no & never</b>';
    const { html, text } = composeMail('chargeback-denied', { ...facts, explanation, firstName: '<i>' });
    expect(text).toContain('<b>no & never</b>');
    expect(html).toContain('&lt;b&gt;no &amp; never&lt;/b&gt;');
    expect(html).toContain('Hello &lt;i&gt;,');
  });

  it('links can be clicked', () => {
    expect(composeMail('password-recovery', facts).html).toContain(
      '<a href="https://store.example/password-recovery?token=c1.secret">',
    );
  });

  it('DLV-9: a mail of one lead shows its contact', () => {
    const contact = { firstName: 'Ada', telephone: '+1 212 555 0142', postalCode: '12207' };
    const { text } = composeMail('leads-delivered', { ...facts, leads: 1, contact });
    expect(text).toContain('First name: Ada\nTelephone: +1 212 555 0142\nPostal code: 12207');
  });

  it('DLV-9: a mail of one lead shows what a file said besides, as the file named it', () => {
    const contact = { firstName: 'Ada', extraFields: { 'UTM source': '<b>spring</b>', label: 'x' } };
    const { text, html } = composeMail('leads-delivered', { ...facts, leads: 1, contact });
    expect(text).toContain('First name: Ada\nUTM source: <b>spring</b>\nlabel: x');
    expect(html).toContain('&lt;b&gt;spring&lt;/b&gt;');
  });

  it('what strangers write is no link in our mails; our own addresses are', () => {
    const evil = 'https://evil.example/win';
    const contact = { firstName: evil, comment: `see www.evil.example and ${evil}`, email: 'pat@example.org' };
    const mail = composeMail('leads-delivered', { ...facts, firstName: evil, leads: 1, contact });
    const returned = composeMail('chargeback-granted', { ...facts, returnReason: `look: ${evil}` });
    for (const { text, html } of [mail, returned]) {
      expect(`${text}${html}`).not.toMatch(/evil\.example/);
      expect(text).toContain('https[:]//evil[.]example/win');
      expect([...html.matchAll(/href="([^"]*)"/g)].map(([, url]) => new URL(url as string).hostname)).not.toContain(
        'evil',
      );
      expect(html).toContain('<a href="https://store.example/');
    }
    expect(mail.text).toContain('Email: pat@example.org');
  });
});
