import { setImmediate as nextTurn } from 'node:timers/promises';
import { addSeconds } from '#domain/kernel/instants';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock, systemClock } from '#gateways/clock';
import { waitUntil } from '#test/wait-until';
import type { Process } from '../process.ts';
import { ProcessEngine } from './engine.ts';
import type { EngineOptions } from './options.ts';

const START = '2026-05-01T10:00:00.000Z';

/** Removes old copies of mails once: a call to the outside. */
const removal: Process<{ due: boolean }> = {
  name: 'removal',
  eventTypes: [],
  initialState: () => ({ due: true }),
  evolve: () => {},
  next(state) {
    if (!state.due) return [];
    state.due = false;
    const effect = { kind: 'remove-mail-copies', before: START } as const;
    return [{ commandId: 'removal', stream: 'mail-1', effect }];
  },
};

describe('an engine whose call to the outside gets no answer', () => {
  let store: EventStore;
  let engine: ProcessEngine;
  let heads: number;
  let answer: () => void;
  let called: Promise<void>;

  beforeEach(async () => {
    store = await openEmbeddedStore();
    heads = 0;
    const { head } = store;
    store.head = () => {
      heads += 1;
      return head.call(store);
    };
  });
  afterEach(async () => {
    answer();
    await engine.stop();
    await store.close();
  });

  const begin = (options: Partial<EngineOptions>) => {
    const [begun, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    called = begun.promise;
    answer = answered.resolve;
    const removeCopies = async () => {
      begun.resolve();
      await answered.promise;
      return undefined;
    };
    engine = new ProcessEngine({
      store,
      clock: systemClock(),
      processes: [removal],
      send: () => Promise.reject(new Error('no command is expected')),
      effects: { 'remove-mail-copies': removeCopies } as unknown as EngineOptions['effects'],
      ...options,
    });
    void engine.start();
  };

  it('reads nothing because of its timers', async () => {
    const clock = systemClock();
    let rings = 0;
    const bell: Process<{ at: string }> = {
      name: 'bell',
      eventTypes: [],
      initialState: () => ({ at: clock.now() }),
      evolve: () => {},
      next(state, { now }) {
        rings += 1;
        state.at = addSeconds(now, 0.005);
        return [];
      },
      wakeAt: ({ at }) => at,
    };
    begin({ clock, processes: [removal, bell] });
    await called;
    const before = { heads, rings };
    await waitUntil(() => rings >= before.rings + 10);
    expect(heads).toBe(before.heads);
  });

  it('has no call under way while the call waits for its turn, and one from then on', async () => {
    const clock = new MovedClock(START);
    const [turn, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const removeCopies: EngineOptions['effects']['remove-mail-copies'] = async (_, __, { waits, begins }) => {
      waits();
      await turn.promise;
      begins();
      await answered.promise;
      return undefined;
    };
    begin({ clock, effects: { 'remove-mail-copies': removeCopies } as unknown as EngineOptions['effects'] });
    const now = () => engine.status().processes[0]?.withoutResult;
    await waitUntil(() => now()?.[0]?.waiting === 1);
    expect(now()).toMatchObject([{ underWay: 0, waiting: 1, waitingSince: START }]);
    await clock.moveTo(addSeconds(START, 900));
    turn.resolve();
    await waitUntil(() => now()?.[0]?.underWay === 1);
    expect(now()).toMatchObject([{ underWay: 1, underWaySince: addSeconds(START, 900), waiting: 0 }]);
    answered.resolve();
    answer = () => {};
    await waitUntil(() => now()?.length === 0);
  });

  it('is settled when the call has ended, and asks for the end of the log once', async () => {
    begin({ clock: new MovedClock(START) });
    await called;
    const before = heads;
    let isSettled = false;
    const settled = engine.settle().then(() => {
      isSettled = true;
    });
    for (let turns = 0; turns < 100; turns += 1) await nextTurn();
    expect({ isSettled, heads: heads - before }).toEqual({ isSettled: false, heads: 1 });
    answer();
    await settled;
  });
});

describe('an engine that does not act for a unit', () => {
  it('sets no timer for what is due there: another worker does it', async () => {
    const store = await openEmbeddedStore();
    const alarms: string[] = [];
    class ObservedClock extends MovedClock {
      override at(...alarm: Parameters<MovedClock['at']>) {
        alarms.push(alarm[0]);
        return super.at(...alarm);
      }
    }
    const engine = new ProcessEngine({
      store,
      clock: new ObservedClock(START),
      processes: [
        { ...removal, name: 'mine', next: () => [], wakeAt: () => addSeconds(START, 60) },
        { ...removal, name: 'theirs', wakeAt: () => START },
      ],
      send: () => Promise.reject(new Error('no command is expected')),
      effects: {} as EngineOptions['effects'],
      mayActFor: (unit) => unit === 'mine',
    });
    void engine.start();
    await waitUntil(() => alarms.length > 0);
    expect(new Set(alarms)).toEqual(new Set([addSeconds(START, 60)]));
    await engine.stop();
    await store.close();
  });
});
