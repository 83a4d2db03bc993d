#!/usr/bin/env node
import 'reflect-metadata';
import { Command, InvalidArgumentError, Option } from 'commander';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { Place } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import type { Format } from './query.ts';

/** `leadger`: what a store's owner, an auditor and an analyst do at a terminal. Each command loads what it needs only. */
const program = new Command('leadger')
  .description('An event-sourced order and lead ledger for lead stores')
  .option('--data <directory>', 'where the store lives', process.env.LEADGER_DATA ?? './data')
  .option(
    '--events <url>',
    'an EventStoreDB that holds the events, esdb://… (else they are in the directory)',
    process.env.LEADGER_EVENTS,
  )
  .option(
    '--database <url>',
    'a PostgreSQL for read models, and for keys when the events are on a server too, postgres://…',
    process.env.DATABASE_URL,
  )
  .showHelpAfterError()
  .configureHelp({ showGlobalOptions: true });

const place = (): Place => {
  const {
    data: directory,
    events: eventStoreDb,
    database: databaseUrl,
  } = program.opts<{ data: string; events?: string; database?: string }>();
  return { directory, eventStoreDb, databaseUrl };
};

program
  .command('import')
  .description('takes leads in from a file')
  .addCommand(
    new Command('leads')
      .description('CSV or NDJSON; a second run of the same file changes nothing')
      .argument('<file>')
      .option('--format <csv|ndjson>', 'default: by the name of the file', oneOf('csv', 'ndjson'))
      .option('--lead-type <id>', 'of rows that do not name one, e.g. exclusive-fresh')
      .option('--source <name>', 'of rows that do not name one')
      .option('--map <field=Column,…>', 'which column holds which field, where the usual names do not fit', mapping)
      .option('--ignore-unknown-columns', 'leave out columns that are none of ours instead of refusing the file')
      .option('--encoding <utf-8|latin1>', 'of the file', oneOf('utf-8', 'latin1'), 'utf-8')
      .option('--rejected <file>', 'where rejected rows go; default: FILE.rejected.csv')
      .action(async (file: string, { leadType, map, ...options }) => {
        const { importLeads } = await import('./import-leads.ts');
        const columns = map as Readonly<Record<string, string>> | undefined;
        await importLeads(place(), file, {
          ...options,
          ...(leadType && { leadTypeId: leadType }),
          ...(columns && { columns }),
        });
      }),
  );

program
  .command('timeline')
  .description('everything that happened to an order, and what it came to, at any instant')
  .argument(
    '<family>',
    'order, programme, checkout, lead, customer, replacement, ticket, looks, contacts, catalogue or policy',
  )
  .argument('<id>')
  .option('--at <instant>', 'the last instant to count, ISO 8601 with a zone; default: to the end')
  .option('--json', 'as JSON')
  .action(async (family: string, id: string, options: { at?: string; json?: boolean }) => {
    const { timeline } = await import('./timeline.ts');
    await timeline(place(), family, id, options);
  });

program
  .command('verify')
  .description('reads the whole log and checks hashes, revisions and the laws of the store')
  .option('--json', 'as JSON')
  .action(async (options: { json?: boolean }) => {
    const { verify } = await import('./verify.ts');
    process.exitCode = await verify(place(), options);
  });

program
  .command('clock')
  .description('moves the clock of a copy of the store, and tells what will happen by itself; the store stays as it is')
  .addOption(new Option('--days <number>', 'how far, in days of 24 hours').argParser(wholeNumber).conflicts('to'))
  .option('--to <instant>', 'how far, ISO 8601 with a zone')
  .option('--json', 'as JSON, alone on standard output')
  .action(async (options: { days?: number; to?: string; json?: boolean }) => {
    const { lookAhead } = await import('./clock.ts');
    await lookAhead(place(), options);
  });

program
  .command('rebuild')
  .description('builds a read model anew from the log; cut short, it goes on where it was the next time')
  .argument('[name]', 'e.g. orders')
  .option('--all', 'one after the other')
  .action(async (name: string | undefined, options: { all?: boolean }) => {
    const { rebuild } = await import('./rebuild.ts');
    await rebuild(place(), name, options);
  });

program
  .command('digest')
  .description('prints a digest of each read model: equal for equal rows')
  .option('--json', 'as JSON')
  .action(async (options: { json?: boolean }) => {
    const { digest } = await import('./digest.ts');
    await digest(place(), options);
  });

program
  .command('export')
  .description('writes the log, or a view of analysts')
  .argument('[view]', 'e.g. sales_by_day; see docs/analytics.md. Default: the log, as NDJSON')
  .addOption(new Option('--opened', 'the log with personal data opened; default: sealed').conflicts('format'))
  .option('--format <csv|ndjson|parquet>', 'of a view; default: ndjson', oneOf('csv', 'ndjson', 'parquet'))
  .option('--output <file>', 'instead of standard output; there when it is whole')
  .option('--timeout <seconds>', 'for each part of a view', secondsAtLeastOne, 60)
  .action(
    async (
      view: string | undefined,
      options: { opened?: boolean; format?: Exclude<Format, 'table'>; output?: string; timeout: number },
    ) => {
      const { opened = false, format = 'ndjson', output, timeout: timeoutSeconds } = options;
      if (view === undefined) {
        if (format !== 'ndjson')
          throw new CommandFailed('the log is written as NDJSON; only a view can be had as CSV or Parquet');
        const [{ logLines }, { writeOut }] = await Promise.all([import('./export.ts'), import('./output.ts')]);
        await writeOut(logLines(place(), { opened }), output);
        return;
      }
      if (opened) throw new CommandFailed('there is nothing in a view that could be opened');
      const { exportView } = await import('./query.ts');
      await exportView(place(), view, { format, timeoutSeconds, output });
    },
  );

