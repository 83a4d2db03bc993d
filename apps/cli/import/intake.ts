import { type Caller, trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { directoryHolder } from '#event-store/data-directory';
import { lostRows } from '#requests/lead-files/counts';
import { openStores, type StoreLocation, type Stores } from '#wiring/stores';
import { CommandFailed } from '../command-failed.ts';
import { printError } from '../print.ts';
import { askServer } from '../running-server.ts';
import { type RunningStore, runStore } from '../running-store.ts';
import { activitiesOfCommand } from '../telling.ts';

/** What becomes of a row that can be read. `duplicate`: another lead has the person (DLV-11). */
export const outcomes = ['new', 'known', 'duplicate'] as const;
export type Counts = Readonly<Record<(typeof outcomes)[number], number>>;

/** What became of a row, or why it was rejected. */
export type Result = keyof Counts | { readonly reason: string };

/** What the API says of a file. */
export interface Report {
  readonly counts: Counts;
  readonly rejected: number;
  readonly rejections: readonly { readonly line: number; readonly reason: string }[];
}

interface ImportContext {
  readonly caller: Caller;
  readonly commandId: string;
}

/** What is imported: leads, or persons who are not sold. */
export interface Imported<Item> {
  /** Of them, in words. */
  readonly name: string;
  /** The route that takes a file of them, one in a line. */
  readonly path: string;
  /** As whom they are imported: who may bring them. */
  readonly actor: string;
  /** @returns one result for each, in the order given */
  readonly receive: (
    requests: RunningStore['requests'],
    items: readonly Item[],
    context: ImportContext,
  ) => Promise<readonly Result[]>;
  readonly reportIn: (answer: unknown) => Report;
}

/** Receives rows into a store. */
export interface Intake<Item> {
  /** @returns one result for each, in the order given */
  receive(items: readonly Item[]): Promise<readonly Result[]>;
  /** Waits until what follows is done, and readable, if that happens in this program. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the store, or sends the rows to the program that has its data directory open. @throws CannotOpenStore */
export async function openIntake<Item>(location: StoreLocation, imported: Imported<Item>): Promise<Intake<Item>> {
  const { directory } = location;
  const url = directory === undefined ? undefined : directoryHolder(directory)?.url;
  if (directory === undefined || url === undefined) return StoreIntake.open(location, imported);
  printError(`leadger: the store is running at ${url}: the ${imported.name} are sent there`);
  return new HttpIntake({ url, directory, actor: imported.actor }, imported);
}

const READABLE_WITHIN_MILLISECONDS = 60_000;

/** Receives rows in this program. */
class StoreIntake<Item> implements Intake<Item> {
  readonly #stores: Stores;
  readonly #store: RunningStore;
  readonly #imported: Imported<Item>;
  readonly #context: ImportContext;

  private constructor(stores: Stores, store: RunningStore, imported: Imported<Item>) {
    this.#stores = stores;
    this.#store = store;
    this.#imported = imported;
    const caller = trialCaller(imported.actor, 'cli');
    this.#context = { caller, commandId: deriveId('import', crypto.randomUUID()) };
  }

  static async open<Item>(location: StoreLocation, imported: Imported<Item>): Promise<StoreIntake<Item>> {
    const stores = await openStores({ ...location, ...activitiesOfCommand() });
    const store = await runStore(stores, { works: worksHere(stores), callsOutside: false });
    return new StoreIntake(stores, store, imported);
  }

  receive(items: readonly Item[]): Promise<readonly Result[]> {
    return this.#store.untilDone(this.#imported.receive(this.#store.requests, items, this.#context));
  }

  async finish(): Promise<void> {
    if (!worksHere(this.#stores)) return;
    await this.#store.untilDone(this.#store.engine.settle());
    const { events, readModels } = this.#stores;
    await readModels.waitFor(await events.head(), READABLE_WITHIN_MILLISECONDS);
  }

  close = (): Promise<void> => this.#store.close();
}

/** A store on servers has workers, which do what follows. */
const worksHere = ({ directory }: Stores): boolean => directory !== undefined;

/** Sends rows to a running program, which does what follows. */
class HttpIntake<Item> implements Intake<Item> {
  readonly #server: Parameters<typeof askServer>[0];
  readonly #imported: Imported<Item>;

  constructor(server: Parameters<typeof askServer>[0], imported: Imported<Item>) {
    this.#server = server;
    this.#imported = imported;
  }

  async receive(items: readonly Item[]): Promise<readonly Result[]> {
    const answer = await this.#send(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
    const report = this.#imported.reportIn(answer);
    const { counts, rejected } = report;
    const lost = lostRows({ rows: items.length, taken: counts.new, ...counts, rejected });
    if (lost) throw new CommandFailed(lost);
    return resultsOf(report, items.length);
  }

  #send(body: string): Promise<unknown> {
    const headers = { 'content-type': 'application/x-ndjson' };
    return askServer(this.#server, { method: 'POST', path: this.#imported.path, headers, body });
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {}
}

/** The report counts the rows but does not name them. Only the numbers matter here, so the first ones stand for them. */
function resultsOf({ counts: { known, duplicate }, rejections }: Report, count: number): readonly Result[] {
  const reasons = new Map(rejections.map(({ line, reason }) => [line, reason]));
  const left: Result[] = [...Array(known).fill('known'), ...Array(duplicate).fill('duplicate')];
  return Array.from({ length: count }, (_, index): Result => {
    const reason = reasons.get(index + 1);
    return reason === undefined ? (left.pop() ?? 'new') : { reason };
  });
}
