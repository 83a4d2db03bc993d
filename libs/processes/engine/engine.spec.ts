import { encode, type Fact, idOf } from '#domain/codec';
import { refuse } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import type { PolicyDocument } from '#domain/policy/policy';
import { defaultPolicy } from '#domain/policy/policy';
import type { Damages } from '#event-store/damage';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { type EventStore, OutcomeUnknown, StoreUnavailable } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { businessOf } from '#test/boxes';
import type { Process } from '../process.ts';
import { ProcessEngine } from './engine.ts';
import type { CommandResult, SentCommand } from './options.ts';

const START = '2026-05-01T10:00:00.000Z';

/** Welcomes every customer once, by moving it to Boise; and half an hour later to UTC. */
interface Welcome {
  readonly due: Map<string, Fact>;
  readonly later: Map<string, string>;
  readonly refused: string[];
}
/** A customer whose registration the process cannot fold. */
const POISON = businessOf('poison');

const welcome: Process<Welcome, 'CustomerRegistered' | 'TimeZoneChanged'> = {
  name: 'welcome',
  eventTypes: ['CustomerRegistered', 'TimeZoneChanged'],
  initialState: () => ({ due: new Map(), later: new Map(), refused: [] }),
  evolve({ due, later }, fact) {
    const id = idOf(fact.stream);
    if (fact.type === 'CustomerRegistered') {
      if (fact.data.businessKey === POISON.businessKey) throw new Error('cannot be understood');
      due.set(id, fact);
    } else {
      due.delete(id);
      if (fact.data.timeZone === 'UTC') later.delete(id);
      else later.set(id, addSeconds(fact.data.at, 1800));
    }
  },
  next({ due, later }, { now }, limit) {
    const wish = (id: string, timeZone: string, because?: Fact) => ({
      commandId: deriveId('welcome', id, timeZone),
      stream: `customer-${id}`,
      command: { type: 'ChangeTimeZone' as const, timeZone },
      ...(because && { because }),
    });
    const first = [...due].slice(0, limit).map(([id, fact]) => wish(id, 'America/Boise', fact));
    due.clear();
    const second = [...later].filter(([, at]) => at <= now).map(([id]) => wish(id, 'UTC'));
    for (const { stream } of second) later.delete(idOf(stream));
    return [...first, ...second];
  },
  refused: (state, wish) => state.refused.push(wish.stream),
  wakeAt: ({ later }) => [...later.values()].sort()[0],
};

/** The same in one part, `queue`: who comes first is welcomed first. */
const welcomeInTurn: Process<Welcome, 'CustomerRegistered' | 'TimeZoneChanged'> = {
  ...welcome,
  inParts: true,
  next: (state, moment, limit) =>
    moment.runs('queue') ? welcome.next(state, moment, limit).map((wish) => ({ ...wish, part: 'queue' })) : [],
};

/** Says of one stream that it is damaged. */
function changingDamages() {
  let damaged: string | undefined;
  let tell = () => {};
  const damageOf = (stream: string) => ({ stream, how: 'cut', firstRevision: 1, noticedAt: START }) as const;
  const damages: Damages = {
    of: (stream) => (stream === damaged ? damageOf(stream) : undefined),
    all: () => (damaged === undefined ? [] : [damageOf(damaged)]),
    sight: 'watching',
    searched: async () => {},
    onChange(changed) {
      tell = changed;
      return () => {};
    },
  };
  const change = (stream: string | undefined) => {
    damaged = stream;
    tell();
  };
  return { damages, change };
}

