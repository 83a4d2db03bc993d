// The readers of feeds, in a process of their own: what they use is not the program's. They are told to connect, to cut all
// connections, to check what they got, and to end.
import { type ClientRequest, get } from 'node:http';
import { setPriority } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

export type FeedsOrder =
  | { readonly kind: 'connect'; readonly customerIds: readonly string[]; readonly staff: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'check'; readonly atLeast: number }
  | { readonly kind: 'end' };

/** Readers have machines of their own. Here they leave the processors to the others. */
const LESS_URGENT = 5;

const [url] = process.argv.slice(2);
setPriority(LESS_URGENT);
let customers: readonly BenchFeed[] = [];
let staff: readonly BenchFeed[] = [];

/** One feed that comes back whenever it is cut, with the last id that it received. */
class BenchFeed {
  readonly #actor: string;
  readonly changes: { readonly id: string; readonly customerId: string }[] = [];
  #lastId: string | undefined;
  #open: ClientRequest | undefined;
  #over = false;
  refusals = 0;
  ready = Promise.withResolvers<void>();

  constructor(actor: string) {
    this.#actor = actor;
  }

  get customerId(): string {
    return this.#actor.replace('customer:', '');
  }

  connect(): void {
    const headers = { 'leadger-actor': this.#actor, ...(this.#lastId && { 'last-event-id': this.#lastId }) };
    const again = () => {
      if (this.#over) return;
      this.refusals += 1;
      setTimeout(() => this.connect(), 200);
    };
    this.#open = get(`${url}/api/feed?kind=order`, { headers, agent: false }, (reply) => {
      if (reply.statusCode !== 200) {
        reply.resume();
        return again();
      }
      let text = '';
      reply.setEncoding('utf8').on('data', (part: string) => {
        const whole = (text + part).split('\n\n');
        text = whole.pop() as string;
        for (const one of whole) this.#take(one);
      });
      reply.on('close', again);
      reply.on('error', () => {});
    }).on('error', again);
  }

  #take(message: string): void {
    const id = /^id: (.*)$/m.exec(message)?.[1];
    if (id === undefined) return;
    this.ready.resolve();
    if (message.includes('event: change')) {
      const last = this.changes.at(-1);
      if (last && id <= last.id) throw new Error(`${this.#actor} got ${id} after ${last.id}`);
      this.changes.push({ id, customerId: /"customerId":"([^"]+)"/.exec(message)?.[1] as string });
    }
    this.#lastId = id;
  }

  /** The connection breaks. */
  cut(): void {
    this.ready = Promise.withResolvers();
    this.#open?.destroy();
  }

  end(): void {
    this.#over = true;
    this.#open?.destroy();
  }
}

const allReady = () => Promise.all([...customers, ...staff].map(({ ready }) => ready.promise));

/** @returns what is told when it is done */
async function carryOut(order: FeedsOrder): Promise<string> {
  switch (order.kind) {
    case 'connect':
      customers = order.customerIds.map((customerId) => new BenchFeed(`customer:${customerId}`));
      staff = Array.from({ length: order.staff }, (_, number) => new BenchFeed(`staff:s${number}`));
      for (const feed of [...customers, ...staff]) feed.connect();
      await allReady();
      return 'all connected';
    case 'cut':
      for (const feed of [...customers, ...staff]) feed.cut();
      await allReady();
      return 'all back';
    case 'check':
      return check(order.atLeast);
    case 'end':
      for (const feed of [...customers, ...staff]) feed.end();
      return 'ended';
  }
}

async function check(atLeast: number): Promise<string> {
  const log = await complete(atLeast);
  const own = Map.groupBy(log, ({ customerId }) => customerId);
  for (const feed of customers) {
    const expected = own.get(feed.customerId)?.map(({ id }) => id) ?? [];
    const deadline = performance.now() + 60_000;
    while (feed.changes.length < expected.length && performance.now() < deadline) await wait(50);
    // It may have connected earlier than the first of the staff.
    const got = feed.changes.map(({ id }) => id).filter((id) => id >= (log[0]?.id as string));
    if (got.join() !== expected.join()) throw new Error(`the feed of ${feed.customerId} got ${got}, not ${expected}`);
  }
  const refusals = [...customers, ...staff].reduce((sum, feed) => sum + feed.refusals, 0);
  return `every feed got each of its changes once, in order: ${log.length} changes, ${refusals} connections again`;
}

/** Waits until all staff have all changes, and compares them. @returns the changes that all of them got */
async function complete(atLeast: number) {
  const deadline = performance.now() + 60_000;
  const lastOf = ({ changes }: BenchFeed) => changes.at(-1)?.id;
  const isComplete = () =>
    staff.every((feed) => feed.changes.length >= atLeast && lastOf(feed) === lastOf(staff[0] as BenchFeed));
  while (!isComplete() && performance.now() < deadline) await wait(100);
  const first = staff
    .map(({ changes }) => changes[0]?.id as string)
    .toSorted()
    .at(-1) as string;
  const lists = staff.map(({ changes }) => changes.filter(({ id }) => id >= first));
  const [log = []] = lists;
  for (const list of lists)
    if (list.map(({ id }) => id).join() !== log.map(({ id }) => id).join())
      throw new Error('staff got different changes');
  if (log.length < atLeast) throw new Error(`staff got ${log.length} changes of ${atLeast}`);
  return log;
}

process.on('message', async (order: FeedsOrder) => process.send?.(await carryOut(order)));
process.once('disconnect', () => process.exit(0));
process.send?.('ready');
