/** A rule does not allow the command. Nothing is recorded; the caller gets the reason. */
export interface Refusal {
  readonly refused: true;
  /** Stable and machine-readable, e.g. `order-not-open`. */
  readonly code: string;
  /** A sentence for people. */
  readonly message: string;
  /** Rule id of the store's rules where there is one, e.g. `ORD-4`. */
  readonly rule?: string;
  /** The field of the request that caused it, where the code alone does not tell. */
  readonly field?: string;
  /** Further values for programs, e.g. `reason`. */
  readonly details?: Readonly<Record<string, string>>;
}

export const refuse = (code: string, message: string, rule?: string): Refusal => ({
  refused: true,
  code,
  message,
  ...(rule && { rule }),
});

export const isRefusal = (decision: object): decision is Refusal => 'refused' in decision;

/** Ends the switch of `decide`. With a command that no case decides, the call does not compile, and the error names it. */
export function undecided(command: never): never {
  throw new Error(`no case decides ${(command as DomainCommand).type}`);
}

/** What happened, in the business's words, and when. */
export interface DomainEvent {
  readonly type: string;
  readonly data: { readonly at: string };
}

export interface DomainCommand {
  readonly type: string;
}

export type Decision<Event extends DomainEvent> = readonly Event[] | Refusal;

/**
 * Three values describe a stream. `decide` is pure: time, ids, prices and policy arrive in the command; a repeated command
 * returns `[]`. `evolve` may update the state's collections in place: a fold owns its state.
 */
export interface Decider<State, Command extends DomainCommand, Event extends DomainEvent> {
  readonly initialState: () => State;
  readonly decide: (command: Command, state: State) => Decision<Event>;
  readonly evolve: (state: State, event: Event) => State;
}
