import 'reflect-metadata';
import { createHttpApplication } from '#apps/api/http-application';
import { trialLines } from '#apps/api/trial';
import {
  commandMilliseconds,
  edge,
  failingMilliseconds,
  main,
  mostFeeds,
  readOptions,
  say,
  serve,
} from '#apps/program';
import { beginTelling } from '#apps/telling';
import { openAttemptCounters } from '#wiring/attempt-counters';
import { LeadgerModule } from '#wiring/leadger.module';
import { openStores } from '#wiring/stores';

const usage = `usage: npm start -- [--data DIR] [--events URL] [--database URL] [--host HOST] [--port PORT]

  --data DIR      the directory of the store; created if missing (default ./data, or LEADGER_DATA)
  --events URL    an EventStoreDB or KurrentDB that holds the events, esdb://… (or LEADGER_EVENTS); otherwise they are in DIR
  --database URL  a PostgreSQL that holds the read models, postgres://… (or DATABASE_URL); otherwise they are in DIR
  --host HOST     where it listens (default 127.0.0.1, or HOST)
  --port PORT     on which port (default 3000, or PORT)`;

main(async () => {
  const options = readOptions(usage, ['data', 'events', 'database', 'host', 'port']);
  const telling = await beginTelling('standalone');
  const { activities } = telling;
  const failing = { failingMilliseconds: failingMilliseconds() };
  const limits = { telling, edge: edge(), ...mostFeeds(), commandMilliseconds: commandMilliseconds() };
  const stores = await openStores({ ...options, waits: true, activities });
  const opened = openAttemptCounters(options).then((attempts) =>
    createHttpApplication(LeadgerModule.on(stores, failing), { ...limits, attempts }),
  );
  const application = await opened.catch(async (error) => {
    await stores.close();
    throw error;
  });
  const url = await serve(application, options, { telling });
  if (!url) return;
  stores.directory?.setUrl(url);
  say(
    `Leadger is ready: ${url}`,
    `  API      ${url}/api  (documented at ${url}/api/docs)`,
    `  health   ${url}/health`,
    `  data     ${stores.directory?.path ?? 'on servers'}`,
    ...(process.env.SMTP_URL ? [] : ['  mails    files in data, which nobody gets: SMTP_URL names no mail server']),
    ...(await trialLines(application)),
    'Ctrl-C stops it.',
  );
});
