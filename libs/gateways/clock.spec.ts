import { setTimeout as wait } from 'node:timers/promises';
import { addSeconds } from '#domain/kernel/instants';
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
