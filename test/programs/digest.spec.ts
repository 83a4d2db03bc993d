import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { cli, Program } from './program.ts';

/** How often each program is killed. 200 take hours: LEADGER_TEST_KILLS=200 npm test -- test/programs/digest */
const KILLS = Number(process.env.LEADGER_TEST_KILLS ?? 2);
const LIMIT_MILLISECONDS = (1 + KILLS) * FAR_AWAY_MILLISECONDS;

let temporary: string;
let demo: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-digest-'));
  demo = join(temporary, 'demo');
  await cli('demo', '--days', '6', '--data', demo);
});
afterAll(() => rm(temporary, { recursive: true }));

/** Where the read models are, as parameters of a program. */
interface Home {
  readonly parameters: readonly string[];
  remove(): Promise<void>;
}

const besideTheEvents = async (): Promise<Home> => ({ parameters: [], remove: async () => {} });
const inPostgres = async (): Promise<Home> => {
  const { url, drop } = await freshDatabase();
  return { parameters: ['--database', url], remove: drop };
};

describe('leadger digest, beside the events,', () => describeDigests(besideTheEvents));
describeWithPostgres('leadger digest, on PostgreSQL,', () => describeDigests(inPostgres));

function describeDigests(makeHome: () => Promise<Home>) {
  let home: Home;
  let data: string;
  let place: readonly string[];
  beforeEach(async () => {
    home = await makeHome();
    data = await mkdtemp(join(temporary, 'store-'));
    place = ['--data', data, ...home.parameters];
  });
  afterEach(() => home.remove());

  test(
    'is the same after normal operation, after a rebuild of all read models, and after a rebuild that was killed',
    async () => {
      await cp(demo, data, { recursive: true });
      const lived = await digests(place);
      const rebuilt = await timed(place);
      expect(rebuilt.code).toBe(0);
      expect(rebuilt.stdout.trim().split('\n')).toHaveLength(Object.keys(lived).length);
      expect(await digests(place)).toEqual(lived);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const rebuild = await begun(place);
        await wait(Math.random() * rebuilt.milliseconds);
        await rebuild.kill();
        expect(await digests(place)).toEqual(lived);
      }
    },
    LIMIT_MILLISECONDS,
  );

  test(
    'equals that of an undisturbed run when the store is killed while it receives leads',
    async () => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const store = new Program('standalone', ['--data', data, '--port', '0'], environmentOf(home));
        const [, url] = await store.says(/ready: (\S+)/);
        let over = false;
        const callers = Array.from({ length: 4 }, async (_, caller) => {
          for (let number = 0; !over; number += 1) {
            const telephone = `+1212${2_000_000 + kill * 30_000 + caller * 5_000 + number}`;
            const body = JSON.stringify({ leadTypeId: 'exclusive-fresh', source: 'test', contact: { telephone } });
            const headers = { 'content-type': 'application/json' };
            await fetch(`${url}/api/leads`, { method: 'POST', headers, body }).catch(() => undefined);
          }
        });
        await wait(100 + Math.random() * 1500);
        await store.kill();
        over = true;
        await Promise.all(callers);

        const undisturbed = join(temporary, `undisturbed-${crypto.randomUUID()}`);
        await cp(data, undisturbed, { recursive: true, filter: (path) => !path.endsWith('read-models') });
        expect(await digests(place)).toEqual(await digests(['--data', undisturbed]));
        await rm(undisturbed, { recursive: true });
      }
    },
    LIMIT_MILLISECONDS,
  );
}

test('a rebuild of an unknown read model names those that exist', async () => {
  const unknown = await cli('rebuild', 'colors', '--data', demo);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toMatch(/^leadger: there is no read model colors: there are customers, orders, .*\n$/);
  expect((await cli('rebuild', '--data', demo)).stderr).toMatch(/^leadger: rebuild takes the name .* or --all\n$/);
});

async function digests(place: readonly string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await cli('digest', '--json', ...place);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** A rebuild of all read models that has locked the data directory and is about to begin. */
async function begun(place: readonly string[]): Promise<Program> {
  const holder = join(place[1] as string, 'holder.json');
  await rm(holder, { force: true });
  const program = new Program('cli', ['rebuild', '--all', ...place]);
  await waitUntil(() => existsSync(holder) || program.process.exitCode !== null);
  return program;
}

async function timed(place: readonly string[]) {
  const program = await begun(place);
  const start = performance.now();
  const ended = await program.ended;
  return { ...ended, milliseconds: performance.now() - start };
}

const environmentOf = ({ parameters: [, url] }: Home): Record<string, string> =>
  url === undefined ? {} : { DATABASE_URL: url };
