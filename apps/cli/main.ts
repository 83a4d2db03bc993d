#!/usr/bin/env node
import '#apps/node-version';
import '#apps/owner-only';
import '#apps/warnings';
import 'reflect-metadata';
import { Command, Option } from 'commander';
import { type ProgramName, programNames } from '#apps/configuration';
import { messageOf } from '#apps/message-of';
import { checkedId, mapping, oneOf, port, secondsAtLeastOne, wholeNumber } from './arguments.ts';
import { CommandFailed } from './command-failed.ts';
import { location, output, program } from './global-options.ts';
import { printError, printLines } from './print.ts';
import type { Format } from './query.ts';

/** How any file is read. */
const ofFile = (command: Command): Command =>
  command
    .configureOutput(output)
    .option('--format <csv|ndjson>', 'the format of the file; default: by its name', oneOf('csv', 'ndjson'))
    .option(
      '--map <field=Column,…>',
      'the columns of fields whose columns have other names, e.g. telephone=Mobile,email=Mail',
    )
    .option('--country <code>', 'the country of telephone numbers without one, e.g. GB', 'US')
    .option(
      '--encoding <utf-8|latin1>',
      'the encoding of the file; latin1 is Windows-1252, too, and UTF-16 is known by its byte order mark',
      oneOf('utf-8', 'latin1'),
      'utf-8',
    )
    .option('--rejected <file>', 'the file for rejected rows; default: FILE.rejected.csv');

program
  .command('import')
  .description('imports leads, or persons who are not sold any more, from a file')
  .addCommand(
    ofFile(new Command('leads'))
      .description(
        'imports leads from a CSV or NDJSON file; the same file again within an hour, or with capturedAt, changes nothing',
      )
      .argument('<file>', 'CSV with a header line, or NDJSON with one lead per line: {"contact": {"telephone": …}, …}')
      .option('--lead-type <id>', 'the lead type of rows without one, e.g. exclusive-fresh')
      .option('--source <name>', 'the source of rows without one')
      .option(
        '--time-zone <name>',
        'the time zone of times without one, e.g. America/New_York; default: a file with such times is refused',
      )
      .option(
        '--unknown-columns <ignore|keep|refuse>',
        'ignore unknown columns, keep them as extra fields, or refuse the file; default: ignore them in exports of known tools, else refuse',
        oneOf('ignore', 'keep', 'refuse'),
      )
      .option('--ignore-unknown-columns', 'as --unknown-columns ignore')
      .action(async (file: string, { leadType, map, ignoreUnknownColumns, ...options }) => {
        const { importLeads } = await import('./import-leads.ts');
        const columns = await mapping(map);
        await importLeads(location(), file, {
          ...(ignoreUnknownColumns && { unknownColumns: 'ignore' }),
          ...options,
          ...(leadType && { leadTypeId: leadType }),
          ...(columns && { columns }),
        });
      }),
  )
  .addCommand(
    ofFile(new Command('suppressions'))
      .description(
        'imports a list of persons who are not sold any more, by all numbers and addresses of each row; the same file again changes nothing',
      )
      .argument(
        '<file>',
        'CSV with a header line, or NDJSON with one person per line: {"telephones": […], "emails": […]}',
      )
      .option(
        '--list <id>',
        'the list, by which it can be lifted: leadger suppressions lift; default: do-not-call, and none for opt-outs',
      )
      .option(
        '--suppression <do-not-call|opt-out>',
        'why: the persons stand on a list, or asked for it',
        oneOf('do-not-call', 'opt-out'),
        'do-not-call',
      )
      .option(
        '--unknown-columns <ignore|refuse>',
        'ignore columns of which nothing is known, or refuse the file; default: ignore',
        oneOf('ignore', 'refuse'),
      )
      .action(async (file: string, { list, map, ...options }) => {
        const { importSuppressions } = await import('./import-suppressions.ts');
        const columns = await mapping(map);
        const listId = await checkedId('--list', list);
        await importSuppressions(location(), file, {
          ...options,
          ...(listId && { listId }),
          ...(columns && { columns }),
        });
      }),
  );

