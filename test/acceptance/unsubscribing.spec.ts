import { openShop, type Shop } from './shop.ts';

const ONE_CLICK = 'List-Unsubscribe=One-Click';
const form = { 'content-type': 'application/x-www-form-urlencoded' };

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await shop.ask('POST', '/api/stores', { storeId: 'west', name: 'West', webAddress: 'https://west.example/account' });
  const price = { storeId: 'west', leadTypeId: 'exclusive-fresh', pricePerLeadCents: 100, currency: 'USD' };
  await shop.ask('POST', '/api/prices', { ...price, smallestOrder: 1, largestOrder: 1000 });
});
afterAll(() => shop.stop());

let people = 0;
async function customerOf(storeId: string, orders: object[] = [{}]): Promise<string> {
  people += 1;
  const customerId = await shop.customer({ storeId, email: `reader${people}@example.org` });
  for (const details of orders) await shop.order(customerId, { quantity: 1, ...details });
  return customerId;
}

/** The header lines of the mail, unfolded. */
async function headersOf(customerId: string, kind: string): Promise<string[]> {
  const { items } = await shop.read(`/api/mails?customerId=${customerId}&kind=${kind}`);
  const copy: string = await shop.ask('GET', `/api/mails/${items[0].mailId}/copy`);
  const [head = ''] = copy.split('\r\n\r\n', 1);
  return head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
}

async function tokenIn(customerId: string, kind: string): Promise<string> {
  const link = (await headersOf(customerId, kind)).find((line) => line.startsWith('List-Unsubscribe:'));
  return /^List-Unsubscribe: <https:\/\/west\.example\/account\/unsubscribe\/([\w.-]+)>$/.exec(link ?? '')?.[1] ?? '';
}

const click = (token: string, body = ONE_CLICK, headers: Record<string, string> = form) =>
  shop.try('POST', `/api/mail-links/${token}/unsubscribe`, body, headers);
const mailsOff = async (customerId: string) => (await shop.read(`/api/customers/${customerId}`)).mailsOff;

test('NTF-6: one click in the mail program, without a sign-in, switches that kind of mails off', async () => {
  const customerId = await customerOf('west');
  expect(await headersOf(customerId, 'order-confirmed')).toContain(`List-Unsubscribe-Post: ${ONE_CLICK}`);
  const token = await tokenIn(customerId, 'order-confirmed');
  expect(token).not.toContain(customerId);
  expect(await click(token)).toMatchObject({ status: 200, body: { unsubscribed: true } });
  expect(await mailsOff(customerId)).toEqual(['order-confirmed']);
  await shop.order(customerId, { quantity: 1 });
  const { items } = await shop.read(`/api/mails?customerId=${customerId}&kind=order-confirmed`);
  expect(items.map(({ status }: { status: string }) => status).sort()).toEqual(['sent', 'withheld']);
});

test('NTF-6: two kinds at once are both switched off; another click, and an empty one, change nothing more', async () => {
  const customerId = await customerOf('west');
  const tokens = [await tokenIn(customerId, 'order-confirmed'), await tokenIn(customerId, 'receipt-issued')];
  const boundary = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n';
  const clicks = await Promise.all([
    ...tokens.map((token) => click(token)),
    click(tokens[0] as string, boundary, { 'content-type': 'multipart/form-data; boundary=b' }),
    shop.try('POST', `/api/mail-links/${tokens[1]}/unsubscribe`),
  ]);
  expect(clicks.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(await mailsOff(customerId)).toEqual(['order-confirmed', 'receipt-issued']);
  // Switched on again by hand, it may be switched off again.
  const choice = { mailsOff: [] };
  await shop.ask('PUT', `/api/customers/${customerId}/mail-preferences`, choice, 200, {
    'leadger-actor': `customer:${customerId}`,
  });
  await click(tokens[1] as string);
  expect(await mailsOff(customerId)).toEqual(['receipt-issued']);
});

test('NTF-6: the answer tells nothing, and a token that the store did not make does nothing', async () => {
  const customerId = await customerOf('west');
  const token = await tokenIn(customerId, 'order-confirmed');
  const forged = [
    token.slice(0, -1),
    `${token}A`,
    token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    'x',
    'x.',
    '%00',
  ];
  const before = (await shop.log()).length;
  const good = await customerOf('west').then((other) => tokenIn(other, 'receipt-issued'));
  const recorded = (await shop.log()).length;
  for (const one of forged) expect((await click(one)).text).toBe('{"unsubscribed":true}');
  expect((await shop.log()).length).toBe(recorded);
  expect((await click(good)).text).toBe('{"unsubscribed":true}');
  expect(recorded).toBeGreaterThan(before);
  expect(await mailsOff(customerId)).toEqual([]);
});

test('NTF-6: mails that a customer needs have no such link, and a store without HTTPS promises no single click', async () => {
  const declined = await customerOf('west', [{ paymentToken: 'tok_declined' }]);
  expect((await headersOf(declined, 'payment-declined')).join('\n')).not.toContain('List-Unsubscribe');
  const headers = await headersOf(await customerOf('main'), 'order-confirmed');
  expect(headers.some((line) => line.startsWith('List-Unsubscribe: <http://127.0.0.1/unsubscribe/'))).toBe(true);
  expect(headers.join('\n')).not.toContain('List-Unsubscribe-Post');
});

test('NTF-6: a form goes nowhere else', async () => {
  expect((await shop.try('POST', '/api/leads', ONE_CLICK, form)).status).toBe(415);
});
