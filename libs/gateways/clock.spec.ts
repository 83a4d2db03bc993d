import { setTimeout as wait } from 'node:timers/promises';
import { addSeconds } from '#domain/kernel/instants';
import { waitUntil } from '#test/wait-until';
import { MovedClock, systemClock } from './clock.ts';

describe('the clock that is moved', () => {
  it('stops at each alarm on its way, in the order of their instants, and waits for their callbacks', async () => {
    const clock = new MovedClock('2026-01-01T00:00:00.000Z');
    const rang: string[] = [];
    const ring = (name: string) => async () => {
      await wait(1);
      rang.push(`${name} at ${clock.now()}`);
    };
    clock.at('2026-01-03T00:00:00.000Z', ring('late'));
    clock.at('2026-01-02T00:00:00.000Z', ring('early'));
    clock.at('2026-02-01T00:00:00.000Z', ring('never'));
    clock.at('2026-01-02T12:00:00.000Z', ring('cancelled'))();
    await clock.moveTo('2026-01-04T00:00:00.000Z');
    expect(rang).toEqual(['early at 2026-01-02T00:00:00.000Z', 'late at 2026-01-03T00:00:00.000Z']);
    expect(clock.now()).toBe('2026-01-04T00:00:00.000Z');
  });

  it('rings alarms that were set on the way, and never goes back', async () => {
    const clock = new MovedClock('2026-01-02T00:00:00.000Z');
    const rang: string[] = [];
    clock.at('2026-01-01T00:00:00.000Z', () => {
      rang.push(clock.now());
      clock.at(addSeconds(clock.now(), 60), () => rang.push(clock.now()));
    });
    await clock.moveTo('2026-01-03T00:00:00.000Z');
    await clock.moveTo('2026-01-01T00:00:00.000Z');
    expect(rang).toEqual(['2026-01-02T00:00:00.000Z', '2026-01-02T00:01:00.000Z']);
    expect(clock.now()).toBe('2026-01-03T00:00:00.000Z');
  });
});

describe('a moved clock that stands still', () => {
  it('rings what was due on the way at the end, and never goes back', async () => {
    const clock = new MovedClock('2026-01-02T00:00:00.000Z');
    const rang: string[] = [];
    clock.at('2026-01-03T00:00:00.000Z', () => rang.push(clock.now()));
    await clock.standStillUntil('2026-01-09T00:00:00.000Z');
    await clock.standStillUntil('2026-01-05T00:00:00.000Z');
    expect([...rang, clock.now()]).toEqual(['2026-01-09T00:00:00.000Z', '2026-01-09T00:00:00.000Z']);
  });
});

describe('the clock of the machine', () => {
  it('rings at once for a past instant, later for a future one, and not after it was cancelled', async () => {
    const clock = systemClock();
    const rang: string[] = [];
    clock.at('2001-01-01T00:00:00.000Z', () => rang.push('past'));
    clock.at(addSeconds(clock.now(), 3600), () => rang.push('in an hour'));
    clock.at('2001-01-01T00:00:00.000Z', () => rang.push('cancelled'))();
    await new Promise<void>((resolve) => clock.at(addSeconds(clock.now(), 0.02), resolve));
    expect(rang).toEqual(['past']);
  });
});

describe('the clock of a machine that is set', () => {
  /** A machine whose clock is set by hand, and a timer that looks at it all the time. */
  const clockOf = (machine: { now: number }) => {
    const warnings: string[] = [];
    const warn = (line: string) => void warnings.push(line);
    return { clock: systemClock({ machine: () => machine.now, longestTimerMilliseconds: 1, warn }), warnings };
  };
  const start = Date.parse('2026-03-01T00:00:00.000Z');

  it('rings what became due while the machine slept, once', async () => {
    const machine = { now: start };
    const { clock } = clockOf(machine);
    let rang = 0;
    clock.at('2026-03-08T00:00:00.000Z', () => {
      rang += 1;
    });
    await wait(10);
    expect(rang).toBe(0);
    machine.now = Date.parse('2026-03-08T00:00:01.000Z');
    await waitUntil(() => rang > 0);
    machine.now = start;
    await wait(10);
    machine.now = Date.parse('2026-03-09T00:00:00.000Z');
    await wait(10);
    expect(rang).toBe(1);
  });

  it('stands still when it is set back, says so once, and rings when the machine has caught up', async () => {
    const machine = { now: start };
    const { clock, warnings } = clockOf(machine);
    const before = clock.now();
    machine.now -= 3_600_000;
    expect([clock.now(), clock.now()]).toEqual([before, before]);
    expect(warnings).toEqual([expect.stringContaining('set back by 3600 seconds')]);
    let rang = '';
    clock.at(addSeconds(before, 60), () => {
      rang = clock.now();
    });
    await wait(10);
    machine.now = start + 59_999;
    await wait(10);
    expect(rang).toBe('');
    machine.now = start + 60_000;
    await waitUntil(() => rang !== '');
    expect(rang).toBe(addSeconds(before, 60));
    expect(warnings).toEqual([expect.stringContaining('set back'), expect.stringContaining('caught up')]);
  });

  it('takes no notice of a clock that is put right by less than a second', () => {
    const machine = { now: start };
    const { clock, warnings } = clockOf(machine);
    clock.now();
    machine.now -= 999;
    expect([clock.now(), warnings]).toEqual(['2026-03-01T00:00:00.000Z', []]);
  });
});
