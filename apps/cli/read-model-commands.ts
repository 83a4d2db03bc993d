import { Option } from 'commander';
import { oneOf, port, secondsAtLeastOne } from './arguments.ts';
import { CommandFailed } from './command-failed.ts';
import { location, program } from './global-options.ts';
import type { Format } from './query.ts';

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
