import { type Decider, type DomainCommand, type DomainEvent, isRefusal } from '#domain/kernel/decider';

/**
 * `given(order, placed, paid).when(pause).thenRecords(paused)`: decides, and folds the decided events. A repeated command
 * records nothing.
 */
export function given<State, Command extends DomainCommand, Event extends DomainEvent>(
  decider: Decider<State, Command, Event>,
  ...past: readonly Event[]
) {
  const fold = (events: readonly Event[]): State => events.reduce(decider.evolve, decider.initialState());
  return {
    when(command: Command) {
      const decision = decider.decide(command, fold(past));
      return {
        decision,
        /** Expects these events, and none when the command is repeated. */
        thenRecords(...events: readonly Event[]): void {
          expect(decision).toEqual(events);
          expect(decider.decide(command, fold([...past, ...events]))).toEqual([]);
        },
        /** Expects these events, and a refusal when the command is repeated. */
        thenRecordsOnce(...events: readonly Event[]): void {
          expect(decision).toEqual(events);
          expect(isRefusal(decider.decide(command, fold([...past, ...events])))).toBe(true);
        },
        /** Expects these events. A repeated command may record them again. */
        thenRecordsEachTime(...events: readonly Event[]): void {
          expect(decision).toEqual(events);
        },
        thenNothing(): void {
          expect(decision).toEqual([]);
        },
        thenRefuses(code: string, rule?: string): void {
          expect(isRefusal(decision)).toBe(true);
          expect(decision).toMatchObject({ code, ...(rule && { rule }) });
        },
      };
    },
    state: () => fold(past),
  };
}

/** Minutes of one morning, as instants: business hours for specs. */
export const minute = (number: number): string => new Date(Date.UTC(2026, 4, 1, 10) + number * 60_000).toISOString();
