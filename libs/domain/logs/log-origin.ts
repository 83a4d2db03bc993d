import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { processOnly, type RightsOf } from '../kernel/rights.ts';

/** Says from which log this one was made, if it was made from another (ADR 27). It is the beginning of such a log. */
export const originStream = 'log-main';

/** Their `at` is an instant of the log around them: the instants of the store do not jump. `recordedAt` says the time. */
export const logOriginEvents = {
  /** The events that follow are those of another log, in the forms of the version that wrote this. */
  LogRewritten: fact({ from: id.describe('The identity of the other log.') }),
  /** All events of the other log are here. A log without this fact is a half copy, which no program opens. */
  RewritingFinished: fact({ events: count.describe('How many events the other log has.') }),
};
export type LogOriginEvent = EventsOf<typeof logOriginEvents>;

export type LogOriginCommand =
  | { type: 'BeginRewriting'; at: Instant; from: string }
  | { type: 'FinishRewriting'; at: Instant; events: number };

export interface LogOriginState {
  from?: string;
  finished?: true;
}

/** Who may ask for which command. */
export const logOriginRights = {
  BeginRewriting: processOnly,
  FinishRewriting: processOnly,
} satisfies RightsOf<LogOriginCommand, LogOriginState>;

export const logOrigin: Decider<LogOriginState, LogOriginCommand, LogOriginEvent> = {
  initialState: () => ({}),

  decide(command, { from, finished }): Decision<LogOriginEvent> {
    const { at } = command;
    switch (command.type) {
      case 'BeginRewriting':
        if (from === undefined) return [{ type: 'LogRewritten', data: { at, from: command.from } }];
        return from === command.from ? [] : refuse('another-origin', `this log is a copy of log ${from}`);
      case 'FinishRewriting':
        if (from === undefined) return refuse('not-a-copy', 'this log is no copy of another one');
        return finished ? [] : [{ type: 'RewritingFinished', data: { at, events: command.events } }];
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'LogRewritten':
        state.from = event.data.from;
        break;
      case 'RewritingFinished':
        state.finished = true;
        break;
    }
    return state;
  },
};

export const isHalfCopy = ({ from, finished }: LogOriginState): boolean => from !== undefined && !finished;