program
  .command('suppressions')
  .description('lifts suppressions: of a person, or all that a list made')
  .addCommand(
    new Command('lift')
      .configureOutput(output)
      .description('lets persons be sold again, as new leads; what was withdrawn stays withdrawn')
      .option('--list <id>', 'whom this list suppressed, unless others do as well, or they opted out themselves')
      .option('--telephone <number>', 'a person, by the telephone number')
      .option('--email <address>', 'a person, by the e-mail address')
      .requiredOption('--reason <text>', 'why; it is recorded')
      .action(async ({ list, ...options }: { list?: string; telephone?: string; email?: string; reason: string }) => {
        const { liftSuppressions } = await import('./suppressions.ts');
        const listId = await checkedId('--list', list);
        await liftSuppressions(location(), { ...options, ...(listId !== undefined && { listId }) });
      }),
  );

const person = program.command('person').description('shows or erases all that is held about one person');
for (const [name, description, recorded] of [
  ['export', 'prints all that is held about a person, as JSON', 'recorded where the person is a customer'],
  ['erase', 'erases a person for ever, and ends what the person still had', 'recorded'],
] as const)
  person
    .command(name)
    .description(description)
    .option('--customer <id>', 'the customer who the person is')
    .option('--lead <id>', 'a lead that the person is')
    .option('--telephone <number>', 'the telephone number of the person')
    .option('--email <address>', 'the e-mail address of the person')
    .requiredOption('--reason <text>', `why; it is ${recorded}, and should not name the person`)
    .action(async ({ customer: customerId, lead: leadId, ...options }) => {
      const { erasePerson, exportPerson } = await import('./person.ts');
      const act = name === 'export' ? exportPerson : erasePerson;
      await act(location(), { customerId, leadId, ...options });
    });

const renewals = program
  .command('renewals')
  .description(
    'lists the renewals that wait for an operator because the store stood still, and releases or skips them',
  );
renewals
  .command('list', { isDefault: true })
  .description('lists the renewals that wait, longest waiting first')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { listMissedRenewals } = await import('./renewals.ts');
    await listMissedRenewals(location(), options);
  });
for (const [word, description] of [
  ['release', 'charges renewals that wait'],
  ['skip', 'skips renewals that wait: nothing is charged, and the next dates stay'],
] as const)
  renewals
    .command(word)
    .description(description)
    .option('--all', 'all that wait')
    .option('--store <id>', 'those of one store')
    .option('--order <id>', 'that of one order')
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (options: { all?: boolean; store?: string; order?: string; reason: string }) => {
      const { decideMissedRenewals } = await import('./renewals.ts');
      await decideMissedRenewals(location(), word, options);
    });

program
  .command('coupon')
  .description('looks at the coupons')
  .addCommand(
    new Command('uses')
      .configureOutput(output)
      .description('lists who tried and used a code, newest first, and what became of the order')
      .argument('<code>', 'the code: every character counts')
      .option('--json', 'print JSON')
      .action(async (code: string, options: { json?: boolean }) => {
        const { listCouponUses } = await import('./coupon-uses.ts');
        await listCouponUses(location(), code, options);
      }),
  );

program
  .command('timeline')
  .description('prints the events of an order or another stream, and its state, up to any instant')
  .argument(
    '<family>',
    'the kind of stream: order, customer, lead, programme, checkout, …; an unknown one prints the whole list',
  )
  .argument(
    '<id>',
    'e.g. the id of the order, or the code of the coupon; the catalogue and the policy have the id main',
  )
  .option('--at <instant>', 'the last instant to include, ISO 8601 with a zone; default: the end of the log')
  .option('--json', 'print JSON')
  .action(async (family: string, id: string, options: { at?: string; json?: boolean }) => {
    const { timeline } = await import('./timeline.ts');
    await timeline(location(), family, id, options);
  });

