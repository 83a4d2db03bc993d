import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resetFactor } from '#apps/cli/admin';
import { startServer } from '#test/e2e/server';
import { addFactor, bearer, endTrial, keptMails, PASSWORD } from './staff.ts';

const EMAIL = 'ada@example.com';
const directory = mkdtempSync(join(tmpdir(), 'leadger-last-factor-spec-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the last administrator who lost the factor gets in again, from the machine of the store', async () => {
  const mails = keptMails();
  const before = await startServer({ directory, mails: mails.gateway });
  await endTrial(before, EMAIL);
  await before.stop();
  await expect(resetFactor({ directory }, { email: 'nobody@example.com' })).rejects.toThrow('no member of staff has');
  await resetFactor({ directory }, { email: EMAIL });

  const after = await startServer({ directory, mails: mails.gateway });
  const signedIn = await after.call('POST', '/api/sign-ins', { email: EMAIL, password: PASSWORD, token: true });
  expect(signedIn.body.factorRequired).toBe(true);
  const headers = bearer(await addFactor(after, EMAIL, signedIn.body.token));
  expect((await after.call('GET', '/api/staff-members', undefined, headers)).status).toBe(200);
  await after.settle();
  expect(mails.sent.map(({ text }) => text).join()).toContain('Your second factors were reset');
  await after.stop();
});
