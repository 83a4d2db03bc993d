import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { createHttpApplication } from '#apps/api/http-application';
import { EventStoreError } from '#event-store/port';
import { LeadgerModule } from '#wiring/leadger.module';
import { startLeadger } from '#wiring/start';
import { openStores } from '#wiring/stores';

const usage = `usage: npm start -- [--data DIR] [--events URL] [--port PORT]

  --data DIR    where the store lives; made when it does not exist (default ./data, or LEADGER_DATA)
  --events URL  an EventStoreDB or KurrentDB that holds the events, esdb://… (or LEADGER_EVENTS); else they lie in DIR
  --port PORT   where the API listens on 127.0.0.1 (default 3000, or PORT)`;

/** Anonymous requests are all there is until people sign in, so nobody else's machine may reach them. */
const HOST = '127.0.0.1';

async function main(): Promise<void> {
  const { data, events, port } = readOptions();
  const stores = await openStores({ directory: data, eventStoreDb: events });
  let application: Awaited<ReturnType<typeof createHttpApplication>>;
  try {
    application = await createHttpApplication(LeadgerModule.on(stores));
  } catch (error) {
    await stores.close();
    throw error;
  }
  const stop = stopOnce(async () => application.close());
  process.once('SIGINT', () => stop(0));
  process.once('SIGTERM', () => stop(0));
  try {
    const { running } = await startLeadger(application);
    running.catch((error) => stop(1, `the processes stopped: ${error.message}`));
    await application.listen({ port, host: HOST });
  } catch (error) {
    await stop(1, messageFor(error));
    return;
  }
  const url = `http://${HOST}:${listeningPort(application)}`;
  stores.directory?.setUrl(url);
  console.log(`Leadger is ready: ${url}
  API      ${url}/api  (documented at ${url}/api/docs)
  health   ${url}/health
  data     ${data}
It listens on this machine only, since nobody signs in yet. Ctrl-C stops it.`);
}

function readOptions(): { data: string; events: string | undefined; port: number } {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      events: { type: 'string' },
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const data = values.data ?? process.env.LEADGER_DATA ?? './data';
  const port = values.port ?? process.env.PORT ?? '3000';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`${port} is not a port`);
  return { data, events: values.events ?? process.env.LEADGER_EVENTS, port: Number(port) };
}

class UsageError extends Error {}

function listeningPort(application: { getHttpServer(): { address(): unknown } }): number {
  return (application.getHttpServer().address() as { port: number }).port;
}

/** Whatever calls first; the others wait with it for the end. */
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

function messageFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is in use: choose another with --port or PORT`;
  if (code === 'EACCES' && port !== undefined) return `port ${port} may not be used by this user`;
  const expected =
    error instanceof EventStoreError || error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS');
  return expected ? error.message : (error.stack ?? error.message);
}

main().catch((error) => {
  console.error(`leadger: ${messageFor(error)}`);
  process.exit(1);
});
