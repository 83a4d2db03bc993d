import { Command } from 'commander';
import { checkedId, mapping, oneOf } from './arguments.ts';
import { location, output, program } from './global-options.ts';

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
        'CSV with a header, or of one column without one; or NDJSON with one person per line: {"telephones": […], "emails": […]}',
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
  .description(
    'lists the lists of persons who are not sold, and lifts suppressions: of a person, or all that a list made',
  )
  .addCommand(
    new Command('lists')
      .configureOutput(output)
      .description('lists the lists by name, with how many numbers and addresses each suppresses now')
      .option('--json', 'print JSON')
      .action(async (options: { json?: boolean }) => {
        const { listSuppressionLists } = await import('./suppressions.ts');
        await listSuppressionLists(location(), options);
      }),
  )
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
