import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli } from './program.ts';

/* What the staff of a store see of a coupon on the command line (CPN-4). */

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'leadger-coupons-'));
  await run('demo', '--days', '14', '--seed', '3');
});
afterAll(() => rm(data, { recursive: true }));

async function run(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...command, '--data', data);
  expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' });
  return stdout;
}

interface Use {
  readonly customerId: string;
  readonly checkoutId: string;
  readonly outcome: string;
  readonly orderId: string | null;
  readonly orderStatus: string | null;
}

test('CPN-4: who tried and used a code, and what became of the order', async () => {
  const { items } = JSON.parse(await run('coupon', 'uses', 'WELCOME-10', '--json')) as { items: Use[] };
  const ordered = items.filter(({ outcome, orderId }) => outcome === 'used' && orderId !== null);
  expect(ordered.length).toBeGreaterThan(0);
  const lines = await run('coupon', 'uses', 'WELCOME-10');
  for (const { customerId, orderId, orderStatus } of ordered) {
    expect(lines).toContain(customerId);
    expect(lines).toContain(`order ${orderId}: ${orderStatus}`);
  }
  expect(lines).toMatch(new RegExp(`^${items.length} attempts?, .* with "WELCOME-10"$`, 'm'));
  expect(await run('coupon', 'uses', 'welcome-10')).toBe('0 attempts with "welcome-10"\n');
});

test('CPN-4: the timeline of a coupon is found by its code, and ends with its orders', async () => {
  const { items } = JSON.parse(await run('coupon', 'uses', 'WELCOME-10', '--json')) as { items: Use[] };
  const { stream, orders } = JSON.parse(await run('timeline', 'coupon', 'WELCOME-10', '--json')) as {
    stream: string;
    orders: Use[];
  };
  const ofList = items.filter(({ orderId }) => orderId !== null).map(({ orderId }) => orderId);
  const ofTimeline = orders.flatMap(({ orderId }) => orderId ?? []);
  expect(ofTimeline.toSorted()).toEqual(ofList.toSorted());
  expect(await run('timeline', 'coupon', 'WELCOME-10')).toContain(`order ${ofTimeline[0]}: `);
  expect(await run('timeline', 'coupon', stream.slice('coupon-'.length))).toContain('coupon "WELCOME-10"');
});