program
  .command('decisions')
  .description('prints what was decided by a version of the policy, and how much of each kind')
  .argument('<version>', 'the number of the version: leadger timeline policy main')
  .option('--json', 'print JSON, one document for each decision')
  .action(async (version: string, options: { json?: boolean }) => {
    const { decisions } = await import('./decisions.ts');
    await decisions(location(), version, options);
  });

program
  .command('verify')
  .description('reads the whole log and checks hashes, revisions and the laws of the store')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { verify } = await import('./verify.ts');
    process.exitCode = await verify(location(), options);
  });

program
  .command('reconcile')
  .description(
    "compares the receipts with the payment provider's report of its balance, day by day, and lists the differences; it fails when there are any, or when no line of the report is of the period",
  )
  .argument('<file>', 'the report as CSV: "Balance change from activity, itemized" of Stripe')
  .option('--from <day>', 'the first day that the report is of, in UTC; default: the day of its first line')
  .option('--to <day>', 'the last day that the report is of, in UTC; default: the day of its last line')
  .option('--json', 'print JSON')
  .action(async (file: string, options: { json?: boolean; from?: string; to?: string }) => {
    const { reconcileWith } = await import('./reconcile.ts');
    process.exitCode = await reconcileWith(location(), file, options);
  });

program
  .command('damaged')
  .description('lists the streams that somebody cut or deleted in the event store, and how each becomes whole again')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { damaged } = await import('./damaged.ts');
    process.exitCode = await damaged(location(), options);
  });

program
  .command('clock')
  .description(
    'moves the clock of a copy of the store forward, and prints what the store will do by itself; the store does not change',
  )
  .addOption(
    new Option('--days <number>', 'move the clock by this many days of 24 hours')
      .argParser(wholeNumber)
      .conflicts('to'),
  )
  .option('--to <instant>', 'move the clock to this instant, ISO 8601 with a zone')
  .option('--json', 'print JSON, and nothing else, on standard output')
  .action(async (options: { days?: number; to?: string; json?: boolean }) => {
    const { goalOf } = await import('./clock-goal.ts');
    const goal = goalOf(options);
    const { lookAhead } = await import('./clock.ts');
    await lookAhead(location(), goal, options);
  });

program
  .command('rebuild')
  .description('rebuilds a read model from the log; an interrupted rebuild continues when it is started again')
  .argument('[name]', 'the read model, e.g. orders')
  .option('--all', 'rebuild all read models, one after the other')
  .action(async (name: string | undefined, { all = false }: { all?: boolean }) => {
    if (all === (name !== undefined)) throw new CommandFailed('rebuild takes the name of a read model, or --all');
    const { rebuild } = await import('./rebuild.ts');
    await rebuild(location(), name);
  });

program
  .command('digest')
  .description('prints a digest of each read model; equal rows have equal digests')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { digest } = await import('./digest.ts');
    await digest(location(), options);
  });

program
  .command('export')
  .description('writes the log, or a view for analysts')
  .argument('[view]', 'the view, e.g. sales_by_day (docs/analytics.md); default: the log, as NDJSON')
  .addOption(
    new Option('--opened', 'write the log with personal data in clear text; default: encrypted').conflicts('format'),
  )
  .option('--format <csv|ndjson|parquet>', 'the format of a view; default: ndjson', oneOf('csv', 'ndjson', 'parquet'))
  .option('--output <file>', 'write to this file, which appears when it is complete; default: standard output')
  .option('--timeout <seconds>', 'the time limit for reading each part of the view, 1 to 86400', secondsAtLeastOne, 60)
  .action(
    async (
      view: string | undefined,
      options: { opened?: boolean; format?: Exclude<Format, 'table'>; output?: string; timeout: number },
    ) => {
      const { opened = false, format = 'ndjson', output, timeout: timeoutSeconds } = options;
      if (view === undefined) {
        if (format !== 'ndjson')
          throw new CommandFailed('the log is written as NDJSON; only a view can be written as CSV or Parquet');
        const [{ logLines }, { writeOut }] = await Promise.all([import('./export.ts'), import('./output.ts')]);
        await writeOut(logLines(location(), { opened }), output);
        return;
      }
      if (opened) throw new CommandFailed('--opened is for the log: views contain no personal data');
      const { exportView } = await import('./query.ts');
      await exportView(location(), view, { format, timeoutSeconds, output });
    },
  );

