import { hashOfEvent } from '#event-store/event-hash';
import type { Position, RecordedEvent } from '#event-store/port';
import { checkLaws } from './laws.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-05-01T12:00:00.000Z');
const on = (day: number): string => new Date(START + day * DAY).toISOString();

/** When something happened, and when the program and the store recorded it, in days. The store's clock is that of the machine. */
interface Times {
  readonly at: number;
  readonly recorded?: number | undefined;
  readonly stored: number;
  readonly effective?: number;
  /** It does not say how its actor was authenticated. */
  readonly older?: boolean;
}

type Line = readonly [stream: string, type: string, times: Times, data?: object];

const cause = { commandId: 'a-command', correlationId: 'a-command', actor: 'process:a', authenticated: 'process' };
const encode = (value: object) => new TextEncoder().encode(JSON.stringify(value));

function record(lines: readonly Line[]): RecordedEvent[] {
  const revisions = new Map<string, number>();
  return lines.map(([stream, type, { at, recorded, stored, effective, older }, data], index) => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    const metadata = {
      ...{ ...cause, ...(older && { authenticated: undefined }) },
      ...(recorded !== undefined && { recordedAt: on(recorded) }),
      ...(effective !== undefined && { effectiveAt: on(effective) }),
    };
    const position = String(index).padStart(16, '0') as Position;
    const [id, recordedAt] = [`event-${index}`, on(stored)];
    return {
      stream,
      revision,
      type,
      id,
      data: encode({ at: on(at), ...data }),
      metadata: encode(metadata),
      position,
      recordedAt,
    };
  });
}

async function check(lines: readonly Line[]) {
  const log = {
    async *readAll() {
      yield* record(lines);
    },
  };
  const { laws, clocks } = await checkLaws(log, { hashOf: hashOfEvent });
  return { clocks, broken: Object.fromEntries(Object.entries(laws).filter(([, count]) => count > 0)) };
}

const same = (day: number): Times => ({ at: day, recorded: day, stored: day });
const pause = (times: Times): Line => ['order-o1', 'OrderPaused', times];

describe('a clock that was set back breaks no law, and is seen', () => {
  it.each<[string, readonly Line[], number, number]>([
    ['nothing is wrong', [pause(same(0)), pause(same(1))], 0, 0],
    [
      'a program runs on, and its time stands still',
      [
        pause(same(8)),
        pause({ at: 8, recorded: 8, stored: 0 }),
        pause({ at: 8, recorded: 8, stored: 7 }),
        pause(same(9)),
      ],
      2,
      8 * 86_400,
    ],
    [
      'nothing was recorded while the clock was ahead',
      [pause(same(0)), pause({ at: 8, recorded: 8, stored: 0 })],
      1,
      8 * 86_400,
    ],
    ['a program starts again', [pause(same(8)), pause(same(0)), pause(same(1))], 2, 8 * 86_400],
    ['a log is copied later', [pause({ ...same(8), stored: 20 }), pause({ ...same(1), stored: 20 })], 1, 7 * 86_400],
    ['an older version recorded no time', [pause({ at: 8, stored: 8 }), pause({ at: 8, stored: 1 })], 1, 7 * 86_400],
    [
      'a simulation goes back',
      [pause({ at: 8, recorded: 0, stored: 0, effective: 8 }), pause({ at: 3, recorded: 0, stored: 0, effective: 3 })],
      1,
      5 * 86_400,
    ],
    [
      'a log is rewritten later',
      [
        ['log-main', 'LogRewritten', { at: 0, recorded: 20, stored: 20, effective: 0 }],
        pause({ ...same(0), stored: 20 }),
      ],
      0,
      0,
    ],
    ['it stood behind for an hour', [pause(same(1)), pause(same(1 - 1 / 24))], 1, 3600],
    ['machines differ by half a minute', [pause(same(1)), pause(same(1 - 1 / 2880))], 0, 0],
  ])('%s', async (_, lines, behind, behindSeconds) => {
    expect(await check(lines)).toMatchObject({ broken: {}, clocks: { behind, behindSeconds } });
  });

  it('the first and the last event of each stretch are named, the first stretches only', async () => {
    const { clocks } = await check([
      pause(same(8)),
      ...Array.from({ length: 6 }, () => [pause(same(1)), pause(same(8))]).flat(),
    ]);
    expect(clocks.behind).toBe(6);
    expect(clocks.stretches).toHaveLength(5);
    expect(clocks.stretches[0]).toEqual({
      ...{ from: 'order-o1@1', to: 'order-o1@1', storedFrom: on(1), storedTo: on(1) },
      ...{ events: 1, behindSeconds: 7 * 86_400 },
    });
  });

  it('a simulation is counted', async () => {
    const { clocks } = await check([pause({ at: 1, recorded: 9, stored: 9, effective: 1 }), pause(same(9))]);
    expect(clocks.forAnotherTime).toBe(1);
  });
});

describe('a date that was changed does not hide behind a clock', () => {
  it.each<[string, Line]>([
    ['is older than its recording', pause({ at: 1, recorded: 8, stored: 8 })],
    ['is newer than its recording', pause({ at: 9, recorded: 8, stored: 8 })],
    ['is not the time for which it was decided', pause({ at: 1, recorded: 8, stored: 8, effective: 2 })],
  ])('it %s', async (_, line) => {
    expect((await check([line])).broken).toEqual({ datedOtherwise: 1 });
  });

  it('an event in the form of an older version is counted', async () => {
    const { broken, clocks } = await check([pause(same(1)), pause({ at: 9, recorded: 1, stored: 1, older: true })]);
    expect([broken, clocks.forAnotherTime]).toEqual([{}, 1]);
  });

  it('both dates are older: the events before it are newer', async () => {
    const { broken, clocks } = await check([pause(same(8)), pause({ at: 1, recorded: 1, stored: 8 })]);
    expect([broken, clocks.behind]).toEqual([{}, 1]);
  });
});

describe('what is missing is judged by the present clock', () => {
  it('a mail that was requested after the clock was set back is not late', async () => {
    const wished: Line = ['mail-m1', 'MailWished', same(1), { kind: 'order-confirmed', eventId: 'e1' }];
    expect((await check([pause(same(30)), wished])).broken).toEqual({});
    expect((await check([pause(same(30)), wished, pause(same(8))])).broken).toEqual({ mailMissing: 1 });
  });
});
