import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { checkLaws, laws } from '#audit/laws/laws';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { hashOfEvent } from '#event-store/event-hash';
import { startWireCluster, type WireCluster } from '#event-store/wire-node/wire-cluster';
import { freshDatabase } from '#test/postgres/database';
import { onServers } from '#test/programs/on-servers';
import { Program } from '#test/programs/program';
import { waitUntil } from '#test/wait-until';
import { openEvents } from '#wiring/stores';
import { ownPort } from './own-port.ts';

/** An event store that can be taken away. */
export interface Server {
  readonly url: string;
  takeAway(): Promise<unknown>;
  bringBack(): Promise<unknown>;
  end(): Promise<unknown>;
}

/** A node as a program: it is stopped or killed, and started again, or frozen for a while. */
export async function nodeProgram(how: 'stopped' | 'killed' | 'frozen'): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-outages-'));
  const { port, release } = await ownPort();
  const start = async () => {
    const node = new Program('cli', [
      '--data',
      join(directory, 'data'),
      'serve-events',
      '--writable',
      '--port',
      String(port),
    ]);
    await node.says(/are served at/);
    return node;
  };
  let node = await start();
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    takeAway: async () => (how === 'stopped' ? node.stop() : how === 'killed' ? node.kill() : signal(node, 'SIGSTOP')),
    bringBack: async () => {
      if (how === 'frozen') signal(node, 'SIGCONT');
      else node = await start();
    },
    async end() {
      await node.kill();
      await release();
      rmSync(directory, { recursive: true });
    },
  };
}

const signal = (program: Program, name: NodeJS.Signals) => program.process.kill(name);

/** Three nodes in this process. The leader is deposed, the others elect another one after some seconds; then it joins them. */
export async function deposedLeader(): Promise<Server> {
  const ELECTION_MILLISECONDS = 5000;
  const store = await openEmbeddedStore();
  const cluster: WireCluster = await startWireCluster(store, 3);
  let leader = 0;
  return {
    url: cluster.connectionString,
    async takeAway() {
      await cluster.become(leader, 'deposed');
      await wait(ELECTION_MILLISECONDS);
      await cluster.become((leader + 1) % 3, 'leader');
    },
    async bringBack() {
      await cluster.become(leader, 'follower');
      leader = (leader + 1) % 3;
    },
    async end() {
      await cluster.close();
      await store.close();
    },
  };
}

const nothingBroken = Object.fromEntries(Object.keys(laws).map((law) => [law, 0]));
const LEAD_TYPE = 'exclusive-fresh';
const ORDERS = 10;

// biome-ignore lint/suspicious/noExplicitAny: a client looks into answers without our types
type Answer = any;

/** An API and two workers on one event store, and people who use them. */
export class Store {
  readonly #database: Awaited<ReturnType<typeof freshDatabase>>;
  readonly #server: Server;
  readonly programs: readonly Program[];
  readonly #accepted = new Set<string>();
  #longestMilliseconds = 0;
  #people = 0;

  private constructor(server: Server, database: Awaited<ReturnType<typeof freshDatabase>>) {
    this.#server = server;
    this.#database = database;
    this.programs = ['api' as const, 'worker' as const, 'worker' as const].map(
      (name) => new Program(name, ['--port', '0'], onServers(server.url, database.url)),
    );
  }

  /** Starts the programs. They may still wait for their server. */
  static async start(server: Server): Promise<Store> {
    return new Store(server, await freshDatabase());
  }

  /** Resolves when all programs serve, and there is an order that takes leads. */
  async isOpen(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.says(/ready: (\S+)|is ready/)));
    const customer = { storeId: 'main', businessAssociation: 'Business', timeZone: 'America/New_York' };
    const { customerId } = await this.#sendUntilAccepted('/api/customers', customer);
    const order = { customerId, leadTypeId: LEAD_TYPE, quantity: 1000, paymentToken: 'tok_ok' };
    for (let count = 0; count < ORDERS; count += 1) await this.#sendUntilAccepted('/api/orders', order);
  }

  get accepted(): number {
    return this.#accepted.size;
  }

  get longestMilliseconds(): number {
    return this.#longestMilliseconds;
  }

  /** Sends leads, some at once, until it is told to stop. */
  async receiveLeads(callers: number, isEnough: () => boolean): Promise<void> {
    const call = async () => {
      while (!isEnough()) {
        this.#people += 1;
        const contact = { telephone: `+1212${5_550_000 + this.#people}` };
        const { leadId } = await this.#sendUntilAccepted('/api/leads', {
          leadTypeId: LEAD_TYPE,
          source: 'page',
          contact,
        });
        this.#accepted.add(leadId);
      }
    };
    await Promise.all(Array.from({ length: callers }, call));
  }

  /** As a careful client does: with a key, and again after a 503. */
  async #sendUntilAccepted(path: string, body: unknown): Promise<Answer> {
    const url = (await (this.programs[0] as Program).says(/ready: (\S+)/))[1] as string;
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    for (;;) {
      const begun = performance.now();
      const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      this.#longestMilliseconds = Math.max(this.#longestMilliseconds, performance.now() - begun);
      const answer = (await response.json()) as Answer;
      if (response.ok) return answer;
      if (response.status !== 503) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
      await wait(200);
    }
  }

  /** Every lead that was accepted is delivered once, every law holds, and all programs are healthy. */
  async isWhole(): Promise<void> {
    const events = await openEvents({ eventStoreDb: this.#server.url });
    try {
      const delivered = async () => {
        const streams: string[] = [];
        for await (const { stream } of events.readAll({ filter: { types: ['LeadAssigned'] } })) streams.push(stream);
        return streams;
      };
      await waitUntil(async () => (await delivered()).length >= this.accepted);
      const streams = await delivered();
      expect(streams.length).toBe(new Set(streams).size);
      expect([...this.#accepted].filter((leadId) => !streams.some((stream) => stream.endsWith(leadId)))).toEqual([]);
      expect((await checkLaws(events, { hashOf: hashOfEvent })).laws).toEqual(nothingBroken);
    } finally {
      await events.close();
    }
    expect(this.programs.filter(({ process }) => process.exitCode !== null).map(({ stderr }) => stderr)).toEqual([]);
    const url = (await (this.programs[0] as Program).says(/ready: (\S+)/))[1] as string;
    await waitUntil(async () => ((await (await fetch(`${url}/health`)).json()) as Answer).ok);
  }

  async end(): Promise<void> {
    for (const program of this.programs) await program.kill();
    await this.#database.drop();
  }
}

const CALLERS = 8;
const LEADS_ON_EACH_SIDE = 50;

/** An outage while leads arrive. They arrive again afterwards, and nothing is lost or doubled. */
export async function underLoad(store: Store, outage: () => Promise<unknown>): Promise<void> {
  let over = false;
  const receiving = store.receiveLeads(CALLERS, () => over);
  await Promise.race([waitUntil(() => store.accepted >= LEADS_ON_EACH_SIDE), receiving]);
  await outage();
  const soFar = store.accepted;
  await Promise.race([waitUntil(() => store.accepted >= soFar + LEADS_ON_EACH_SIDE), receiving]);
  over = true;
  await receiving;
  await store.isWhole();
}
