import type { Activities } from '#domain/kernel/activities';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { directoryHolder } from '#event-store/data-directory';
import type { Outcome } from '#requests/command-handler';
import { lostRows } from '#requests/lead-files/counts';
import type { ReceiveLeadRequest } from '#requests/lead-receipt';
import { openStores, type StoreLocation, type Stores } from '#wiring/stores';
import { CommandFailed } from '../command-failed.ts';
import { printError } from '../print.ts';
import { type RunningStore, runStore } from '../running-store.ts';

/** Whether a lead is new, or of a person whom another lead has (DLV-11), or why it was rejected. */
export type Result = 'new' | 'known' | 'duplicate' | { readonly reason: string };

/** Receives leads into a store. */
export interface Intake {
  /** @returns one result per lead, in the order given */
  receive(leads: readonly ReceiveLeadRequest[]): Promise<readonly Result[]>;
  /** Waits until the leads are distributed and readable, if that happens in this program. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the store, or sends the leads to the program that has its data directory open. @throws CannotOpenStore */
export async function openIntake(location: StoreLocation, activities: Activities): Promise<Intake> {
  const url = location.directory === undefined ? undefined : directoryHolder(location.directory)?.url;
  if (url === undefined) return StoreIntake.open(location, activities);
  printError(`leadger: the store is running at ${url}: the leads are sent there`);
  return new HttpIntake(url);
}

const importer = trialCaller('system:import', 'cli');
const READABLE_WITHIN_MILLISECONDS = 60_000;

/** Receives leads in this program. */
class StoreIntake implements Intake {
  readonly #stores: Stores;
  readonly #store: RunningStore;
  readonly #context = { caller: importer, commandId: deriveId('import', crypto.randomUUID()) };

  private constructor(stores: Stores, store: RunningStore) {
    this.#stores = stores;
    this.#store = store;
  }

  static async open(location: StoreLocation, activities: Activities): Promise<Intake> {
    const stores = await openStores({ ...location, activities });
    return new StoreIntake(stores, await runStore(stores, { works: distributesHere(stores), callsOutside: false }));
  }

  async receive(leads: readonly ReceiveLeadRequest[]): Promise<readonly Result[]> {
    const answers = await this.#store.untilDone(this.#store.requests.leads.receive(leads, this.#context));
    return answers.map(({ outcome }) => resultOf(outcome));
  }

  async finish(): Promise<void> {
    if (!distributesHere(this.#stores)) return;
    await this.#store.untilDone(this.#store.engine.settle());
    const { events, readModels } = this.#stores;
    await readModels.waitFor(await events.head(), READABLE_WITHIN_MILLISECONDS);
  }

  close = (): Promise<void> => this.#store.close();
}

/** A store on servers has workers, which distribute the leads. */
const distributesHere = ({ directory }: Stores): boolean => directory !== undefined;

function resultOf(outcome: Outcome): Result {
  if (outcome.kind === 'accepted') {
    if (outcome.events.length === 0 || outcome.repeated) return 'known';
    return outcome.events.some(({ type }) => type === 'DuplicateReceived') ? 'duplicate' : 'new';
  }
  return { reason: outcome.kind === 'refused' ? outcome.refusal.message : outcome.kind };
}

/** What we read of the API's answer to a file of leads. */
interface BatchReport {
  readonly received: number;
  readonly rejected: number;
  readonly known: number;
  readonly duplicates: number;
  readonly rejections: readonly { line: number; reason: string }[];
}

/** Sends leads to a running program, which distributes them. */
class HttpIntake implements Intake {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async receive(leads: readonly ReceiveLeadRequest[]): Promise<readonly Result[]> {
    const report = await this.#send(leads.map((lead) => `${JSON.stringify(lead)}\n`).join(''));
    const { received: taken, known, duplicates: duplicate, rejected } = report;
    const lost = lostRows({ rows: leads.length, taken, known, duplicate, rejected });
    if (lost) throw new CommandFailed(lost);
    return resultsOf(report, leads.length);
  }

  async #send(body: string): Promise<BatchReport> {
    const response = await fetch(`${this.#url}/api/leads/batches`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'leadger-actor': importer.actor },
      body,
    }).catch((error: Error) => {
      throw new CommandFailed(`${this.#url} cannot be reached: ${error.message}`);
    });
    if (!response.ok) throw new CommandFailed(`${this.#url} answered ${response.status}: ${await response.text()}`);
    return response.json() as Promise<BatchReport>;
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {}
}

/** The report counts the leads but does not name them. Only the numbers matter here, so the first ones stand for them. */
function resultsOf({ known, duplicates, rejections }: BatchReport, count: number): readonly Result[] {
  const reasons = new Map(rejections.map(({ line, reason }) => [line, reason]));
  const left: Result[] = [...Array(known).fill('known'), ...Array(duplicates).fill('duplicate')];
  return Array.from({ length: count }, (_, index): Result => {
    const reason = reasons.get(index + 1);
    return reason === undefined ? (left.pop() ?? 'new') : { reason };
  });
}
