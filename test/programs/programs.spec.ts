import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { laws } from '#audit/laws/laws';
import { waitUntil } from '#test/wait-until';
import { cli, Program, serve } from './program.ts';

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-programs-'));
});
afterAll(() => rm(temporary, { recursive: true }));

// biome-ignore lint/suspicious/noExplicitAny: a client looks into answers without our types
type Answer = any;
const post = async (url: string, body: unknown) => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Answer };
};
const get = async (url: string): Promise<Answer> => (await fetch(url)).json();

const bytesIn = async (directory: string) => {
  const names = await readdir(directory).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** How often a demo is killed. For a longer run by hand: LEADGER_TEST_KILLS=200. */
const KILLS = Number(process.env.LEADGER_TEST_KILLS ?? 3);

const nothingBroken = Object.fromEntries(Object.keys(laws).map((law) => [law, 0]));

describe('npm start', () => {
  test('serves a store, locks its directory, and has all data after a restart', async () => {
    const directory = join(temporary, 'started');
    const first = await serve(directory);
    const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York' };
    const { body } = await post(`${first.url}/api/customers`, customer);

    const second = await new Program('standalone', ['--data', directory, '--port', '0']).ended;
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^leadger: .*started is in use by process \d+.*\n$/);

    expect(await first.program.stop()).toMatchObject({ code: 0, stderr: '' });
    const again = await serve(directory);
    expect(await get(`${again.url}/api/customers/${body.customerId}?waitFor=${body.position}`)).toMatchObject(customer);
    expect(await again.program.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('says in one line that its port is in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const refused = await new Program('standalone', ['--data', join(temporary, 'no-port'), '--port', `${port}`]).ended;
    await new Promise((resolve) => taken.close(resolve));
    const stderr = `leadger: port ${port} is in use: choose another with --port or PORT\n`;
    expect(refused).toEqual({ code: 1, stdout: '', stderr });
  });

  test('is the only writer of its log: leadger copy refuses a directory in use, and one that is the original', async () => {
    const [original, used] = [join(temporary, 'started'), join(temporary, 'used')];
    const { program } = await serve(used);
    const refused = await cli('copy', '--from', original, '--to', used);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/used is in use by process \d+/) });
    expect(await program.stop()).toMatchObject({ code: 0, stderr: '' });
    expect(await cli('copy', '--from', original, '--to', `${original}/.`)).toMatchObject({
      code: 1,
      stderr: `leadger: ${original} cannot be copied to itself\n`,
    });
    expect(await cli('copy', '--from', original, '--to', join(temporary, 'new'))).toMatchObject({ code: 0 });
  });

  test('loses no acknowledged lead when it is killed repeatedly', async () => {
    const directory = join(temporary, 'killed');
    const acknowledged: string[] = [];
    for (let life = 0; life < 2; life += 1) {
      const { program, url } = await serve(directory);
      let over = false;
      const callers = Array.from({ length: 8 }, async (_, caller) => {
        for (let number = 0; !over; number += 1) {
          const telephone = `+1212${1_000_000 + life * 300_000 + caller * 30_000 + number}`;
          const lead = { leadTypeId: 'exclusive-fresh', source: 'test', contact: { telephone } };
          const reply = await post(`${url}/api/leads`, lead).catch(() => undefined);
          if (reply?.status === 201) acknowledged.push(reply.body.leadId);
        }
      });
      await waitUntil(() => acknowledged.length > (life + 1) * 20);
      await program.kill();
      over = true;
      await Promise.all(callers);
    }
    expect(acknowledged.length).toBeGreaterThan(20);

    const log = (await cli('export', '--data', directory)).stdout.trim().split('\n');
    const received = new Set(log.map((line) => JSON.parse(line).stream));
    expect(acknowledged.filter((leadId) => !received.has(`lead-${leadId}`))).toEqual([]);
    const verified = await cli('verify', '--json', '--data', directory);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout).laws).toEqual(nothingBroken);
  });

  test.each([
    [['--port', '70000'], /^leadger: 70000 is not a port\n$/],
    [['--prot', '3000'], /^leadger: Unknown option '--prot'/],
    [['--data', 'package.json'], /^leadger: .*package\.json.*\n$/],
  ])('says in one line what is wrong with %j', async (parameters, line) => {
    const { code, stderr } = await new Program('standalone', parameters).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(line);
  });
});

