import { idOf } from '#domain/codec';
import { scopeOf } from '#domain/kernel/caller';
import { type Refusal, refuse } from '#domain/kernel/decider';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { type Asked, type AskedBy, anyone, type Rule, refuseBeforeFactor } from '#domain/kernel/rights';
import { type Family, type FamilyName, familyOf, ledger, type StateOf } from '#domain/ledger';
import type { Outcome } from './addressed-command.ts';

/** The caller has no right to ask for this. */
export class RequestRefused extends LeadgerError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code, refusal.message);
    this.refusal = refusal;
  }
}

const keyReused = refuse('key-reused', 'this Idempotency-Key came with another body before');

/** For a step of a request that does more. @throws RequestRefused */
export function mustBeAccepted(
  outcome: Outcome,
  what: string,
): asserts outcome is Extract<Outcome, { readonly kind: 'accepted' }> {
  if (outcome.kind === 'refused') throw new RequestRefused(outcome.refusal);
  if (outcome.kind === 'key-reused') throw new RequestRefused(keyReused);
  if (outcome.kind !== 'accepted') throw new Error(`${what} was not recorded: ${outcome.kind}`);
}

type RightsIn<Name extends FamilyName> = (typeof ledger)[Name]['rights'];
// biome-ignore lint/suspicious/noExplicitAny: each rule knows its own state
type CommandOfRule<AnyRule> = AnyRule extends Rule<infer Command, any> ? Command : never;

/** A command that is still to be made: its type, and of its data what the rule needs. */
type DraftOf<Name extends FamilyName> = {
  [Type in keyof RightsIn<Name>]: { readonly type: Type } & CommandOfRule<RightsIn<Name>[Type]>;
}[keyof RightsIn<Name>];

/**
 * For a request that must know before it seals data, or takes a first step: may the caller ask for this command?
 * @returns why not; undefined when it may
 */
export const checkRightEarly = <Name extends FamilyName>(
  stream: `${Name}-${string}`,
  draft: DraftOf<Name>,
  state: StateOf<Name>,
  by: AskedBy,
): Refusal | undefined => checkRight(stream, draft as { type: string }, state, by);

/**
 * May the caller ask for this command, by the state that the stream has now? The rights are in the stream's file.
 * @returns why not; undefined when it may
 * @throws RangeError for a command that the stream does not know
 */
export function checkRight(
  stream: string,
  command: { readonly type: string },
  state: unknown,
  { caller, reason }: AskedBy,
): Refusal | undefined {
  const { rights, store }: Family = ledger[familyOf(stream)];
  const rule = Object.hasOwn(rights, command.type) ? rights[command.type] : undefined;
  if (!rule) throw new RangeError(`${command.type} is no command of ${stream}`);
  const id = idOf(stream);
  const scope = scopeOf(caller);
  const stores = typeof scope === 'object' && 'stores' in scope ? scope.stores : undefined;
  const belongsTo = stores && store?.(state as never, command as never, id);
  const storeId = typeof belongsTo === 'string' ? belongsTo : undefined;
  const asked: Asked<unknown, unknown> = { caller, reason, command, state, id, storeId };
  return (
    refuseBeforeFactor(rule, asked) ??
    rule(asked as Asked<never, never>) ??
    (rule === anyone || rule.aboutCaller || !stores ? undefined : refuseOtherStore(stores, belongsTo))
  );
}

/** Roles hold in their stores. What belongs to others too, or to one that is not known, is for staff of those or of all stores. */
function refuseOtherStore(
  stores: readonly string[],
  belongsTo: string | readonly string[] | undefined,
): Refusal | undefined {
  const of = [belongsTo ?? []].flat();
  if (of.length > 0 && of.every((storeId) => stores.includes(storeId))) return undefined;
  return refuse(
    'other-store',
    'your roles do not hold in the store that this belongs to, or it belongs to other stores, too',
  );
}
