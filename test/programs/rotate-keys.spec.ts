import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli, serve } from './program.ts';

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-rotate-keys-'));
});
afterAll(() => rm(temporary, { recursive: true }));

test('the master key of a stopped store is replaced, and the store opens what it stored before', async () => {
  const directory = join(temporary, 'store');
  const masterKey = () => readFileSync(join(directory, 'keys', 'master.key'), 'utf8');
  const before = await serve(directory);
  const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York' };
  const answer = await fetch(`${before.url}/api/customers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...customer, name: { firstName: 'Zoë', lastName: 'Doe' } }),
  });
  const { customerId } = (await answer.json()) as { customerId: string };
  const former = masterKey();
  expect((await cli('keys', 'rotate', '--data', directory)).stderr).toContain('is in use by process');
  expect(masterKey()).toBe(former);
  expect(await before.program.stop()).toMatchObject({ code: 0 });

  const { code, stdout, stderr } = await cli('keys', 'rotate', '--data', directory);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('1 key is wrapped with the new master key');
  expect(masterKey()).not.toBe(former);

  const after = await serve(directory);
  const read = await fetch(`${after.url}/api/customers/${customerId}`, { headers: { 'leadger-actor': 'staff:ann' } });
  expect(await read.json()).toMatchObject({ name: { firstName: 'Zoë', lastName: 'Doe' } });
  expect(await after.program.stop()).toMatchObject({ code: 0 });
});

test('where there is no store, nothing is created', async () => {
  const directory = join(temporary, 'none');
  const { code, stderr } = await cli('keys', 'rotate', '--data', directory);
  expect(code).toBe(1);
  expect(stderr).toContain('there is no store');
  expect(existsSync(directory)).toBe(false);
});
