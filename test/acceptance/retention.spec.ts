import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { defaultPolicy } from '#domain/policy/policy';
import { openShop, type Shop } from './shop.ts';

/* What the store need not keep for ever is removed when it is as old as the policy says. */

let shop: Shop;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-retention-'));
  shop = await openShop({ directory });
});
afterAll(async () => {
  await shop.stop();
  await rm(directory, { recursive: true });
});

const publish = (retention: object, status = 201) => shop.publish({ policy: { ...defaultPolicy, retention } }, status);
const copies = () => readdir(join(directory, 'mails'));
const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'Mrs. Byron called' };
const look = (customerId: string) =>
  shop.ask('GET', `/api/customers/${customerId}/whole-history`, undefined, 200, support);
const reasonsOfLooks = async () => {
  const looks = (await shop.log()).filter(({ type }) => type === 'CustomerHistoryShown');
  return Promise.all(looks.map(({ metadata }) => shop.opened(metadata.reason)));
};

const keyOfLook = (customerId: string) => `looks-${customerId}/2026-03`;

test('copies of mails are removed after 90 days, or as the policy says; the log says that they were sent', async () => {
  const customerId = await shop.customer({ email: 'ada@example.org' });
  // One confirms the address, the others the order and its receipt.
  await shop.order(customerId);
  expect(await copies()).toHaveLength(3);
  await shop.wait({ days: 89 });
  expect(await copies()).toHaveLength(3);
  await shop.wait({ days: 2 });
  expect(await copies()).toEqual([]);
  await publish({ mailCopiesDays: 1 });
  await shop.order(customerId);
  expect(await copies()).toHaveLength(2);
  await shop.wait({ days: 2 });
  expect(await copies()).toEqual([]);
  expect((await shop.log()).filter(({ type }) => type === 'MailSent')).toHaveLength(5);
  const [mail] = (await shop.read(`/api/mails?customerId=${customerId}`)).items;
  expect(await shop.try('GET', `/api/mails/${mail.mailId}/copy`)).toMatchObject({ status: 404 });
});

test('copies of before are removed when there is a mail server, too', async () => {
  const older = await mkdtemp(join(tmpdir(), 'leadger-retention-'));
  await mkdir(join(older, 'mails'), { mode: 0o700 });
  const date = 'Date: Wed, 01 Jan 2025 15:00:00 +0000\r\n';
  await writeFile(join(older, 'mails', 'old.eml'), date, { mode: 0o600 });
  process.env.SMTP_URL = 'smtp://127.0.0.1:9';
  const other = await openShop({ directory: older });
  try {
    await other.server.settle();
    expect(await readdir(join(older, 'mails'))).toEqual([]);
  } finally {
    delete process.env.SMTP_URL;
    await other.stop();
    await rm(older, { recursive: true });
  }
});

test('the reason of a look can be read until it is old; who looked, and when, stays', async () => {
  await publish({ lookReasonsDays: 40 });
  const customerId = await shop.customer();
  await look(customerId);
  expect(await reasonsOfLooks()).toEqual(['Mrs. Byron called']);
  await shop.wait({ days: 39 });
  await look(customerId);
  expect(await reasonsOfLooks()).toEqual(['Mrs. Byron called', 'Mrs. Byron called']);
  await shop.wait({ days: 39 });
  expect(await reasonsOfLooks()).toEqual([undefined, 'Mrs. Byron called']);
  const [first] = (await shop.log()).filter(({ type }) => type === 'CustomerHistoryShown');
  expect(first).toMatchObject({ data: { customerId, at: expect.any(String) }, metadata: { actor: 'staff:ada' } });
});

test('a reason whose key an older backup lacks goes with its month, too: nothing is missing then', async () => {
  const older = await mkdtemp(join(tmpdir(), 'leadger-retention-'));
  let other = await openShop({ directory: older });
  try {
    const [customerId, erasedId] = [await other.customer(), await other.customer()];
    await other.ask('POST', '/api/persons/erasures', { person: { customerId: erasedId } }, 200, support);
    await other.wait({ seconds: 1 });
    for (const id of [customerId, erasedId])
      await other.ask('GET', `/api/customers/${id}/whole-history`, undefined, 200, support);
    await other.stop();
    const keys = new Database(join(older, 'keys', 'keys.sqlite'));
    const lost = "subject GLOB 'reasons-about-erased/*' OR subject GLOB 'customer-*' OR";
    expect(keys.prepare(`DELETE FROM keys WHERE ${lost} subject = ?`).run(keyOfLook(customerId)).changes).toBe(4);
    keys.close();
    other = await openShop({ directory: older });
    expect((await other.read('/health')).keys).toEqual({ missing: 3, damaged: 0 });
    await other.publish({ policy: { ...defaultPolicy, retention: { lookReasonsDays: 1 } } }, 201);
    await other.wait({ days: 62 });
    // The key of the customer who is not erased may come back from a backup.
    expect((await other.read('/health')).keys).toEqual({ missing: 1, damaged: 0 });
  } finally {
    await other.stop();
    await rm(older, { recursive: true });
  }
});

test('the reasons of looks go with their customer at once; those of later looks go with their month, and bring nobody back', async () => {
  const customerId = await shop.customer();
  const before = (await reasonsOfLooks()).length;
  await look(customerId);
  await shop.wait({ days: 40 });
  await look(customerId);
  await shop.ask('POST', '/api/persons/erasures', { person: { customerId } }, 200, support);
  expect((await reasonsOfLooks()).slice(before)).toEqual([undefined, undefined]);
  await look(customerId);
  await shop.wait({ days: 40 });
  await look(customerId);
  expect((await reasonsOfLooks()).slice(before)).toEqual([undefined, undefined, ...Array(2).fill('Mrs. Byron called')]);
  await shop.wait({ days: 39 });
  expect((await reasonsOfLooks()).slice(before)).toEqual([undefined, undefined, undefined, 'Mrs. Byron called']);
  await shop.wait({ days: 40 });
  expect((await reasonsOfLooks()).slice(before)).toEqual(Array(4).fill(undefined));
});

test.each([[{ mailCopiesDays: 0 }], [{ lookReasonsDays: 1.5 }], [{ mailCopiesDays: 4000 }], [{ parkedDays: 1 }]])(
  'a policy that says %j is refused',
  async (retention) => {
    expect(await publish(retention, 400)).toMatchObject({ code: 'invalid-request' });
  },
);
