import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli, serve } from './program.ts';

/* What the staff of a store see of a coupon on the command line (CPN-4). */

const CODE = 'Two Words-1';
const UNTRIED = "Nobody's";
let data: string;
let ids: { readonly customerId: string; readonly checkoutId: string; readonly orderId: string };

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'leadger-coupons-'));
  const { program, url } = await serve(data);
  const ask = async (method: string, path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/${path}`, { method, headers, body: JSON.stringify(body) });
    expect({ path, ok: response.ok }).toEqual({ path, ok: true });
    return (await response.json()) as Record<string, string>;
  };
  for (const couponCode of [CODE, UNTRIED])
    await ask('POST', 'coupons', {
      couponCode,
      storeIds: ['main'],
      discount: { amountCents: 500, currency: 'USD' },
    });
  const business = { storeId: 'main', timeZone: 'UTC', businessAssociation: 'One' };
  const { customerId = '' } = await ask('POST', 'customers', business);
  const { customerId: other = '' } = await ask('POST', 'customers', { ...business, businessAssociation: 'Two' });
  const wish = { leadTypeId: 'exclusive-fresh', quantity: 10 };
  const { checkoutId = '' } = await ask('POST', 'checkouts', { ...wish, customerId });
  await ask('PUT', `checkouts/${checkoutId}/coupon`, { couponCode: CODE });
  const placing = { ...wish, customerId: other, paymentToken: 'tok_ok', couponCode: CODE };
  const { orderId = '' } = await ask('POST', 'orders', placing);
  ids = { customerId, checkoutId, orderId };
  await program.stop();
});
afterAll(() => rm(data, { recursive: true }));

async function run(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...command, '--data', data);
  expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' });
  return stdout;
}

test('CPN-4: the command line lists who tried and used a code, and what became of the order', async () => {
  const { items } = JSON.parse(await run('coupon', 'uses', CODE, '--json'));
  expect(items).toMatchObject([
    { outcome: 'used', orderId: ids.orderId, orderStatus: 'open' },
    { outcome: 'used', checkoutId: ids.checkoutId, orderId: null },
  ]);
  const lines = await run('coupon', 'uses', CODE);
  expect(lines).toContain(`order ${ids.orderId}: open, 5.00 USD off, paid `);
  expect(lines).toContain(`checkout ${ids.checkoutId}: no order has the discount`);
  expect(lines).toMatch(/^2 attempts, 2 used with "Two Words-1"$/m);
  expect(await run('coupon', 'uses', UNTRIED)).toBe('0 attempts with "Nobody\'s"\n');
  for (const asJson of [[], ['--json']])
    expect(await cli('coupon', 'uses', 'two words-1', ...asJson, '--data', data)).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringMatching(/^leadger: there is no coupon two words-1$/m),
    });
});

test('CPN-4: the timeline of a coupon is found by its code, and ends with its orders', async () => {
  const lines = await run('timeline', 'coupon', CODE);
  expect(lines).toContain(`order ${ids.orderId}: open`);
  expect(lines).toContain(`customer ${ids.customerId}, checkout ${ids.checkoutId}: no order has the discount`);
  const { stream } = JSON.parse(await run('timeline', 'coupon', CODE, '--json'));
  expect(await run('timeline', 'coupon', stream.slice('coupon-'.length))).toContain('coupon "Two Words-1"');
});
