import 'reflect-metadata';
import { OperationsModule } from '#apps/api/api.module';
import { createHttpApplication } from '#apps/api/http-application';
import {
  edge,
  failingMilliseconds,
  leaseTermMilliseconds,
  main,
  onServers,
  readOptions,
  say,
  serve,
} from '#apps/program';
import { beginTelling } from '#apps/telling';
import { LeadgerModule, mustHaveMailServer } from '#wiring/leadger.module';
import { openLeases } from '#wiring/leases';
import { openStores } from '#wiring/stores';

const usage = `usage: node dist/programs/worker.js --events URL --database URL [--host HOST] [--port PORT]

One of several programs that share the background work: processes, lead distribution by lead type, read models.
  --events URL    the EventStoreDB or KurrentDB that holds the events, esdb://… (or LEADGER_EVENTS)
  --database URL  the PostgreSQL that holds read models, keys and leases, postgres://… (or DATABASE_URL)
  --host HOST     the address of /health and /metrics (default 127.0.0.1, or HOST)
  --port PORT     the port of /health and /metrics (default 3000, or PORT)
The master key of the personal data is in LEADGER_MASTER_KEY. When a worker does not renew its leases for
LEADGER_LEASE_SECONDS (default 15), the other workers take over its share.`;

main(async () => {
  const options = readOptions(usage, ['events', 'database', 'host', 'port']);
  const location = onServers(options);
  const telling = await beginTelling('worker');
  const { activities } = telling;
  const failing = { failingMilliseconds: failingMilliseconds() };
  mustHaveMailServer();
  const leases = await openLeases({ ...location, termMilliseconds: leaseTermMilliseconds() });
  const stores = await openStores({ ...location, waits: true, activities });
  const application = await createHttpApplication(LeadgerModule.on(stores, { leases, ...failing }), {
    telling,
    edge: edge(),
    routes: OperationsModule,
  });
  const url = await serve(application, options, { telling });
  if (url) say(`Leadger's worker ${leases.worker} is ready: ${url}/health`);
});
