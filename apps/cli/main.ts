#!/usr/bin/env node
import '#apps/node-version';
import '#apps/owner-only';
import '#apps/warnings';
import 'reflect-metadata';
// The help lists the commands in this order.
import './import-commands.ts';
import './people-commands.ts';
import './audit-commands.ts';
import './read-model-commands.ts';
import './store-commands.ts';
import { messageOf } from '#apps/message-of';
import { wholeNumber } from './arguments.ts';
import { CommandFailed } from './command-failed.ts';
import { location, program } from './global-options.ts';
import { printError, printLines } from './print.ts';
import { tellEnd } from './telling.ts';

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

let cannotPrint: Error | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of our output may stop early: `leadger export | head`.
  if (error.code === 'EPIPE') process.exit();
  cannotPrint ??= error;
});

/** @throws CommandFailed when standard output did not take all that the command printed */
async function mustBePrinted(): Promise<void> {
  await new Promise((written) => process.stdout.write('', written));
  if (cannotPrint) throw new CommandFailed(`standard output cannot be written: ${cannotPrint.message}`);
}

/** Bytes that are no UTF-8 come as this character, and would be stored as it. */
async function refuseOtherEncodings(): Promise<void> {
  const wrong = process.argv.find((text) => text.includes('\ufffd'));
  if (wrong !== undefined) throw new CommandFailed(`"${wrong}" is not UTF-8`);
}

await refuseOtherEncodings()
  .then(() => program.parseAsync())
  .then(mustBePrinted)
  .then(() => tellEnd())
  .catch(async (error: unknown) => {
    printError(`leadger: ${messageOf(error)}`);
    process.exitCode = 1;
    await tellEnd(error);
  });