program
  .command('query')
  .description('runs one SQL query on the views for analysts (docs/analytics.md), and on nothing else')
  .argument('<sql>', 'e.g. "SELECT * FROM fill_rate"')
  .option(
    '--format <table|csv|ndjson|parquet>',
    'the format of the answer',
    oneOf('table', 'csv', 'ndjson', 'parquet'),
    'table',
  )
  .option('--output <file>', 'write to this file, which appears when it is complete; default: standard output')
  .option(
    '--timeout <seconds>',
    'the time limit for reading each part of the answer, 1 to 86400',
    secondsAtLeastOne,
    60,
  )
  .action(async (sql: string, { format, output, timeout }: { format: Format; output?: string; timeout: number }) => {
    const { query } = await import('./query.ts');
    await query(location(), sql, { format, timeoutSeconds: timeout, output });
  });

program
  .command('sql')
  .description(
    'opens a local port for psql and similar tools, on a copy of the embedded read models; each client is a superuser of the copy',
  )
  .option('--port <number>', 'the port on 127.0.0.1', port, 5433)
  .action(async (options: { port: number }) => {
    const { serveSql } = await import('./sql.ts');
    await serveSql(location(), options);
  });

program
  .command('serve-events')
  .description("serves the log in EventStoreDB's protocol, for any of its clients; read-only by default")
  .option('--port <number>', 'the port on 127.0.0.1', port, 2113)
  .option('--writable', 'clients may append; no other process may have the store open')
  .option(
    '--like-a-server',
    'also in what is hard for clients: positions with gaps, events of the server in $all, 100 calls a connection, slow subscribers dropped',
  )
  .action(async (options: { port: number; writable?: boolean; likeAServer?: boolean }) => {
    const { serveEvents } = await import('./serve-events.ts');
    await serveEvents(program.opts<{ data: string }>().data, options);
  });

program
  .command('copy')
  .description(
    'copies a log into another store with the same order and ids, and compares both; an interrupted copy continues when it is started again',
  )
  .requiredOption('--from <location>', 'the original: a data directory, or esdb://…')
  .requiredOption('--to <location>', 'the copy: a data directory, or esdb://…')
  .option(
    '--keys-to <url>',
    'a PostgreSQL for the keys of personal data, postgres://…; needs LEADGER_MASTER_KEY. Default: keys are not copied',
  )
  .option(
    '--seal',
    'rewrites a log of an older version: every event in its newest form, every personal text sealed; with the keys (docs/how-to/rewrite-an-older-log.md)',
  )
  .action(async ({ seal, ...options }: { from: string; to: string; keysTo?: string; seal?: boolean }) => {
    if (seal) return (await import('./copy-sealed.ts')).copySealedStore(options);
    const { copy } = await import('./copy.ts');
    await copy(options);
  });

program
  .command('keys')
  .description('looks after the keys of personal data')
  .addCommand(
    new Command('rotate')
      .configureOutput(output)
      .description(
        'replaces the master key: wraps all keys with a new one; on one machine the store is stopped meanwhile (docs/how-to/replace-the-master-key.md)',
      )
      .action(async () => {
        const { rotateKeys } = await import('./rotate-keys.ts');
        await rotateKeys(location());
      }),
  );

