import { Option } from 'commander';
import { wholeNumber } from './arguments.ts';
import { location, program } from './global-options.ts';

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
  .argument(
    '<file...>',
    'the report as CSV: "Balance change from activity, itemized" of Stripe; several count as one, and may overlap',
  )
  .option('--from <day>', 'the first day that the report is of, in UTC; default: the day of its first line')
  .option('--to <day>', 'the last day that the report is of, in UTC; default: the day of its last line')
  .option('--json', 'print JSON')
  .action(async (files: string[], options: { json?: boolean; from?: string; to?: string }) => {
    const { reconcileWith } = await import('./reconcile.ts');
    process.exitCode = await reconcileWith(location(), files, options);
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
