import { Command } from 'commander';
import { location, output, program } from './global-options.ts';

program
  .command('admin')
  .description(
    'makes the first account of a member of staff, lets one back in who lost the second factor, and ends sessions',
  )
  .addCommand(
    new Command('create')
      .configureOutput(output)
      .description('adds the first administrator, who adds all others: it ends the trial for good')
      .requiredOption('--email <address>', 'with what the administrator signs in')
      .option('--name <name>', 'the name of the administrator; it is stored sealed')
      .option(
        '--password-file <file>',
        'a file with the password, that only its owner can open; default: it is asked for',
      )
      .action(async (options: { email: string; name?: string; passwordFile?: string }) => {
        const { createAdministrator } = await import('./admin.ts');
        await createAdministrator(location(), options);
      }),
  )
  .addCommand(
    new Command('reset-factor')
      .configureOutput(output)
      .description(
        'takes away the second factors of a member of staff who lost them, while no program runs the store: at the next sign-in, another one is added',
      )
      .requiredOption('--email <address>', 'with what the member signs in')
      .action(async (options: { email: string }) => {
        const { resetFactor } = await import('./admin.ts');
        await resetFactor(location(), options);
      }),
  )
  .addCommand(
    new Command('end-sessions')
      .configureOutput(output)
      .description('ends all sessions of a member of staff, or of a customer, while no program runs the store')
      .option('--email <address>', 'with what the member of staff signs in')
      .option('--customer <id>', 'the customer')
      .requiredOption('--reason <text>', 'why; it is recorded')
      .action(async (options: { email?: string; customer?: string; reason: string }) => {
        const { endSessions } = await import('./admin.ts');
        await endSessions(location(), options);
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
