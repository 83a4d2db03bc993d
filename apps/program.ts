import { parseArgs } from 'node:util';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { withoutPasswords } from '#domain/kernel/connection-string';
import { messageWithoutValues } from '#domain/kernel/error-texts';
import { startLeadger } from '#wiring/start';
import type { StoreLocation } from '#wiring/stores';
import type { SettingName } from './configuration.ts';
import { messageOf } from './message-of.ts';
import { listIn, membersOf, THIS_MACHINE } from './networks.ts';
import { isPort } from './setting-shapes.ts';
import { checkEnvironment, mustNotBeEmpty, numberIn, settingIn, UsageError } from './settings.ts';
import type { Telling } from './telling.ts';
import { onItsLines, onOneLine } from './terminal-text.ts';
import { WEAK, weakSecretsIn } from './weak-secrets.ts';

interface ProgramOptions extends StoreLocation {
  readonly port: number;
  readonly host: string;
}

/** All requests are anonymous until there is sign-in, so only this machine may connect by default. */
const LOOPBACK = '127.0.0.1';

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
  const host = (takes.includes('host') ? (given.host ?? settingIn('HOST')) : undefined) ?? LOOPBACK;
  if (!isLoopback(host)) refuseWeakSecrets();
  return {
    directory: takes.includes('data') ? (given.data ?? settingIn('LEADGER_DATA')) : undefined,
    eventStoreDb: given.events ?? settingIn('LEADGER_EVENTS'),
    databaseUrl: given.database ?? settingIn('DATABASE_URL'),
    port: portOf(given.port ?? settingIn('PORT') ?? ''),
    host,
  };
}

const isThisMachine = membersOf(THIS_MACHINE);
const isLoopback = (host: string): boolean => host === 'localhost' || isThisMachine(host);

/** @throws UsageError */
function refuseWeakSecrets(): void {
  const [name] = weakSecretsIn(process.env);
  if (name !== undefined) throw new UsageError(`others may reach this program, and ${name} is ${WEAK}`);
}

function portOf(text: string): number {
  if (!isPort(text)) throw new UsageError(`${text} is not a port`);
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

/** After this time without a renewal, other workers take over the leases of a worker. */
export const leaseTermMilliseconds = (): number => millisecondsIn('LEADGER_LEASE_SECONDS');

/** How long a call to the outside may fail before the health is degraded. */
export const failingMilliseconds = (): number => millisecondsIn('LEADGER_FAILING_SECONDS');

/** How long a command waits for an event store that is away, from the arrival of its request. */
export const commandMilliseconds = (): number => millisecondsIn('LEADGER_COMMAND_SECONDS');

const millisecondsIn = (name: SettingName): number => numberIn(name) * 1000;

/** The most change feeds that a program serves at a time, and one caller has. */
export const mostFeeds = () => ({
  mostFeeds: numberIn('LEADGER_MOST_FEEDS'),
  quotas: { feeds: numberIn('LEADGER_FEEDS_OF_CALLER') },
});

/** How a program can be reached, besides from its own machine. */
export const edge = () => ({
  publicUrl: settingIn('PUBLIC_URL'),
  allowedOrigins: listOf('ALLOWED_ORIGINS'),
  trustedProxies: listOf('TRUSTED_PROXIES'),
  monitoringNetworks: listOf('MONITORING_NETWORKS'),
});

function listOf(name: SettingName): readonly string[] | undefined {
  const written = settingIn(name);
  return written === undefined ? undefined : listIn(written);
}

/** What a program says when it is ready. Directories are named as somebody gave them. */
export const say = (...lines: readonly string[]): void => console.log(lines.map(onOneLine).join('\n'));

/** Runs an application until a signal stops it or it fails. @returns its URL; undefined when it could not start */
export async function serve(
  application: NestFastifyApplication,
  { port, host }: ProgramOptions,
  { works = true, telling }: { works?: boolean; telling?: Telling } = {},
): Promise<string | undefined> {
  const stop = stopOnce(async () => {
    await application.close();
    await telling?.telemetry?.stop();
  });
  process.once('SIGINT', () => stop(0));
  process.once('SIGTERM', () => stop(0));
  try {
    if (works) {
      const { running } = await startLeadger(application);
      running.catch((error) =>
        stop(1, onItsLines(withoutPasswords(`the processes stopped: ${messageWithoutValues(error)}`))),
      );
    }
    // Not Nest's own `listen`: that logs the error, which is then printed twice.
    await application.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    await stop(1, messageFor(error));
    return undefined;
  }
  for (const warning of warningsOf(host, works)) console.warn(`leadger: ${warning}`);
  return `http://${host}:${(application.getHttpServer().address() as { port: number }).port}`;
}

function warningsOf(host: string, works: boolean): readonly string[] {
  const isEncrypted = settingIn('PUBLIC_URL')?.startsWith('https:') ?? false;
  const callsThisMachine = works && settingIn('LEADGER_WEBHOOKS_TO_THIS_MACHINE') === 'yes';
  return [
    ...(isLoopback(host) || isEncrypted
      ? []
      : [`others may reach ${host}, but nothing is encrypted: put a proxy with TLS before it, and set PUBLIC_URL`]),
    ...(callsThisMachine ? ['webhooks may call programs on this machine: for development only'] : []),
  ];
}

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

/** Servers send some of these texts. */
const messageFor = (error: unknown): string => onItsLines(withoutPasswords(whatFailed(error)));

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
