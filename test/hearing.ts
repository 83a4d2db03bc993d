import type { FactOf } from '#domain/codec';
import type { EventTypeName } from '#domain/ledger';
import type { Process } from '#processes/process';

const LIMIT = 100;

/** A fact as tests write it. */
export type Told<Types> = readonly [stream: string, type: Types, data: object];

/** A process that hears facts as if it read them from a log, all from one instant unless they say another. */
export function hearing<State, Types extends EventTypeName>(process: Process<State, Types>, at: string) {
  const state = process.initialState();
  let heard = 0;
  const wishes = (now = at) => process.next(state, { now, position: String(heard), runs: () => true }, LIMIT);
  return {
    hear(...[stream, type, data]: Told<Types>): void {
      heard += 1;
      const fact = { type, stream, eventId: `event ${heard}`, revision: 0, position: String(heard), cause: {} };
      process.evolve(state, { ...fact, data: { at, ...data } } as unknown as FactOf<Types>);
    },
    /** What it wishes to do now, and forgets that it wished. */
    wishes,
    /** The same by name: types of commands, kinds of effects. */
    wishesAt: (now?: string) => wishes(now).map((wish) => ('command' in wish ? wish.command.type : wish.effect.kind)),
    wakesAt: () => process.wakeAt?.(state),
  };
}
