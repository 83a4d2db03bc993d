import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { checkEnvironment, mustNotBeEmpty, settingIn } from '#apps/settings';
import { onItsLines } from '#apps/terminal-text';
import { withoutPasswords } from '#domain/kernel/connection-string';
import type { StoreLocation } from '#wiring/stores';
import { tellBeginning } from './telling.ts';

/** An option that was mistyped may be a connection string. */
export const output = { writeErr: (text: string) => process.stderr.write(onItsLines(withoutPasswords(text))) };

/** `leadger`: the commands for store owners, auditors and analysts. Each command loads only the modules that it needs. */
export const program = new Command('leadger')
  .description('An event-sourced order and lead ledger for lead stores')
  .version(versionOfLeadger())
  .option('--data <directory>', 'the directory that holds the store', settingIn('LEADGER_DATA'))
  .addOption(
    // Not as a default: the help shows those, and connection strings have passwords.
    new Option(
      '--events <url>',
      'an EventStoreDB that holds the events, esdb://…; default: the events are in the directory',
    ).env('LEADGER_EVENTS'),
  )
  .addOption(
    new Option(
      '--database <url>',
      'a PostgreSQL for read models, and for keys if the events are on a server too, postgres://…',
    ).env('DATABASE_URL'),
  )
  .configureOutput(output)
  .showHelpAfterError()
  .configureHelp({ showGlobalOptions: true })
  .hook('preAction', async (_, command) => {
    // It says everything that is wrong, not only what comes first.
    if (command.name() === 'check-config') return;
    checkEnvironment();
    for (const name of ['data', 'events', 'database']) mustNotBeEmpty(`--${name}`, program.opts()[name]);
    await tellBeginning(namesOf(command).join(' '));
  });

/** Of a command and those that it belongs to: `keys rotate`. */
const namesOf = (command: Command): readonly string[] =>
  command.parent ? [...namesOf(command.parent), command.name()] : [];

/** Where the options say that the store is. */
export const location = (): StoreLocation => {
  const {
    data: directory,
    events: eventStoreDb,
    database: databaseUrl,
  } = program.opts<{ data: string; events?: string; database?: string }>();
  return { directory, eventStoreDb, databaseUrl };
};

function versionOfLeadger(): string {
  const root = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);
  return JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).version;
}
