import type { EventStoreDBClient } from '@eventstore/db-client';
import type { OutageCount } from '#domain/kernel/outages';
import type { Host, ServerAddress } from './connection-string.ts';
import { nameOf } from './election.ts';
import { CannotConnect } from './failures.ts';
import { guardedClient } from './guarded-client.ts';
import { Hosts } from './hosts.ts';
import { OutageLog } from './outage-log.ts';

/** Appends have a connection of their own: a server serves at most 100 calls of one, and reads and subscriptions are many. */
const purposes = ['reads', 'appends'] as const;
type Purpose = (typeof purposes)[number];
type Clients = Readonly<Record<Purpose, EventStoreDBClient>>;

const LOOK_AROUND_EVERY_MILLISECONDS = 3000;

/** The clients for the node in use, and the search for another one. */
export class NodeLink {
  readonly #address: ServerAddress;
  readonly #hosts: Hosts;
  readonly #log: (line: string) => void;
  readonly #outage: OutageLog;
  #node: Host | undefined;
  #clients: Clients | undefined;
  #searching: Promise<Host | undefined> | undefined;
  readonly #patrol: NodeJS.Timeout;
  #isClosed = false;
  #breaks = 0;

  constructor(address: ServerAddress, log: (line: string) => void, outages: OutageCount) {
    this.#address = address;
    this.#log = log;
    this.#outage = new OutageLog(log, outages);
    this.#hosts = new Hosts(address);
    // A node that was cut off from the others still answers reads, and its subscriptions just stay silent; so do those of a
    // node that is frozen. A program that has nothing to ask must notice that it is away, and that it is back.
    this.#patrol = setInterval(() => void this.search().catch(() => {}), LOOK_AROUND_EVERY_MILLISECONDS).unref();
  }

  /** How often a connection broke: what is found over the next one may be another log. */
  get breaks(): number {
    return this.#breaks;
  }

  get reads(): EventStoreDBClient {
    return this.#current.reads;
  }

  get appends(): EventStoreDBClient {
    return this.#current.appends;
  }

  /** The name of the node in use; undefined before one was found. */
  get nodeName(): string | undefined {
    return this.#node && nameOf(this.#node);
  }

  /** Why no node was found the last time. */
  get reasons(): string {
    return this.#hosts.reasons;
  }

  /** Resolves when no search is under way. */
  async searched(): Promise<void> {
    await this.#searching;
  }

  /**
   * Asks the hosts which node to use, and moves there. Calls of before then fail.
   * @returns the node; undefined when there is none now
   * @throws CannotConnect when none was ever found, and waiting is of no use
   */
  search(): Promise<Host | undefined> {
    this.#searching ??= this.#search().finally(() => {
      this.#searching = undefined;
    });
    return this.#searching;
  }

  async #search(): Promise<Host | undefined> {
    const node = await this.#hosts.find(this.#node);
    if (this.#isClosed) return node;
    if (node) {
      this.#outage.isBack();
      this.moveTo(node);
    } else if (!this.#node && this.#hosts.isHopeless)
      throw new CannotConnect(`the event store cannot be used: ${this.#hosts.reasons}`);
    else this.#outage.away(this.#hosts.reasons);
    return node;
  }

  moveTo(node: Host): void {
    if (this.#isClosed || (this.#node && nameOf(this.#node) === nameOf(node))) return;
    const former = this.#clients;
    this.#node = node;
    this.#clients = { reads: this.#client(), appends: this.#client() };
    if (!former) return;
    this.#breaks += 1;
    this.#log(`the event store is used at ${nameOf(node)} from now on`);
    for (const purpose of purposes) void close(former[purpose]);
  }

  /** After an append that was not answered: finds the node that leads, and connects anew also where it is the same. */
  async renew(unanswered: EventStoreDBClient): Promise<Host | undefined> {
    const node = await this.search();
    if (!node || this.#isClosed || this.#clients?.appends !== unanswered) return node;
    this.#clients = { ...this.#clients, appends: this.#client() };
    void close(unanswered);
    return node;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#outage.stop();
    clearInterval(this.#patrol);
    await this.#searching?.catch(() => {});
    const clients = this.#clients;
    if (clients) await Promise.all(purposes.map((purpose) => close(clients[purpose])));
  }

  get #current(): Clients {
    if (!this.#clients) throw new Error('a client is made only for a node that was found');
    return this.#clients;
  }

  #client = (): EventStoreDBClient =>
    guardedClient(this.#node as Host, this.#address, () => {
      this.#breaks += 1;
    });
}

/** Disposing a client ends its calls but leaves its connection open. */
async function close(client: EventStoreDBClient): Promise<void> {
  await client.dispose();
  const { getChannel } = client as unknown as { getChannel(): Promise<{ close(): void }> };
  (await getChannel().catch(() => undefined))?.close();
}
