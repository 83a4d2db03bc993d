import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApplication } from '#apps/api/http-application';
import { logActivities, programLog } from '#apps/program-log';
import { Activities } from '#domain/kernel/activities';
import { StoreUnavailable } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { type MailGateway, mailFiles } from '#gateways/mail';
import type { Mailbox } from '#gateways/mailbox';
import type { PaymentNotices } from '#gateways/payment-notices';
import type { PaymentGateway } from '#gateways/payments';
import type { SupportMail } from '#gateways/support-mail';
import { httpWebhooks } from '#gateways/webhooks';
import { ProcessEngine } from '#processes/engine/engine';
import { eventsAreElsewhere, eventsElsewhere } from '#test/event-stores/event-stores';
import { freshDatabase } from '#test/postgres/database';
import { LeadgerModule } from '#wiring/leadger.module';
import { startLeadger } from '#wiring/start';
import { openStores } from '#wiring/stores';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when the answer is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client does, without our types
  readonly body: any;
}

export interface Server {
  readonly url: string;
  readonly clock: MovedClock;
  readonly application: NestFastifyApplication;
  /** A body that is a string or a stream is sent unchanged, anything else as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Waits until the processes have carried out all consequences of the requests so far. */
  settle(): Promise<void>;
  /** The end of the log, as the store says it. While a connection to the event store is made again, there is none. */
  position(): Promise<string>;
  /** The log lines about requests that failed unexpectedly. */
  readonly errors: string[];
  /** All lines of the log, as the programs write it. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

export const START = '2026-03-02T15:00:00.000Z';

/**
 * With `LEADGER_TEST_DATABASE=postgres` the read models are in a new PostgreSQL database, with events elsewhere the keys, too. Then
 * a store in a directory has no database: its test opens it again, or looks at its keys.
 */
const startDatabase = (directory: string | undefined) =>
  process.env.LEADGER_TEST_DATABASE === 'postgres' && !(eventsAreElsewhere && directory !== undefined)
    ? freshDatabase()
    : undefined;

async function callOnce(
  ...[url, method, path, body, headers = {}]: [string, ...Parameters<Server['call']>]
): Promise<Reply> {
  const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
  const response = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && !raw && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body), duplex: 'half' }),
  } as RequestInit);
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

/**
 * A whole store with HTTP on loopback, and a clock that does not move. Without a directory it is in memory: copying and
 * synchronizing files would take a quarter of the time of the tests. Its mails are files all the same, for who reads copies.
 */
export async function startServer({
  directory,
  start = START,
  mails: given,
  payments,
  notices,
  supportMail,
  mailbox,
  eventStoreDb,
  mostFeeds,
  http = {},
}: {
  directory?: string;
  start?: string;
  mails?: MailGateway;
  payments?: PaymentGateway;
  notices?: PaymentNotices;
  supportMail?: SupportMail;
  mailbox?: Mailbox;
  /** A node with the events. It stays open. */
  eventStoreDb?: string;
  mostFeeds?: number;
  http?: Partial<NonNullable<Parameters<typeof createHttpApplication>[1]>>;
} = {}): Promise<Server> {
  const temporary = directory ?? (await mkdtemp(join(tmpdir(), 'leadger-e2e-')));
  const mails = given ?? (directory === undefined ? mailFiles(join(temporary, 'mails')) : undefined);
  const [errors, lines]: [string[], string[]] = [[], []];
  const write = (line: string) => {
    lines.push(line);
    // What processes and commands tell of their failures is not about requests.
    if (/"level":[456]0/.test(line) && !line.includes('"outcome":"')) errors.push(line);
  };
  const log = programLog('standalone', { level: 'debug', to: { write } });
  const activities = new Activities();
  logActivities(activities, log);
  const clock = new MovedClock(start);
  const events = eventStoreDb === undefined ? await eventsElsewhere(temporary) : undefined;
  // A store that has its own node is the same wherever the rows of the others are.
  const database = eventStoreDb === undefined ? await startDatabase(directory) : undefined;
  const stores = await openStores({
    directory,
    eventStoreDb: eventStoreDb ?? events?.connectionString,
    databaseUrl: database?.url,
    activities,
  });
  const application = await createHttpApplication(
    LeadgerModule.on(stores, {
      clock,
      ...(mails && { mails }),
      ...(payments && { payments }),
      ...(notices && { notices }),
      ...(supportMail && { supportMail }),
      ...(mailbox && { mailbox }),
      webhooks: httpWebhooks({ toThisMachine: true }),
    }),
    { telling: { log, telemetry: undefined }, ...(mostFeeds !== undefined && { mostFeeds }), ...http },
  );
  const { running } = await startLeadger(application);
  // `stop` reports this error. Some tests close the stores on purpose and never call it.
  running.catch(() => {});
  await application.listen({ port: 0, host: '127.0.0.1' });
  const { port } = application.getHttpServer().address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const call: Server['call'] = async (...request) => {
    for (;;) {
      const reply = await callOnce(url, ...request);
      // The API waits some seconds for a position. On a busy machine that may be too short: retry, as clients do.
      if (reply.body?.code !== 'not-reached-yet') return reply;
    }
  };
  return {
    url,
    clock,
    application,
    log: lines,
    errors,
    settle: () => application.get(ProcessEngine).settle(),
    call,
    async position() {
      for (;;) {
        try {
          return await stores.events.head();
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
        }
      }
    },
    async stop() {
      await application.close();
      await running;
      await events?.close();
      await database?.drop();
      if (directory === undefined) await rm(temporary, { recursive: true });
    },
  };
}
