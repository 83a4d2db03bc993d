import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { checkLaws, laws } from '#audit/laws/laws';
import { decode } from '#domain/codec';
import { hashOfEvent } from '#event-store/event-hash';
import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { type Cluster, startCluster } from '#test/postgres/cluster';
import { describeWithOwnPostgres } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { type Answer, addressOf, onServers } from './on-servers.ts';
import { Program } from './program.ts';

const nothingBroken = Object.fromEntries(Object.keys(laws).map((law) => [law, 0]));
const FROZEN_SECONDS = 15;

describeWithOwnPostgres('an API and two workers whose PostgreSQL goes away under load', () => {
  let events: TestEventStoreDb;
  let cluster: Cluster;
  let programs: Program[];
  let urls: string[];
  beforeAll(async () => {
    events = await startEventStoreDb();
    cluster = await startCluster();
    programs = (['api', 'worker', 'worker'] as const).map(
      (name) =>
        new Program(name, ['--port', '0'], {
          ...onServers(events.connectionString, cluster.url),
          LEADGER_LEASE_SECONDS: '3',
        }),
    );
    urls = await Promise.all(programs.map(addressOf));
  });
  afterAll(async () => {
    for (const program of programs) await program.kill();
    await events.close();
    cluster.stop();
  });

  const call = async (path: string, body?: object, key?: string): Promise<{ status: number; body: Answer }> => {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    const answer = await fetch(urls[0] + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
    return { status: answer.status, body: await answer.json() };
  };
  /** Repeats what was not accepted, as the API asks. Every refusal on the way has to be one that may be repeated. */
  const send = async (path: string, body: object): Promise<Answer> => {
    const key = crypto.randomUUID();
    for (;;) {
      const answer = await call(path, body, key);
      if (answer.status < 300) return answer.body;
      expect({ path, ...answer }).toMatchObject({ status: 503 });
      await pause(200);
    }
  };

  let people = 0;
  const sendLead = () => {
    people += 1;
    const contact = { telephone: `+1212${5_550_000 + people}` };
    return send('/api/leads', { leadTypeId: 'exclusive-fresh', source: 'page', contact });
  };
  /** One after the other, until it is told to stop. @returns how many were accepted */
  const load = () => {
    let over = false;
    const sent = (async () => {
      while (!over) await sendLead();
    })();
    sent.catch(() => {});
    return async () => {
      over = true;
      await sent;
    };
  };
  const deliveries = async () => {
    const leads: unknown[] = [];
    for await (const event of events.log.readAll({ filter: { types: ['LeadDelivered'] } }))
      leads.push((decode(event) as Answer).data.leadId);
    return leads;
  };
  const everyoneIsUp = () => {
    for (const program of programs)
      if (program.process.exitCode !== null) throw new Error(`a program ended: ${program.stderr}`);
    return true;
  };
  const healthOf = async (url: string) => (await fetch(`${url}/health`)).json() as Answer;
  const allSay = async (ok: boolean) =>
    waitUntil(async () => {
      everyoneIsUp();
      return (await Promise.all(urls.map(healthOf))).every(({ database }) => database?.ok === ok);
    });

  /** Each program says what is away, and serves what does not need it. */
  const eachTellsTheOutage = async () => {
    await allSay(false);
    for (const url of urls) {
      const [live, ready, metrics] = await Promise.all(
        ['health/live', 'health/ready', 'metrics'].map((path) => fetch(`${url}/${path}`)),
      );
      expect([live?.status, ready?.status, metrics?.status]).toEqual([200, 503, 200]);
      const numbers = await metrics?.text();
      expect(numbers).toMatch('leadger_database_ok 0');
      expect(numbers).toMatch(/^leadger_database_outages_total [1-9]/m);
      expect(numbers).toMatch(/^leadger_database_away_seconds_total (?!0$)/m);
    }
  };

  test('has an order for all leads', async () => {
    const customer = { storeId: 'main', businessAssociation: 'A', timeZone: 'America/New_York' };
    const { customerId } = await send('/api/customers', customer);
    await send('/api/orders', { customerId, leadTypeId: 'exclusive-fresh', quantity: 1000, paymentToken: 'tok_ok' });
  });

  const restarted = (end: () => Promise<void>) => async () => {
    await end();
    await eachTellsTheOutage();
    await cluster.start();
  };
  const outages = {
    'is killed and started': restarted(() => cluster.kill()),
    'is shut down fast and started': restarted(() => cluster.shutDown('fast')),
    'is shut down immediately and started': restarted(() => cluster.shutDown('immediate')),
    [`stands still for ${FROZEN_SECONDS} seconds`]: async () => {
      cluster.freeze();
      const thaw = pause(FROZEN_SECONDS * 1000).then(() => cluster.thaw());
      await eachTellsTheOutage();
      await thaw;
    },
    'breaks all connections off': async () => {
      const client = new Client(cluster.url);
      await client.connect();
      const others = `FROM pg_stat_activity WHERE application_name LIKE 'leadger%'`;
      await client.query(`SELECT pg_terminate_backend(pid) ${others}`);
      await client.end();
    },
  };
  test.each(Object.entries(outages))('when it %s, they go on, and nothing is lost or doubled', async (_, outage) => {
    const stopLoad = load();
    const delivered = (await deliveries()).length;
    await waitUntil(async () => everyoneIsUp() && (await deliveries()).length > delivered + 5);
    await outage();
    await stopLoad();
    await allSay(true);
    await sendLead();
    await waitUntil(async () => everyoneIsUp() && (await deliveries()).length >= people);
    const leads = await deliveries();
    expect(new Set(leads).size).toBe(leads.length);
    expect(leads).toHaveLength(people);
    // As the programs see it: a node of ours has positions of its own.
    const { position } = (await call('/health')).body.store;
    const { body } = await call(`/api/orders?waitFor=${position}`);
    expect(body.items.map(({ deliveredLeads }: Answer) => deliveredLeads)).toEqual([people]);
    expect((await call('/api/processes/parked')).body).toEqual({ items: [] });
    expect((await checkLaws(events.log, { hashOf: hashOfEvent })).laws).toEqual(nothingBroken);
  });

  test('and have said so', () => {
    for (const { stderr } of programs) {
      expect(stderr).toMatch(/leadger: PostgreSQL at 127\.0\.0\.1:\d+ cannot be reached \(.+\)/);
      expect(stderr).toMatch(/leadger: PostgreSQL at 127\.0\.0\.1:\d+ answers again after \d+ s/);
    }
  });
});
