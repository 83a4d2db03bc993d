import { checkLaws, laws } from '#audit/laws/laws';
import { decode } from '#domain/codec';
import { hashOfEvent } from '#event-store/event-hash';
import { processes as everyProcess } from '#processes/processes';
import { describeWithPostgres } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { type Answer, addressOf, clientOf, ProgramsOnServers } from './on-servers.ts';
import { Program } from './program.ts';

const LEASE_SECONDS = '3';
const nothingBroken = Object.fromEntries(Object.keys(laws).map((law) => [law, 0]));
const leadTypes = ['exclusive-fresh', 'exclusive-aged', 'shared-fresh', 'shared-aged'];

describeWithPostgres('two workers and an API on an EventStoreDB and a PostgreSQL', () => {
  let programs: ProgramsOnServers;
  let workers: readonly Program[];
  let ask: ReturnType<typeof clientOf>;
  beforeEach(async () => {
    // No customer here has an address, so no mail is sent.
    programs = await ProgramsOnServers.open({ LEADGER_LEASE_SECONDS: LEASE_SECONDS });
    const api = programs.start('api');
    workers = [programs.start('worker'), programs.start('worker')];
    ask = clientOf(await addressOf(api));
    await Promise.all(workers.map(addressOf));
  });
  afterEach(() => programs.close());

  /** As the programs see it: a node of ours has positions of its own. */
  const endOfLog = async (): Promise<string> => (await ask('/health')).store.position;
  let people = 0;
  const placeOrders = async () => {
    for (const leadTypeId of leadTypes) {
      people += 1;
      const customer = { storeId: 'main', businessAssociation: `Business ${people}`, timeZone: 'America/New_York' };
      const { customerId } = await ask('/api/customers', customer);
      await ask('/api/orders', { customerId, leadTypeId, quantity: 100, paymentToken: 'tok_ok' });
    }
  };
  const receiveLeads = async (): Promise<number> => {
    for (const leadTypeId of leadTypes) {
      people += 1;
      await ask('/api/leads', { leadTypeId, source: 'page', contact: { telephone: `+1212${5_550_000 + people}` } });
    }
    return leadTypes.length;
  };
  const processEvents = async (type?: string) => {
    const facts = [];
    for await (const recorded of programs.events.log.readAll(type ? { filter: { types: [type] } } : {}))
      facts.push(decode(recorded));
    return facts.filter(({ cause }) => cause.actor.startsWith('process:'));
  };
  const delivered = async (count: number) => {
    await waitUntil(async () => (await processEvents('LeadDelivered')).length >= count);
  };
  /** Waits until each worker distributes leads of some lead type. @returns the token of each lead type's lease */
  const leasesHeldByBoth = async (): Promise<ReadonlyMap<string, number>> => {
    const tokens = new Map<string, number>();
    await waitUntil(async () => {
      const leases = await programs.database.query(
        "SELECT unit, holder, token::int FROM coordination.leases WHERE unit LIKE 'lead-distribution/%'",
      );
      for (const { unit, token } of leases) tokens.set(unit, token);
      return new Set(leases.map(({ holder }) => holder)).size === 2;
    });
    return tokens;
  };
  const holdsEveryLaw = async () =>
    expect((await checkLaws(programs.events.log, { hashOf: hashOfEvent })).laws).toEqual(nothingBroken);

  test('share the work by lead type, and the API reads what a worker wrote', async () => {
    await placeOrders();
    await delivered(await receiveLeads());
    const { items } = await ask(`/api/orders?waitFor=${await endOfLog()}`);
    expect(items.map(({ deliveredLeads }: Answer) => deliveredLeads)).toEqual(leadTypes.map(() => 1));
    const facts = await processEvents();
    expect(facts.every(({ cause }) => cause.lease !== undefined)).toBe(true);
    expect(new Set(facts.map(({ cause }) => cause.lease?.unit))).toEqual(
      new Set([
        'payment-capture',
        'receipts',
        'mailing',
        ...leadTypes.map((leadTypeId) => `lead-distribution/${leadTypeId}`),
      ]),
    );
    const { processes, ok } = await ask('/health');
    expect(ok).toBe(true);
    expect(processes.processes).toHaveLength(everyProcess.length);
    expect(await ask('/api/processes/parked')).toEqual({ items: [] });
    await holdsEveryLaw();
  });

  test('when one is killed, the other takes over all its work', async () => {
    await placeOrders();
    const before = await receiveLeads();
    await (workers[0] as Program).kill();
    const after = await receiveLeads();
    await delivered(before + after);
    const { items } = await ask(`/api/orders?waitFor=${await endOfLog()}`);
    expect(items.map(({ deliveredLeads }: Answer) => deliveredLeads)).toEqual(leadTypes.map(() => 2));
    await holdsEveryLaw();
  });

  test('one that was suspended for longer than its leases does no work under them afterwards', async () => {
    await placeOrders();
    await delivered(await receiveLeads());
    const before = await leasesHeldByBoth();
    const paused = workers[0] as Program;
    paused.process.kill('SIGSTOP');
    const sent = await receiveLeads();
    await delivered(leadTypes.length + sent);
    paused.process.kill('SIGCONT');
    await delivered(leadTypes.length + sent + (await receiveLeads()));

    const latest = new Map<string, number>();
    for (const { cause } of await processEvents()) {
      const { unit, token } = cause.lease as { unit: string; token: number };
      expect(token).toBeGreaterThanOrEqual(latest.get(unit) ?? 0);
      latest.set(unit, token);
    }
    const takenOver = [...before].filter(([unit, token]) => (latest.get(unit) as number) > token);
    expect(takenOver).not.toEqual([]);
    await holdsEveryLaw();
  });

  test('one that ends normally hands over at once', async () => {
    await placeOrders();
    expect((await (workers[0] as Program).stop()).code).toBe(0);
    await delivered(await receiveLeads());
    await holdsEveryLaw();
  });

  test.each(['api', 'worker'] as const)('%s reports a missing option in one line', async (name) => {
    const { code, stderr } = await new Program(name, []).ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'leadger: no event store: give --events esdb://… or LEADGER_EVENTS\n',
    });
  });
});