program
  .command('check-config')
  .description(
    'says what a program is configured with, what is missing and what is unsafe (docs/configuration.md); no server is asked',
  )
  .argument('[program]', programNames.join(', '), oneOf(...programNames), 'standalone')
  .option('--strict', 'fail also when something is unsafe; default: only when something is wrong or missing')
  .option('--json', 'print JSON')
  .action(async (name: ProgramName, options: { strict?: boolean; json?: boolean }) => {
    const { checkConfig } = await import('./check-config.ts');
    const { directory: LEADGER_DATA, eventStoreDb: LEADGER_EVENTS, databaseUrl: DATABASE_URL } = location();
    const given = program.getOptionValueSource('data') === 'cli' && { LEADGER_DATA };
    const env = {
      ...process.env,
      ...given,
      ...(LEADGER_EVENTS && { LEADGER_EVENTS }),
      ...(DATABASE_URL && { DATABASE_URL }),
    };
    process.exitCode = await checkConfig({ program: name, env, ...options });
  });

program
  .command('catalog')
  .description('prints the event catalog, as Markdown')
  .option('--views', 'print the views for analysts instead')
  .option('--errors', 'print the error codes of the API instead')
  .option('--rights', 'print who may ask for what instead')
  .option('--configuration', 'print the settings of the programs instead')
  .option('--sandbox', 'print what the sandbox of payments does instead')
  .option('--personal-data', 'print how each field of each event is kept instead')
  .action(async (pages: Readonly<Record<string, boolean>>) => {
    if (pages.rights) return printLines(...(await import('./rights-page.ts')).rightsPage().split('\n'));
    if (pages.personalData)
      return printLines(...(await import('./personal-data-page.ts')).personalDataPage().split('\n'));
    if (pages.configuration)
      return printLines(...(await import('./configuration-page.ts')).configurationPage().split('\n'));
    if (pages.sandbox) return printLines(...(await import('./sandbox-page.ts')).sandboxPage().split('\n'));
    if (pages.errors) return printLines(...(await import('#apps/error-codes')).errorsPage().split('\n'));
    if (pages.views) return printLines(...(await import('./views-page.ts')).viewsPage().split('\n'));
    printLines(...(await import('./catalog.ts')).eventCatalog().split('\n'));
  });

program
  .command('demo')
  .description(
    'simulates some days of a lead store, with orders from public sample data and invented leads; in memory, unless --data names a directory',
  )
  .option('--days <number>', 'how many days to simulate', wholeNumber, 30)
  .option('--seed <number>', 'the seed of the random numbers; the same seed gives the same history', wholeNumber, 1)
  .option('--until <instant>', 'when the demo ends, ISO 8601 with a zone; default: now')
  .option('--trouble', 'let mails, programs of customers and payments fail for some days, and odd files of leads come')
  .option('--continue', 'continue an interrupted demo with the same options; --data names its directory')
  .option('--json', 'print the summary as JSON, and nothing else, on standard output')
  .action(
    async (options: {
      days: number;
      seed: number;
      until?: string;
      json?: boolean;
      continue?: boolean;
      trouble?: boolean;
    }) => {
      const { demo } = await import('./demo.ts');
      // A demo ignores locations from the environment, which belong to a real store. Only options count.
      const named = <Value>(option: string, value: Value) =>
        program.getOptionValueSource(option) === 'cli' ? value : undefined;
      const { directory, eventStoreDb, databaseUrl } = location();
      process.exitCode = await demo({
        ...options,
        data: named('data', directory),
        eventStoreDb: named('events', eventStoreDb),
        databaseUrl: named('database', databaseUrl),
      });
    },
  );

// The reader of our output may stop early: `leadger export | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/** Bytes that are no UTF-8 come as this character, and would be stored as it. */
async function refuseOtherEncodings(): Promise<void> {
  const wrong = process.argv.find((text) => text.includes('\ufffd'));
  if (wrong !== undefined) throw new CommandFailed(`"${wrong}" is not UTF-8`);
}

await refuseOtherEncodings()
  .then(() => program.parseAsync())
  .catch((error: unknown) => {
    printError(`leadger: ${messageOf(error)}`);
    process.exitCode = 1;
  });
