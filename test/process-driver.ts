import type { FactOf } from '#domain/codec';
import type { EventTypeName } from '#domain/ledger';
import type { Process } from '#processes/process';

const LIMIT = 100;

/** A fact as tests write it. */
export type FactSpec<Types> = readonly [stream: string, type: Types, data: object];

/** Folds facts into a process, as if read from a log. All facts have the same instant unless they state another. */
export function driveProcess<State, Types extends EventTypeName>(process: Process<State, Types>, at: string) {
  const state = process.initialState();
  let folded = 0;
  const wishes = (now = at) => process.next(state, { now, eventsSeen: folded, runs: () => true }, LIMIT);
  return {
    fold(...[stream, type, data]: FactSpec<Types>): void {
      folded += 1;
      const fact = { type, stream, eventId: `event ${folded}`, revision: 0, position: String(folded), cause: {} };
      process.evolve(state, { ...fact, data: { at, ...data } } as unknown as FactOf<Types>);
    },
    state: () => state,
    /** What the process wishes now. It does not repeat these wishes. */
    wishes,
    /** The same as names: types of commands, kinds of effects. */
    wishesAt: (now?: string) => wishes(now).map((wish) => ('command' in wish ? wish.command.type : wish.effect.kind)),
    wakesAt: () => process.wakeAt?.(state),
  };
}
