import { parseArgs } from 'node:util';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { withoutPasswords } from '#domain/kernel/connection-string';
import { messageWithoutValues } from '#domain/kernel/error-texts';
import { startLeadger } from '#wiring/start';
import type { StoreLocation } from '#wiring/stores';
import { messageOf } from './message-of.ts';
import { checkEnvironment, mustNotBeEmpty, UsageError } from './settings.ts';

interface ProgramOptions extends StoreLocation {
  readonly port: number;
  readonly host: string;
}

/** All requests are anonymous until there is sign-in, so only this machine may connect by default. */
const LOOPBACK = '127.0.0.1';
const HIGHEST_PORT = 65_535;

const known = {
  data: { type: 'string' },
  events: { type: 'string' },
  database: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
} as const;

/**
 * Reads the options of a program from the command line, or from the environment if they are not there.
 * @throws UsageError for any setting that cannot be right, whether this program needs it or not
 */
export function readOptions(usage: string, takes: readonly (keyof typeof known)[]): ProgramOptions {
  const options = Object.fromEntries(takes.map((name) => [name, known[name]]));
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
  const given = values as Partial<Record<keyof typeof known, string>> & { help?: boolean };
  if (given.help) {
    console.log(usage);
    process.exit(0);
  }
  checkEnvironment();
  for (const name of takes) mustNotBeEmpty(`--${name}`, given[name]);
  const { env } = process;
  return {
    directory: takes.includes('data') ? (given.data ?? env.LEADGER_DATA ?? './data') : undefined,
    eventStoreDb: given.events ?? env.LEADGER_EVENTS,
    databaseUrl: given.database ?? env.DATABASE_URL,
    port: portOf(given.port ?? env.PORT ?? '3000'),
    host: (takes.includes('host') ? (given.host ?? env.HOST) : undefined) ?? LOOPBACK,
  };
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > HIGHEST_PORT) throw new UsageError(`${text} is not a port`);
  return Number(text);
}

/** The stores that several machines share have no default. @throws UsageError when one is missing */
export function onServers({ eventStoreDb, databaseUrl }: ProgramOptions): {
  eventStoreDb: string;
  databaseUrl: string;
} {
  if (!eventStoreDb) throw new UsageError('no event store: give --events esdb://… or LEADGER_EVENTS');
  if (!databaseUrl) throw new UsageError('no database: give --database postgres://… or DATABASE_URL');
  return { eventStoreDb, databaseUrl };
}

/** After this time without a renewal, other workers take over the leases of a worker. @throws UsageError */
export const leaseTermMilliseconds = (): number => millisecondsIn('LEADGER_LEASE_SECONDS', 15);

/** How long a command waits for an event store that is away, from the arrival of its request. @throws UsageError */
export const commandMilliseconds = (): number => millisecondsIn('LEADGER_COMMAND_SECONDS', 10);

function millisecondsIn(variable: string, usualSeconds: number): number {
  const written = process.env[variable];
  const seconds = written === undefined ? usualSeconds : Number(written);
  if (!(seconds >= 1 && seconds <= 3600)) throw new UsageError(`${variable}: ${written} is not 1 to 3600`);
  return seconds * 1000;
}

/** The most change feeds that a program serves at a time; undefined: its default. @throws UsageError */
export function mostFeeds(): { mostFeeds?: number } {
  const written = process.env.LEADGER_MOST_FEEDS;
  if (written === undefined) return {};
  if (!/^\d{1,6}$/.test(written)) throw new UsageError(`LEADGER_MOST_FEEDS: ${written} is not 0 to 999999`);
  return { mostFeeds: Number(written) };
}

/** Runs an application until a signal stops it or it fails. @returns its URL; undefined when it could not start */
export async function serve(
  application: NestFastifyApplication,
  { port, host }: ProgramOptions,
  { works = true }: { works?: boolean } = {},
): Promise<string | undefined> {
  const stop = stopOnce(async () => application.close());
  process.once('SIGINT', () => stop(0));
  process.once('SIGTERM', () => stop(0));
  try {
    if (works) {
      const { running } = await startLeadger(application);
      running.catch((error) => stop(1, withoutPasswords(`the processes stopped: ${messageWithoutValues(error)}`)));
    }
    // Not Nest's own `listen`: that logs the error, which is then printed twice.
    await application.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    await stop(1, messageFor(error));
    return undefined;
  }
  if (host !== LOOPBACK) console.warn(warningOf(host));
  return `http://${host}:${(application.getHttpServer().address() as { port: number }).port}`;
}

const warningOf = (host: string): string =>
  `leadger: listening on ${host}, but there is no sign-in yet: make it reachable only for people you trust`;

/** The first call stops the program. Later calls wait for the same end. */
function stopOnce(close: () => Promise<void>) {
  let stopping: Promise<void> | undefined;
  return (exitCode: number, reason?: string): Promise<void> => {
    stopping ??= (async () => {
      if (reason) console.error(`leadger: ${reason}`);
      try {
        await close();
        process.exit(exitCode);
      } catch (error) {
        console.error(`leadger: stopping failed: ${messageFor(error)}`);
        process.exit(1);
      }
    })();
    return stopping;
  };
}

const messageFor = (error: unknown): string => withoutPasswords(whatFailed(error));

function whatFailed(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is in use: choose another with --port or PORT`;
  if (code === 'EACCES' && port !== undefined) return `port ${port} may not be used by this user`;
  return messageOf(error);
}

/** Runs a program. An error before it serves is printed in one line. */
export function main(program: () => Promise<void>): void {
  program().catch((error) => {
    console.error(`leadger: ${messageFor(error)}`);
    process.exit(1);
  });
}
