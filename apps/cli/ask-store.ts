import { randomUUID } from 'node:crypto';
import { trialCaller } from '#domain/kernel/caller';
import { isReason, normalText, REASON_FORM } from '#domain/kernel/text';
import { directoryHolder } from '#event-store/data-directory';
import type { RequestContext } from '#requests/request-tools';
import { openStores, type StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { askServer } from './running-server.ts';
import { type RunningStore, runStore } from './running-store.ts';
import { activitiesOfCommand } from './telling.ts';

/** What a command of the CLI asks of a store: over HTTP where a program runs it, else in this program. */
interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly reason?: string;
  /** What to do instead, once the store has members of staff. Default: to send the key of a program. */
  readonly afterTrial?: string;
  readonly here: (store: RunningStore, context: RequestContext) => Promise<unknown>;
  /** Whether the processes first do what is due, for example after the store stood still. */
  readonly catchesUp?: boolean;
  /** Whether the processes carry out what follows, before the command ends. */
  readonly settles?: boolean;
}

/** As an operator at this machine. */
const ACTOR = 'staff:local';

const READ_MODELS_MILLISECONDS = 600_000;

/** @throws CommandFailed, CannotOpenStore */
export function askStore(location: StoreLocation, question: Question): Promise<unknown> {
  const asked = { ...question, ...reasonIn(question) };
  const { directory } = location;
  const url = directory === undefined ? undefined : directoryHolder(directory)?.url;
  return directory === undefined || url === undefined ? askHere(location, asked) : askThere(url, directory, asked);
}

/** @throws CommandFailed */
function reasonIn({ reason }: Question): Pick<Question, 'reason'> {
  if (reason === undefined) return {};
  if (!isReason(reason)) throw new CommandFailed(`--reason must be ${REASON_FORM}`);
  return { reason: normalText(reason) };
}

async function askHere(location: StoreLocation, question: Question): Promise<unknown> {
  const { here, reason, catchesUp = false, settles = false } = question;
  const stores = await openStores({ ...location, mustExist: true, ...activitiesOfCommand() });
  // A store on servers has workers, which do what follows.
  const works = stores.directory !== undefined;
  const store = await runStore(stores, { works, callsOutside: false, prepare: false });
  try {
    const context = {
      caller: trialCaller(ACTOR, 'cli'),
      commandId: randomUUID(),
      ...(reason !== undefined && { reason }),
    };
    if (works && catchesUp) {
      await store.untilDone(store.engine.settle());
      await store.untilDone(stores.readModels.waitFor(await stores.events.head(), READ_MODELS_MILLISECONDS));
    }
    const answer = await store.untilDone(here(store, context));
    if (works && settles) await store.untilDone(store.engine.settle());
    return answer;
  } finally {
    await store.close();
  }
}

const askThere = (
  url: string,
  directory: string,
  { method, path, body, reason, afterTrial }: Question,
): Promise<unknown> =>
  askServer(
    { url, directory, actor: ACTOR },
    {
      method,
      path,
      headers: {
        ...(reason !== undefined && { 'leadger-reason': inHeader(reason) }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(afterTrial !== undefined && { afterTrial }),
    },
  );

/** A header has bytes: those of UTF-8, each as one character. */
const inHeader = (text: string): string => Buffer.from(text).toString('latin1');
