import { type NamedPerson, namedPerson } from '#requests/named-person';
import type { StoreLocation } from '#wiring/stores';
import { askStore } from './ask-store.ts';
import { CommandFailed } from './command-failed.ts';
import { printJson, printLines } from './print.ts';
import { noteCounts } from './telling.ts';

interface PersonOptions extends NamedPerson {
  /** Why. It is recorded, sealed; for an export, only where the person is a customer. */
  readonly reason: string;
}

interface Exported {
  readonly asCustomer: readonly unknown[];
  readonly asLead: readonly unknown[];
}

interface Erased {
  readonly customers: number;
  readonly leads: number;
}

type Act = 'exports' | 'erasures';

/** Prints all that is held about a person, as JSON. @throws CommandFailed, CannotOpenStore */
export async function exportPerson(location: StoreLocation, { reason, ...person }: PersonOptions): Promise<void> {
  const found = (await act(location, 'exports', person, reason)) as Exported;
  noteCounts({ customers: found.asCustomer.length, leads: found.asLead.length });
  printJson(found);
}

/** Erases a person, and ends what the person still had. @throws CommandFailed, CannotOpenStore */
export async function erasePerson(location: StoreLocation, { reason, ...person }: PersonOptions): Promise<void> {
  const { customers, leads } = (await act(location, 'erasures', person, reason)) as Erased;
  noteCounts({ customers, leads });
  printLines(`erased: ${customers} as customer, ${leads} as lead`);
}

const optionOf: Readonly<Record<string, string>> = { customerId: '--customer', leadId: '--lead' };

/** What the API would refuse is refused before the store is opened. @throws CommandFailed */
function mustBeValid(person: NamedPerson): void {
  if (Object.values(person).filter((value) => value !== undefined).length !== 1)
    throw new CommandFailed('name the person by one of --customer, --lead, --telephone, --email');
  const [issue] = namedPerson.safeParse(person).error?.issues ?? [];
  const name = String(issue?.path[0]);
  if (issue) throw new CommandFailed(`${optionOf[name] ?? `--${name}`} ${issue.message}`);
}

async function act(location: StoreLocation, what: Act, person: NamedPerson, reason: string): Promise<unknown> {
  mustBeValid(person);
  const answer = (await askStore(location, {
    method: 'POST',
    path: `/api/persons/${what}`,
    body: { person },
    reason,
    // What the person still had is ended.
    settles: what === 'erasures',
    here: ({ queries, operations }, context) =>
      what === 'exports' ? queries.persons.export(context, { person }) : operations.erasePerson(context, { person }),
  })) as { approvalId?: string };
  if (answer.approvalId === undefined) return answer;
  throw new CommandFailed(`this waits for another member of staff, who approves it over HTTP: ${answer.approvalId}`);
}