describe('the engine of processes', () => {
  let store: EventStore;
  let clock: MovedClock;
  let engine: ProcessEngine;
  let sent: SentCommand[];
  let answer: (sent: SentCommand) => Promise<CommandResult>;

  const begin = (process = welcome) => {
    engine = new ProcessEngine({
      store,
      clock,
      processes: [process],
      send: (command) => {
        sent.push(command);
        return answer(command);
      },
      effects: {
        'capture-payment': () => Promise.reject(new Error('no payment is expected')),
        'charge-renewal': () => Promise.reject(new Error('no payment is expected')),
        'make-refund': () => Promise.reject(new Error('no refund is expected')),
        'settle-renewal': () => Promise.reject(new Error('no payment is expected')),
        'send-mail': () => Promise.reject(new Error('no mail is expected')),
        'call-webhook': () => Promise.reject(new Error('no webhook call is expected')),
        'erase-lead': () => Promise.reject(new Error('no erasure is expected')),
        'forget-payer': () => Promise.reject(new Error('no erasure is expected')),
        'keep-person': () => Promise.reject(new Error('no correction is expected')),
        'renew-business-keys': () => Promise.reject(new Error('no renewal of keys is expected')),
        'complete-erasure': () => Promise.reject(new Error('no erasure is expected')),
        'remove-mail-copies': () => Promise.reject(new Error('no removal is expected')),
        'destroy-keys': () => Promise.reject(new Error('no erasure is expected')),
      },
    });
    void engine.start();
  };
  const register = (id: string, business = businessOf('Abc')) =>
    append(`customer-${id}`, {
      type: 'CustomerRegistered',
      data: { at: clock.now(), storeId: 'main', ...business, timeZone: 'America/New_York' },
    });
  let appended = 0;
  const append = async (stream: string, event: Parameters<typeof encode>[1]) => {
    appended += 1;
    const id = deriveId('engine.spec', String(appended));
    const cause = { commandId: id, correlationId: id, actor: 'spec' };
    return store.append(stream, [{ id, ...encode(stream, event, cause) }], 'any');
  };
  const carryOut = async ({ stream, command }: SentCommand): Promise<CommandResult> => {
    const { type: _, ...data } = command as unknown as { type: string; at: string; timeZone: string };
    const { position } = await append(stream, { type: 'TimeZoneChanged', data });
    return { position, events: [] };
  };

  beforeEach(async () => {
    store = await openEmbeddedStore();
    clock = new MovedClock(START);
    sent = [];
    answer = carryOut;
    begin();
  });
  afterEach(async () => {
    await engine.stop();
    await store.close();
  });

  const zones = () => sent.map(({ stream, command }) => `${stream} ${(command as { timeZone?: string }).timeZone}`);

  it('sends the command of a wish with its actor and cause, and is idle afterwards', async () => {
    await register('c1');
    await engine.settle();
    expect(sent).toMatchObject([
      {
        stream: 'customer-c1',
        actor: 'process:welcome',
        commandId: deriveId('welcome', 'c1', 'America/Boise'),
        command: { type: 'ChangeTimeZone', timeZone: 'America/Boise', at: START },
        because: { type: 'CustomerRegistered' },
        eventsSeen: 1,
      },
    ]);
    expect(engine.status()).toMatchObject({ idle: true, caughtUpTo: await store.head() });
  });

  it('wakes at the due instant, and not earlier', async () => {
    await register('c1');
    await engine.settle();
    await clock.moveTo(addSeconds(START, 1799));
    expect(zones()).toEqual(['customer-c1 America/Boise']);
    await clock.moveTo(addSeconds(START, 1800));
    expect(zones()).toEqual(['customer-c1 America/Boise', 'customer-c1 UTC']);
  });

  it('after a restart carries out at once what fell due meanwhile, and does not repeat what was done', async () => {
    await register('c1');
    await engine.settle();
    await engine.stop();
    await register('c2');
    clock = new MovedClock(addSeconds(START, 7200));
    sent = [];
    begin();
    await engine.settle();
    expect(zones().sort()).toEqual(['customer-c1 UTC', 'customer-c2 America/Boise']);
  });

  it('tries a failed command again after growing delays, and finally parks it with the reason', async () => {
    answer = () => Promise.reject(new Error('out of order'));
    await register('c1');
    await engine.settle();
    for (const seconds of [1, 2, 5, 15]) {
      const tries = sent.length;
      await clock.moveTo(addSeconds(clock.now(), seconds));
      expect(sent).toHaveLength(tries + 1);
      expect(engine.parked()).toEqual([]);
    }
    await clock.moveTo(addSeconds(clock.now(), 60));
    expect(sent).toHaveLength(6);
    const [parked] = engine.parked();
    expect(parked).toMatchObject({
      process: 'welcome',
      stream: 'customer-c1',
      what: 'ChangeTimeZone',
      reason: 'out of order',
      attempts: 6,
    });
    await clock.moveTo(addSeconds(clock.now(), 3600));
    expect(sent).toHaveLength(6);

    answer = carryOut;
    expect(engine.retry('nothing')).toBe(false);
    expect(engine.retry(parked?.id as string)).toBe(true);
    await engine.settle();
    expect(engine.parked()).toEqual([]);
    expect(sent).toHaveLength(7);
  });

  it('never parks a command that only waits for the store', async () => {
    answer = () => Promise.reject(new StoreUnavailable('away'));
    await register('c1');
    await engine.settle();
    for (let minute = 0; minute < 20; minute += 1) await clock.moveTo(addSeconds(clock.now(), 60));
    expect(engine.parked()).toEqual([]);
    answer = carryOut;
    await clock.moveTo(addSeconds(clock.now(), 60));
    expect(engine.status().processes[0]).toMatchObject({ waitingForRetry: 0 });
  });

  it.each([
    ['that was not written', new StoreUnavailable('away')],
    ['of which nobody knows whether it was written', new OutcomeUnknown('no answer')],
  ])('decides nothing more in a part before a command %s has an outcome', async (_, failure) => {
    await engine.stop();
    begin(welcomeInTurn);
    answer = (command) => (command.stream === 'customer-c1' ? Promise.reject(failure) : carryOut(command));
    await register('c1');
    await engine.settle();
    await register('c2');
    await engine.settle();
    await clock.moveTo(addSeconds(clock.now(), 60));
    expect(new Set(zones())).toEqual(new Set(['customer-c1 America/Boise']));
    answer = carryOut;
    sent = [];
    await clock.moveTo(addSeconds(clock.now(), 60));
    expect(zones()).toEqual(['customer-c1 America/Boise', 'customer-c2 America/Boise']);
  });

  it('takes what falls due while the store is away as an outage, which nobody has to handle', async () => {
    await register('c1');
    await engine.settle();
    const { head } = store;
    store.head = () => Promise.reject(new StoreUnavailable('away'));
    await clock.moveTo(addSeconds(START, 1800));
    store.head = head;
    await engine.settle();
    expect(zones()).toEqual(['customer-c1 America/Boise', 'customer-c1 UTC']);
  });

  it('holds up only the stream with an event that it cannot fold, until a retry is requested', async () => {
    await register('c1', POISON);
    await register('c2');
    await engine.settle();
    expect(zones()).toEqual(['customer-c2 America/Boise']);
    expect(engine.parked()).toMatchObject([
      { id: 'welcome/customer-c1', stream: 'customer-c1', reason: 'cannot be understood', attempts: 1 },
    ]);
    expect(engine.retry('welcome/customer-c1')).toBe(true);
    expect(engine.parked()).toMatchObject([{ attempts: 2 }]);
  });

  it('goes on without a stream that is damaged, and with it when it is whole again', async () => {
    const { damages, change } = changingDamages();
    Object.assign(store, { damages });
    await engine.stop();
    begin();
    await register('c1');
    await engine.settle();
    answer = async () => ({ position: await store.head(), events: [] });
    sent = [];
    change('customer-c1');
    await register('c2');
    await engine.settle();
    expect(zones()).toEqual(['customer-c2 America/Boise']);
    await clock.moveTo(addSeconds(START, 1800));
    expect(zones()).toEqual(['customer-c2 America/Boise']);
    expect(engine.parked()).toMatchObject([{ id: 'welcome/customer-c1', reason: expect.stringContaining('damaged') }]);
    change(undefined);
    await engine.settle();
    expect(engine.parked()).toEqual([]);
    expect(zones().slice(1)).toContain('customer-c1 UTC');
  });

  it('does not send a refused command again', async () => {
    answer = async () => ({ refusal: refuse('no', 'no') });
    await register('c1');
    await engine.settle();
    await clock.moveTo(addSeconds(START, 3600));
    expect(sent).toHaveLength(1);
    expect(engine.parked()).toEqual([]);
  });

  it('settles also when none of the new events is for a process', async () => {
    const policy: PolicyDocument = defaultPolicy;
    await append('policy-main', {
      type: 'PolicyPublished',
      data: { at: START, version: 1, author: 'staff:spec', effectiveFrom: START, policy },
    });
    await engine.settle();
    expect(engine.status().caughtUpTo).toBe(await store.head());
  });
});
