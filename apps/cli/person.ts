import { randomUUID } from 'node:crypto';
import { trialCaller } from '#domain/kernel/caller';
import { REASON, REASON_FORM } from '#domain/kernel/text';
import { directoryHolder } from '#event-store/data-directory';
import { type NamedPerson, namedPerson } from '#requests/named-person';
import type { RequestContext } from '#requests/request-tools';
import { openStores, type StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { printJson, printLines } from './print.ts';
import { type RunningStore, runStore } from './running-store.ts';

interface PersonOptions extends NamedPerson {
  /** Why. It is recorded, sealed; for an export, only where the person is a customer. */
  readonly reason: string;
}

type Act = 'exports' | 'erasures';

/** As an operator at this machine. There is no sign-in yet. */
const ACTOR = 'staff:local';

/** Prints all that is held about a person, as JSON. @throws CommandFailed, CannotOpenStore */
export async function exportPerson(location: StoreLocation, { reason, ...person }: PersonOptions): Promise<void> {
  printJson((await act(location, 'exports', person, reason)) as object);
}

/** Erases a person, and ends what the person still had. @throws CommandFailed, CannotOpenStore */
export async function erasePerson(location: StoreLocation, { reason, ...person }: PersonOptions): Promise<void> {
  const { customers, leads } = (await act(location, 'erasures', person, reason)) as Record<string, number>;
  printLines(`erased: ${customers} as customer, ${leads} as lead`);
}

const optionOf: Readonly<Record<string, string>> = { customerId: '--customer', leadId: '--lead' };

/** What the API would refuse is refused before the store is opened. @throws CommandFailed */
function mustBeValid(person: NamedPerson, reason: string): void {
  if (Object.values(person).filter((value) => value !== undefined).length !== 1)
    throw new CommandFailed('name the person by one of --customer, --lead, --telephone, --email');
  const [issue] = namedPerson.safeParse(person).error?.issues ?? [];
  const name = String(issue?.path[0]);
  if (issue) throw new CommandFailed(`${optionOf[name] ?? `--${name}`} ${issue.message}`);
  if (!REASON.test(reason)) throw new CommandFailed(`--reason must be ${REASON_FORM}`);
}

/** In this program, or in the one that has the data directory open. */
function act(location: StoreLocation, what: Act, person: NamedPerson, reason: string): Promise<unknown> {
  mustBeValid(person, reason);
  const url = location.directory === undefined ? undefined : directoryHolder(location.directory)?.url;
  return url === undefined ? actHere(location, what, person, reason) : actThere(url, what, person, reason);
}

async function actHere(location: StoreLocation, what: Act, person: NamedPerson, reason: string): Promise<unknown> {
  const stores = await openStores({ ...location, mustExist: true });
  const works = stores.directory !== undefined;
  const store = await runStore(stores, { works, prepare: false });
  try {
    const context: RequestContext = { caller: trialCaller(ACTOR), commandId: randomUUID(), reason };
    const result = await store.untilDone(doing(store, what, context, person));
    // A store on servers has workers, which end what the person still had.
    if (works && what === 'erasures') await store.untilDone(store.engine.settle());
    return result;
  } finally {
    await store.close();
  }
}

const doing = (
  { queries, operations }: RunningStore,
  what: Act,
  context: RequestContext,
  person: NamedPerson,
): Promise<unknown> =>
  what === 'exports' ? queries.persons.export(context, person) : operations.erasePerson(context, person);

async function actThere(url: string, what: Act, person: NamedPerson, reason: string): Promise<unknown> {
  const response = await fetch(`${url}/api/persons/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'leadger-actor': ACTOR, 'leadger-reason': inHeader(reason) },
    body: JSON.stringify({ person }),
  }).catch((error: Error) => {
    throw new CommandFailed(`${url} cannot be reached: ${error.message}`);
  });
  if (!response.ok) throw new CommandFailed(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** A header has bytes: those of UTF-8, each as one character. */
const inHeader = (text: string): string => Buffer.from(text).toString('latin1');
