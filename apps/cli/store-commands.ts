import { Command } from 'commander';
import { type ProgramName, programNames } from '#apps/configuration';
import { oneOf, port } from './arguments.ts';
import { location, output, program } from './global-options.ts';

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
