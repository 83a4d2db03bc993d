import 'reflect-metadata';
import {
  commandMilliseconds,
  edge,
  failingMilliseconds,
  leaseTermMilliseconds,
  main,
  mostFeeds,
  onServers,
  readOptions,
  say,
  serve,
} from '#apps/program';
import { beginTelling } from '#apps/telling';
import { openAttemptCounters } from '#wiring/attempt-counters';
import { LeadgerModule } from '#wiring/leadger.module';
import { openLeases } from '#wiring/leases';
import { openStores } from '#wiring/stores';
import { createHttpApplication } from './http-application.ts';
import { trialLines } from './trial.ts';

const usage = `usage: node dist/programs/api.js --events URL --database URL [--host HOST] [--port PORT]

One of several programs that serve the API; what follows from requests is done by workers.
  --events URL    the EventStoreDB or KurrentDB that holds the events, esdb://… (or LEADGER_EVENTS)
  --database URL  the PostgreSQL that holds read models and keys, postgres://… (or DATABASE_URL)
  --host HOST     where it listens (default 127.0.0.1, or HOST)
  --port PORT     on which port (default 3000, or PORT)
The master key of the personal data is in LEADGER_MASTER_KEY. A command waits LEADGER_COMMAND_SECONDS (default 10) for an
event store that is away.`;

main(async () => {
  const options = readOptions(usage, ['events', 'database', 'host', 'port']);
  const location = onServers(options);
  const telling = await beginTelling('api');
  const { activities } = telling;
  const failing = { failingMilliseconds: failingMilliseconds() };
  const limits = { telling, edge: edge(), ...mostFeeds(), commandMilliseconds: commandMilliseconds() };
  const leases = await openLeases({ ...location, termMilliseconds: leaseTermMilliseconds() });
  const stores = await openStores({ ...location, waits: true, activities });
  const attempts = await openAttemptCounters(location);
  const application = await createHttpApplication(LeadgerModule.on(stores, { works: false, leases, ...failing }), {
    ...limits,
    attempts,
  });
  const url = await serve(application, options, { works: false, telling });
  if (url) say(`Leadger's API is ready: ${url}`, ...(await trialLines(application)));
});
