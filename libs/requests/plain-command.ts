import { idOf } from '#domain/codec';
import { isRefusal } from '#domain/kernel/decider';
import type { Purpose, Sealed, Secret } from '#domain/kernel/events';
import { type AnyCommand, type CommandOf, type Family, type FamilyName, familyOf, ledger } from '#domain/ledger';
import { seal } from './account-seals.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRight } from './rights.ts';

/** Text that may name a person. It is sealed with the key of the stream's customer before the command is sent. */
class Personal {
  readonly purpose: Purpose;
  readonly text: string;

  constructor(purpose: Purpose, text: string) {
    this.purpose = purpose;
    this.text = text;
  }
}

/** @param purpose what the text is, as in the field of the event (`sealedFor`) */
export const personal = (purpose: Purpose, text: string): Personal => new Personal(purpose, text);

type DraftField<Value> = Value extends Secret ? Value : Value extends Sealed ? Personal : Value;

/** A command before it is sent: without its instant, and with personal texts that are not sealed yet. */
export type Draft<Command> = Command extends unknown
  ? { readonly [Field in keyof Command as Exclude<Field, 'at'>]: DraftField<Command[Field]> }
  : never;

/** Sends a command for which nothing must be looked up. */
export async function sendPlain<Name extends FamilyName>(
  tools: RequestTools,
  stream: `${Name}-${string}`,
  draft: Draft<CommandOf<Name>>,
  context: RequestContext,
): Promise<Receipt> {
  const id = idOf(stream);
  const command = { ...draft, at: tools.now() } as unknown as AnyCommand;
  if (!Object.values(command).some(isPersonal)) return tools.send(id, stream, command, context);
  const state = await tools.stateOf<Name>(stream);
  const refusal = checkRight(stream, command, state, context);
  if (refusal) return tools.refuse(id, stream, refusal, context);
  const { decider, owner }: Family = ledger[familyOf(stream)];
  const customerId = owner?.(state as never, id);
  if (customerId !== undefined) return tools.send(id, stream, await sealed(tools, customerId, command), context);
  // A stream without an owner does not exist: the domain says so, and nothing is sealed.
  const decision = decider.decide(command, state);
  if (!isRefusal(decision))
    throw new RangeError(`${stream} belongs to no customer, so ${command.type} cannot be sealed`);
  return tools.send(id, stream, decision, context);
}

const isPersonal = (value: unknown): value is Personal => value instanceof Personal;

async function sealed({ vault }: RequestTools, customerId: string, command: AnyCommand): Promise<AnyCommand> {
  const fields = Object.entries(command).map(
    async ([name, value]) =>
      [name, isPersonal(value) ? await seal(vault, customerId, value.purpose, value.text) : value] as const,
  );
  return Object.fromEntries(await Promise.all(fields)) as AnyCommand;
}
