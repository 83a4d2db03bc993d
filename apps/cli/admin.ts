import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { z } from 'zod';
import { wrongInNewPassword } from '#domain/accounts/password';
import { counted } from '#domain/kernel/counted';
import { normalText, wrongInText } from '#domain/kernel/text';
import { directoryHolder } from '#event-store/data-directory';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import type { StoreLocation } from '#wiring/stores';
import { askStore } from './ask-store.ts';
import { CommandFailed } from './command-failed.ts';
import { printLines } from './print.ts';

interface NewAdministrator {
  readonly email: string;
  readonly name?: string;
  /** Default: it is asked for. */
  readonly passwordFile?: string;
}

const LONGEST_NAME = 200;

/** Adds the first administrator, which ends the trial for good. @throws CommandFailed, CannotOpenStore */
export async function createAdministrator(location: StoreLocation, options: NewAdministrator): Promise<void> {
  const { email, name } = checked(options);
  const password = await passwordFor(options);
  const wrong = wrongInNewPassword(password);
  if (wrong !== undefined) throw new CommandFailed(`the password ${wrong}`);
  const first = { email, password, ...(name !== undefined && { name }) };
  const { memberId } = (await askStore(location, {
    method: 'POST',
    path: '/api/staff-members/first',
    body: first,
    afterTrial: 'the trial is over: sign in as an administrator, who adds others (POST /api/staff-members)',
    async here({ requests }, context) {
      const { id, outcome } = await requests.staff.addFirst(first, context);
      if (outcome.kind === 'refused') throw new CommandFailed(outcome.refusal.message);
      return { memberId: id };
    },
  })) as { memberId: string };
  printLines(
    `${email} is the administrator of this store (staff:${memberId}), and the trial is over: from now on, whoever asks signs in`,
  );
}

/** For whoever is at the machine of a store whose last administrator lost the second factor. @throws CommandFailed, CannotOpenStore */
export async function resetFactor(location: StoreLocation, { email }: { email: string }): Promise<void> {
  mustNotRun(location);
  const { memberId } = (await askStore(location, {
    method: 'POST',
    path: '/api/staff-members/none/reset-factors',
    async here({ requests, queries }, context) {
      const memberId = await memberWithAddress(queries, context, email);
      const { outcome } = await requests.factors.reset(memberId, context);
      if (outcome.kind === 'refused') throw new CommandFailed(outcome.refusal.message);
      return { memberId };
    },
  })) as { memberId: string };
  printLines(`${email} (staff:${memberId}) signs in with the password alone now, and adds another second factor then`);
}

interface EndingSessions {
  /** Of a member of staff. */
  readonly email?: string;
  readonly customer?: string;
  readonly reason: string;
}

/** Ends all sessions of a member of staff, or of a customer. @throws CommandFailed, CannotOpenStore */
export async function endSessions(
  location: StoreLocation,
  { email, customer: customerId, reason }: EndingSessions,
): Promise<void> {
  if ((email === undefined) === (customerId === undefined))
    throw new CommandFailed('name the account by one of --email, --customer');
  mustNotRun(location);
  const ended = await askStore(location, {
    method: 'POST',
    path: '/api/sessions/others/end',
    reason,
    settles: true,
    async here({ queries, operations }, context) {
      const holder =
        customerId === undefined
          ? { memberId: await memberWithAddress(queries, context, email ?? '') }
          : { customerId };
      return operations.endSessionsOf(context, holder);
    },
  });
  printLines(`ended: ${counted(ended as number, 'session')}`);
}

/** @throws CommandFailed */
function mustNotRun({ directory }: StoreLocation): void {
  if (directory !== undefined && directoryHolder(directory))
    throw new CommandFailed('stop the program of this store first: over HTTP, another administrator does this');
}

/** @throws CommandFailed */
async function memberWithAddress({ staff }: Queries, context: RequestContext, email: string): Promise<string> {
  const member = (await staff.list(context)).find((one) => one.email === email);
  if (!member) throw new CommandFailed(`no member of staff has the address ${email}`);
  return member.memberId;
}

function checked({ email, name }: NewAdministrator): Pick<NewAdministrator, 'email' | 'name'> {
  if (!z.email().max(254).safeParse(email).success) throw new CommandFailed(`--email: ${email} is no e-mail address`);
  if (name === undefined) return { email };
  const wrong = wrongInText(name, { lines: 'one', most: LONGEST_NAME });
  if (wrong !== undefined) throw new CommandFailed(`--name ${wrong}`);
  return { email, name: normalText(name) };
}

/** Never an argument: other users of the machine see those. */
async function passwordFor({ passwordFile }: NewAdministrator): Promise<string> {
  if (passwordFile !== undefined) return passwordIn(passwordFile);
  if (!process.stdin.isTTY)
    throw new CommandFailed('there is no terminal to ask for the password: use --password-file');
  const password = await askUnseen('Password: ');
  if ((await askUnseen('Again: ')) !== password) throw new CommandFailed('the two passwords differ');
  return password;
}

/** A line end at its end is not part of it. */
function passwordIn(file: string): string {
  try {
    if (statSync(file).isFile() && (statSync(file).mode & 0o077) !== 0)
      throw new CommandFailed(`other users can open ${file}: chmod 600 it, and choose another password`);
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    throw new CommandFailed(`${file} cannot be read: ${(error as Error).message}`);
  }
}

async function askUnseen(question: string): Promise<string> {
  process.stderr.write(question);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: unseen, terminal: true });
  const answer = await terminal.question('');
  terminal.close();
  process.stderr.write('\n');
  return answer;
}
