import 'reflect-metadata';
import { createHttpApplication } from '#apps/api/http-application';
import { commandMilliseconds, failingMilliseconds, main, mostFeeds, readOptions, say, serve } from '#apps/program';
import { beginTelling } from '#apps/telling';
import { LeadgerModule } from '#wiring/leadger.module';
import { openStores } from '#wiring/stores';

const usage = `usage: npm start -- [--data DIR] [--events URL] [--database URL] [--port PORT]

  --data DIR      the directory of the store; created if missing (default ./data, or LEADGER_DATA)
  --events URL    an EventStoreDB or KurrentDB that holds the events, esdb://… (or LEADGER_EVENTS); otherwise they are in DIR
  --database URL  a PostgreSQL that holds the read models, postgres://… (or DATABASE_URL); otherwise they are in DIR
  --port PORT     the port of the API on 127.0.0.1 (default 3000, or PORT)`;

main(async () => {
  const options = readOptions(usage, ['data', 'events', 'database', 'port']);
  const telling = await beginTelling('standalone');
  const { activities } = telling;
  const failing = { failingMilliseconds: failingMilliseconds() };
  const limits = { telling, ...mostFeeds(), commandMilliseconds: commandMilliseconds() };
  const stores = await openStores({ ...options, waits: true, activities });
  const application = await createHttpApplication(LeadgerModule.on(stores, failing), limits).catch(async (error) => {
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
    'It listens on this machine only, because there is no sign-in yet. Ctrl-C stops it.',
  );
});