describe('the demo', () => {
  const until = ['--until', '2026-05-01T00:00:00Z'];

  test('makes the same history from the same seed, prints only JSON on standard output, and breaks no law', async () => {
    const [one, two, other] = await Promise.all([
      cli('demo', '--days', '4', '--seed', '7', '--json', ...until),
      cli('demo', '--days', '4', '--seed', '7', '--json', ...until, '--data', join(temporary, 'demo')),
      cli('demo', '--days', '4', '--seed', '8', '--json', ...until),
    ]);
    const summary = JSON.parse(one.stdout);
    expect(summary).toMatchObject({ seed: 7, days: 4, laws: nothingBroken });
    expect(summary.leadsDelivered).toBeGreaterThan(0);
    expect(JSON.parse(two.stdout).logDigest).toBe(summary.logDigest);
    expect(JSON.parse(other.stdout).logDigest).not.toBe(summary.logDigest);

    // The demo's directory is a normal store.
    const { program, url } = await serve(join(temporary, 'demo'));
    const { items } = await get(`${url}/api/orders`);
    expect(items.length).toBeGreaterThan(0);
    await program.stop();
  });

  test('keeps every law with hanging mails, broken programs, refused payments and odd files, and loses no row of them', async () => {
    const days = ['demo', '--days', '9', '--seed', '3', '--trouble', '--json', ...until];
    const [one, two] = await Promise.all([cli(...days), cli(...days, '--data', join(temporary, 'trouble'))]);
    const { laws: broken, events, leadsDelivered, trouble } = JSON.parse(one.stdout);
    expect(broken).toEqual(nothingBroken);
    // Not the digest: ids of mails and messages about a delivery follow from how many events its decision had seen.
    expect(JSON.parse(two.stdout)).toMatchObject({ events, leadsDelivered, trouble });
    const { mails, calls, payments, files } = trouble;
    expect(mails.unconfirmed * mails.refusedForNow).toBeGreaterThan(0);
    expect(calls.failed).toBeGreaterThan(0);
    expect(payments.declined + payments.refused + payments.lost).toBeGreaterThan(0);
    expect(files).toEqual({ files: 8, rows: 73, taken: 50, known: 6, duplicate: 6, rejected: 11 });
  });

  test.each([
    ['', []],
    [', with trouble', ['--trouble']],
  ])('ends with the same rows after it was killed and continued several times%s', async (name, more) => {
    const days = ['demo', '--days', '5', '--seed', '11', '--json', ...more, ...until];
    const directory = join(temporary, `cut-short${name.replace(', ', '-')}`);
    const undisturbed = cli(...days);
    for (let life = 0; life < KILLS; life += 1) {
      const before = await bytesIn(join(directory, 'events'));
      const demo = new Program('cli', [...days, '--data', directory, ...(life > 0 ? ['--continue'] : [])]);
      const ended = demo.ended.then(() => true);
      // Kill it at a random moment after it has made progress.
      while ((await bytesIn(join(directory, 'events'))) <= before && !(await Promise.race([ended, wait(20, false)])));
      await Promise.race([ended, wait(Math.random() * 1500)]);
      await demo.kill();
    }
    const { code, stdout, stderr } = await cli(...days, '--data', directory, '--continue');
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const { rowsDigest, events, laws: broken, trouble } = JSON.parse((await undisturbed).stdout);
    expect(JSON.parse(stdout)).toMatchObject({ events, rowsDigest, laws: broken, ...(trouble && { trouble }) });
    expect(broken).toEqual(nothingBroken);
  });

  test('leaves a log that keeps every law when it is killed at any instant', async () => {
    const directory = join(temporary, 'killed-demo');
    const demo = new Program('cli', ['demo', '--days', '400', '--data', directory]);
    // When it has some hundred events. How soon that is depends on the machine.
    await waitUntil(async () => (await bytesIn(join(directory, 'events'))) > 2_000_000);
    await demo.kill();
    const { code, stdout } = await cli('verify', '--json', '--data', directory);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).laws).toEqual(nothingBroken);
    expect(JSON.parse(stdout).events).toBeGreaterThan(100);
    const { program } = await serve(directory);
    await program.stop();
  });
});
