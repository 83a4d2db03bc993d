import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ProcessEngine } from '#processes/engine/engine';
import type { Operations } from '#requests/operations';
import type { Queries } from '#requests/queries';
import type { Requests } from '#requests/requests';
import { LeadgerModule } from '#wiring/leadger.module';
import { startLeadger } from '#wiring/start';
import type { Stores } from '#wiring/stores';
import { OPERATIONS, QUERIES, REQUESTS } from '#wiring/tokens';
import { CommandFailed } from './command-failed.ts';

type ModuleOptions = Parameters<typeof LeadgerModule.on>[1];
type Options = ModuleOptions & {
  /** Whether a new store gets its first policy and catalogue; default: true. */
  readonly prepare?: boolean;
};

/** A store that runs inside a command of the CLI, without HTTP. Closing it closes its stores too. */
export interface RunningStore {
  readonly requests: Requests;
  readonly queries: Queries;
  readonly operations: Operations;
  /** @throws when its processes run in other programs */
  readonly engine: ProcessEngine;
  /** Waits for some work. @throws CommandFailed when the processes stop before it is done */
  untilDone<Result>(work: Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Runs a store on stores that are open already. If that fails, they are closed. */
export async function runStore(stores: Stores, { prepare = true, ...options }: Options = {}): Promise<RunningStore> {
  const application = await applicationOn(stores, options);
  const close = () => application.close();
  const { running } = await startLeadger(application, { prepare }).catch(async (error) => {
    await close();
    throw error;
  });
  const stopped = rejectsWhenStopped(running, options.works);
  return {
    requests: application.get<Requests>(REQUESTS),
    queries: application.get<Queries>(QUERIES),
    operations: application.get<Operations>(OPERATIONS),
    get engine() {
      return application.get(ProcessEngine);
    },
    untilDone: (work) => Promise.race([work, stopped]),
    close,
  };
}

async function applicationOn(stores: Stores, options: ModuleOptions): Promise<INestApplicationContext> {
  try {
    const module = LeadgerModule.on(stores, options);
    return await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'], abortOnError: false });
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** When the processes run in other programs, nothing runs here that could stop. */
function rejectsWhenStopped(running: Promise<void>, works = true): Promise<never> {
  const stopped = running.then((): Promise<never> => {
    if (works) throw new CommandFailed('the processes stopped');
    return new Promise(() => {});
  });
  stopped.catch(() => {});
  return stopped;
}