program
  .command('query')
  .description('asks the views of analysts (docs/analytics.md), and nothing else, one question in SQL')
  .argument('<sql>', 'e.g. "SELECT * FROM fill_rate"')
  .option('--format <table|csv|ndjson|parquet>', 'of the answer', oneOf('table', 'csv', 'ndjson', 'parquet'), 'table')
  .option('--output <file>', 'instead of standard output; there when it is whole')
  .option('--timeout <seconds>', 'for each part of the answer', secondsAtLeastOne, 60)
  .action(async (sql: string, { format, output, timeout }: { format: Format; output?: string; timeout: number }) => {
    const { query } = await import('./query.ts');
    await query(place(), sql, { format, timeoutSeconds: timeout, output });
  });

program
  .command('sql')
  .description(
    'opens a local port for psql and its like, on a copy of the embedded read models; all are superuser there',
  )
  .option('--port <number>', 'on 127.0.0.1', wholeNumber, 5433)
  .action(async (options: { port: number }) => {
    const { serveSql } = await import('./sql.ts');
    await serveSql(place(), options);
  });

program
  .command('serve-events')
  .description("serves the log in EventStoreDB's protocol, for any of its clients; read-only")
  .option('--port <number>', 'on 127.0.0.1', wholeNumber, 2113)
  .option('--writable', 'let clients append; nobody else may have the store open')
  .action(async (options: { port: number; writable?: boolean }) => {
    const { serveEvents } = await import('./serve-events.ts');
    await serveEvents(program.opts<{ data: string }>().data, options);
  });

program
  .command('copy')
  .description('copies a log into another store, order and ids kept, and compares both sides; may be cut short')
  .requiredOption('--from <place>', 'a data directory, or esdb://…')
  .requiredOption('--to <place>', 'a data directory, or esdb://…')
  .option('--keys-to <url>', 'postgres://…: the keys of personal data go there; needs LEADGER_MASTER_KEY')
  .action(async (options: { from: string; to: string; keysTo?: string }) => {
    const { copy } = await import('./copy.ts');
    await copy(options);
  });

program
  .command('catalog')
  .description('prints every event that the ledger can remember, as Markdown')
  .option('--views', 'the views of analysts instead')
  .option('--errors', 'the error codes of the API instead')
  .action(async ({ views = false, errors = false }: { views?: boolean; errors?: boolean }) => {
    const { eventCatalog } = await import('./catalog.ts');
    const { viewsPage } = await import('./views-page.ts');
    const { errorsPage } = await import('#apps/api/error-codes');
    console.log(errors ? errorsPage() : views ? viewsPage() : eventCatalog());
  });

program
  .command('demo')
  .description(
    'lives through some days of a lead store, with real order arrivals and invented leads; kept with --data only',
  )
  .option('--days <number>', 'how many', wholeNumber, 30)
  .option('--seed <number>', 'the same seed makes the same history', wholeNumber, 1)
  .option('--continue', 'goes on with a demo of the same seed that was cut short, in its directory')
  .option('--json', 'the summary as JSON, alone on standard output')
  .action(async (options: { days: number; seed: number; json?: boolean; continue?: boolean }) => {
    const { demo } = await import('./demo.ts');
    // What a store of this machine uses (by the environment) is not for a demo, unless it is named.
    const named = <Value>(option: string, value: Value) =>
      program.getOptionValueSource(option) === 'cli' ? value : undefined;
    const { directory, eventStoreDb, databaseUrl } = place();
    process.exitCode = await demo({
      ...options,
      data: named('data', directory),
      eventStoreDb: named('events', eventStoreDb),
      databaseUrl: named('database', databaseUrl),
    });
  });

// Whoever reads our output may have seen enough: `leadger export | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

await program.parseAsync().catch((error: unknown) => {
  const expected = error instanceof LeadgerError;
  console.error(`leadger: ${expected ? error.message : error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
});

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw new InvalidArgumentError('It is not a whole number.');
  return number;
}

/** A day at most: longer is as good as for ever. */
function secondsAtLeastOne(text: string): number {
  const seconds = wholeNumber(text);
  if (seconds < 1 || seconds > 86_400) throw new InvalidArgumentError('It is not from 1 to 86400.');
  return seconds;
}

function oneOf(...choices: readonly string[]) {
  return (text: string): string => {
    if (!choices.includes(text)) throw new InvalidArgumentError(`It is not one of ${choices.join(', ')}.`);
    return text;
  };
}

/** `telephone=Phone 1,email=Mail` */
function mapping(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((pair) => /^([^=]+)=(.+)$/.exec(pair.trim()));
  if (pairs.some((pair) => pair === null)) throw new InvalidArgumentError('It is not field=Column,field=Column.');
  return Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]));
}
