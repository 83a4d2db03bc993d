import { customerStream } from '#domain/accounts/customer';
import { decode } from '#domain/codec';
import { Activities } from '#domain/kernel/activities';
import { trialCaller } from '#domain/kernel/caller';
import { type Refusal, refuse } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import type { AnyCommand } from '#domain/ledger';
import { orderStream } from '#domain/orders/order';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { type EventStore, OutcomeUnknown, StoreFull, StoreUnavailable, WrongExpectedRevision } from '#event-store/port';
import { businessOf } from '#test/boxes';
import { minute } from '#test/given';
import { FAR_AWAY_MILLISECONDS } from '#test/wait-until';
import { type AddressedCommand, TooMuchContention } from './addressed-command.ts';
import { CommandHandler } from './command-handler.ts';

const stream = customerStream('c1');
const register: AnyCommand = {
  type: 'RegisterCustomer',
  at: minute(0),
  storeId: 'main',
  ...businessOf('Abc'),
  timeZone: 'UTC',
};
const changeTo = (name: string): AnyCommand => ({
  type: 'ChangeBusinessAssociation',
  at: minute(1),
  ...businessOf(name),
});
let asked = 0;
const ask = (
  command: AnyCommand | Refusal,
  more: Partial<AddressedCommand> & { key?: string; body?: string } = {},
): AddressedCommand => {
  asked += 1;
  const { key, body, ...rest } = more;
  const commandId = deriveId('command-handler.spec', key ?? String(asked));
  return {
    stream,
    command,
    caller: trialCaller('staff:spec'),
    reason: 'asked by telephone',
    cause: {
      reason: { keyId: 'k1', purpose: 'reason', box: 'c2VhbGVk' },
      commandId,
      correlationId: commandId,
      actor: 'staff:spec',
      ...(body !== undefined && { requestHash: body }),
    },
    ...rest,
  };
};

describe('the command handler', () => {
  let store: EventStore;
  let handler: CommandHandler;
  beforeEach(async () => {
    store = await openEmbeddedStore();
    handler = new CommandHandler(store);
  });
  afterEach(() => store.close());

  const types = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { type } of store.readStream(stream)) found.push(type);
    return found;
  };

  it('keeps the order of commands when a stream that exists is begun again', async () => {
    await handler.execute(ask(register, { key: 'begin' }));
    await handler.execute(ask(changeTo('Other')));
    const later = new CommandHandler(store);
    await later.execute(ask(register, { key: 'begin', likelyNew: true }));
    const other = customerStream('c2');
    await later.streams.warm([stream, other]);
    await Promise.all([
      later.execute(ask(changeTo('Third'))),
      later.execute(ask(register, { stream: other } as Partial<AddressedCommand>)),
    ]);
    const order: string[] = [];
    for await (const event of store.readAll()) order.push(event.stream);
    expect(order).toEqual([stream, stream, stream, other]);
  });

  it('decides on the state of the stream, and appends', async () => {
    expect(await handler.execute(ask(register))).toMatchObject({ kind: 'accepted', revision: 0, repeated: false });
    expect(await handler.execute(ask(changeTo('Other')))).toMatchObject({ kind: 'accepted', revision: 1 });
    expect((await handler.streams.read<'customer'>(stream)).state).toMatchObject(businessOf('Other'));
    expect((await new CommandHandler(store).streams.read<'customer'>(stream)).state).toMatchObject(businessOf('Other'));
  });

  it('writes nothing when a rule refuses, or nothing has to change', async () => {
    expect(await handler.execute(ask(changeTo('Other')))).toMatchObject({
      kind: 'refused',
      refusal: { code: 'customer-unknown' },
    });
    await handler.execute(ask(register));
    expect(await handler.execute(ask(changeTo('Abc')))).toMatchObject({ kind: 'accepted', events: [], revision: 0 });
    expect(await handler.execute(ask(refuse('no', 'no')))).toMatchObject({ kind: 'refused', refusal: { code: 'no' } });
    expect(await types()).toEqual(['CustomerRegistered']);
  });

  it('decides concurrent commands in turn, and appends their events together', async () => {
    let appends = 0;
    const counting = {
      ...bind(store),
      append(...append: Parameters<EventStore['append']>) {
        appends += 1;
        return store.append(...append);
      },
    };
    const busy = new CommandHandler(counting);
    await busy.execute(ask(register));
    const outcomes = await Promise.all(['A', 'B', 'B', 'C'].map((name) => busy.execute(ask(changeTo(name)))));
    expect(outcomes.map((outcome) => outcome.kind === 'accepted' && outcome.events.length)).toEqual([1, 1, 0, 1]);
    expect(appends).toBe(2);
    expect((await busy.streams.read<'customer'>(stream)).state).toMatchObject(businessOf('C'));
  });

  it('answers a repeat with its first outcome, for ever, also in another process', async () => {
    await handler.execute(ask(register));
    const first = await handler.execute(ask(changeTo('Other'), { key: 'k', body: 'h1' }));
    await handler.execute(ask(changeTo('Third')));
    const again = await handler.execute(ask(changeTo('Other'), { key: 'k', body: 'h1' }));
    expect(again).toEqual({ ...first, repeated: true });
    expect(await new CommandHandler(store).execute(ask(changeTo('Other'), { key: 'k', body: 'h1' }))).toEqual({
      ...first,
      repeated: true,
    });
    expect(await types()).toHaveLength(3);
  });

  it('recognises a repeat of a request whose hash an older version stored without a key', async () => {
    await handler.execute(ask(register, { key: 'k', body: 'h1' }));
    const repeat = (unkeyedHash: string) => ask(register, { key: 'k', body: 'h1 with a key', unkeyedHash });
    expect(await handler.execute(repeat('h1'))).toMatchObject({ kind: 'accepted', repeated: true });
    expect(await handler.execute(repeat('h2'))).toEqual({ kind: 'key-reused' });
  });

  it('gives the events of a command that is decided again, on a later state, ids of their own', async () => {
    await handler.execute(ask(register));
    await handler.execute(ask(changeTo('Other'), { key: 'step' }));
    await handler.execute(ask(changeTo('Third')));
    await handler.execute(ask(changeTo('Other'), { key: 'step' }));
    const atOnce = ['Fifth', 'Sixth', 'Fifth'].map((name) => ask(changeTo(name), { key: `at once ${name}` }));
    const outcomes = await Promise.all(atOnce.map((asked) => handler.execute(asked)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted']);
    await handler.execute(ask(register, { key: 'step', stream: customerStream('c2') }));
    const ids: string[] = [];
    for await (const { id } of store.readAll()) ids.push(id);
    expect(new Set(ids).size).toBe(8);
    expect(ids).toHaveLength(8);
  });

  it('detects a key that is reused with another body', async () => {
    await handler.execute(ask(register, { key: 'k', body: 'h1' }));
    expect(await handler.execute(ask(register, { key: 'k', body: 'h2' }))).toEqual({ kind: 'key-reused' });
  });

  it('carries out only one of many commands with the same key', async () => {
    await handler.execute(ask(register));
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => handler.execute(ask(changeTo('Other'), { key: 'k', body: 'h1' }))),
    );
    expect(outcomes.filter((outcome) => outcome.kind === 'accepted' && !outcome.repeated)).toHaveLength(1);
    expect(await types()).toHaveLength(2);
  });

  it('answers commands with one key that come at once with one position, which has their event', async () => {
    for (const likelyNew of [false, true]) {
      const [other, key] = [customerStream(`new-${likelyNew}`), `at once ${likelyNew}`];
      const begin = () => handler.execute(ask(register, { stream: other, key, body: 'h1', likelyNew }));
      const outcomes = await Promise.all(Array.from({ length: 10 }, begin));
      const head = await store.head();
      expect(outcomes).toHaveLength(10);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'accepted', revision: 0, position: head });
    }
  });

  it('refuses a caller who saw another revision', async () => {
    await handler.execute(ask(register));
    expect(await handler.execute(ask(changeTo('Other'), { ifRevision: 3 }))).toEqual({
      kind: 'revision-mismatch',
      actual: 0,
    });
    expect(await handler.execute(ask(changeTo('Other'), { ifRevision: 0 }))).toMatchObject({ kind: 'accepted' });
    const elsewhere = ask(register, { stream: customerStream('c9'), ifRevision: 0 });
    expect(await handler.execute(elsewhere)).toEqual({ kind: 'revision-mismatch', actual: 'no-stream' });
  });

  it('checks the right of the caller on the current stream before it compares the revision', async () => {
    await handler.execute(ask(register));
    const stranger = { caller: trialCaller('customer:c2') };
    const refused = { kind: 'refused', refusal: { code: 'not-yours' } };
    expect(await handler.execute(ask(changeTo('Other'), stranger))).toMatchObject(refused);
    expect(await handler.execute(ask(changeTo('Other'), { ...stranger, ifRevision: 7 }))).toMatchObject(refused);
    expect(await types()).toEqual(['CustomerRegistered']);
  });

  it('answers a repeat with its first outcome although the caller has lost the right since', async () => {
    await handler.execute(ask(register));
    const first = await handler.execute(ask(changeTo('Other'), { key: 'k', body: 'h1' }));
    const later = ask(changeTo('Other'), { key: 'k', body: 'h1', caller: trialCaller('customer:c2') });
    expect(await handler.execute(later)).toEqual({ ...first, repeated: true });
  });

  it('records nothing without its reason: the command may be sent again, with the reason sealed', async () => {
    const asked = ask(register);
    const { reason: _, ...cause } = asked.cause;
    await expect(handler.execute({ ...asked, cause })).rejects.toThrow(TooMuchContention);
    expect(await types()).toEqual([]);
  });

  it('records the effective instant where it is not the instant of recording', async () => {
    await handler.execute(ask(register));
    await handler.execute(ask({ ...changeTo('Other'), at: new Date().toISOString() } as AnyCommand));
    const causes = [];
    for await (const recorded of store.readStream(stream)) causes.push(decode(recorded).cause);
    expect(causes.map(({ effectiveAt }) => effectiveAt)).toEqual([minute(0), undefined]);
  });

  it('accepts commands of processes from processes only', async () => {
    const order = orderStream('o1');
    const decline = { type: 'DeclinePayment', at: minute(0), reason: 'insufficient-funds' } as const;
    const refused = { kind: 'refused', refusal: { code: 'process-only' } };
    expect(await handler.execute(ask(decline, { stream: order }))).toMatchObject(refused);
    const process = { kind: 'process', actor: 'process:payment-capture', roles: ['process'], stores: 'all' } as const;
    const unknown = { kind: 'refused', refusal: { code: 'order-unknown' } };
    expect(await handler.execute(ask(decline, { stream: order, caller: process }))).toMatchObject(unknown);
  });

  it('detects what another process wrote meanwhile, and decides again', async () => {
    const other = new CommandHandler(store);
    await handler.execute(ask(register));
    await other.execute(ask(changeTo('Other')));
    // Cached as Abc, and asked for Abc: without a look at the stream nothing would be written.
    expect(await handler.execute(ask(changeTo('Abc')))).toMatchObject({ kind: 'accepted', revision: 2 });
    await other.execute(ask(changeTo('Third')));
    expect(await handler.execute(ask(changeTo('Fourth')))).toMatchObject({ kind: 'accepted', revision: 4 });
  });

  it('creates a stream without reading it when it is probably new, and decides correctly when it is not', async () => {
    await new CommandHandler(store).execute(ask(register));
    const outcome = await handler.execute(
      ask({ ...register, timeZone: 'America/Boise' } as AnyCommand, { likelyNew: true }),
    );
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'customer-registered' } });
  });

  it('tells that a command was carried out before, though it did not read the stream', async () => {
    await new CommandHandler(store).execute(ask(register, { key: 'receive' }));
    const again = ask(register, { key: 'receive', likelyNew: true });
    expect(await handler.execute(again)).toMatchObject({ kind: 'accepted', revision: 0, repeated: true });
    const other = ask(register, { stream: customerStream('c2'), likelyNew: true } as Partial<AddressedCommand>);
    expect(await handler.execute(other)).toMatchObject({ kind: 'accepted', revision: 0, repeated: false });
  });

  it('tells of which stream it was, unless there is none: its name may be what somebody typed', async () => {
    const activities = new Activities();
    const told: (string | undefined)[] = [];
    activities.listen(({ kind, stream: named, outcome }) => {
      if (kind === 'command') told.push(`${outcome} ${named}`);
    });
    const telling = new CommandHandler(store, undefined, activities);
    const typed = customerStream('Pat-Private');
    await telling.execute(ask(changeTo('Other'), { stream: typed }));
    await telling.execute(ask(refuse('link-invalid', 'not now'), { stream: typed }));
    await telling.execute(ask(register));
    await telling.execute(ask(refuse('link-invalid', 'not now')));
    expect(told).toEqual(['refused undefined', 'refused undefined', `done ${stream}`, `refused ${stream}`]);
  });

  it('gives up when others keep writing to the stream', async () => {
    const contended = {
      ...bind(store),
      append: () => Promise.reject(new WrongExpectedRevision(stream, 'no-stream', 5)),
    };
    await expect(new CommandHandler(contended).execute(ask(register))).rejects.toThrow(TooMuchContention);
  });

  it('converges when the answer to an append is lost', async () => {
    let lost = 2;
    const losing = {
      ...bind(store),
      async append(...append: Parameters<EventStore['append']>) {
        const result = await store.append(...append);
        lost -= 1;
        if (lost >= 0) throw new OutcomeUnknown('the answer was lost');
        return result;
      },
    };
    expect(await new CommandHandler(losing).execute(ask(register, { key: 'k', body: 'h1' }))).toMatchObject({
      kind: 'accepted',
    });
    expect(await types()).toEqual(['CustomerRegistered']);
  });

  it('reports the error of the store, and continues when the store works again', async () => {
    let full = true;
    const filling = {
      ...bind(store),
      append: (...append: Parameters<EventStore['append']>) =>
        full ? Promise.reject(new StoreFull('no room')) : store.append(...append),
    };
    const patient = new CommandHandler(filling);
    await expect(patient.execute(ask(register))).rejects.toThrow(StoreFull);
    full = false;
    expect(await patient.execute(ask(register))).toMatchObject({ kind: 'accepted', revision: 0 });
  });
});

describe('commands while the store is away', () => {
  /** A store whose appends wait until it is back, or until their caller gives up. */
  function awayStore(store: EventStore) {
    const back = Promise.withResolvers<void>();
    const away: EventStore = {
      ...bind(store),
      async append(stream, events, expected, { until = Number.POSITIVE_INFINITY } = {}) {
        const tooLate = new StoreUnavailable('the store is away');
        const gaveUp = new Promise<never>((_, reject) => {
          if (until < Number.POSITIVE_INFINITY)
            // A timer may fire a little early: a store gives up once that time is over.
            setTimeout(() => reject(tooLate), Math.max(0, until - performance.now()) + 10).unref();
        });
        await Promise.race([back.promise, gaveUp]);
        return store.append(stream, events, expected);
      },
    };
    return { handler: new CommandHandler(away), back: () => back.resolve() };
  }
  let store: EventStore;
  beforeEach(async () => {
    store = await openEmbeddedStore();
  });
  afterEach(() => store.close());
  const in50 = () => performance.now() + 50;

  it('end when their callers give up, also behind others of the same stream', async () => {
    const { handler } = awayStore(store);
    const first = handler.execute(ask(register, { until: in50() }));
    const behind = handler.execute(ask(changeTo('Def'), { until: in50() }));
    await expect(first).rejects.toThrow(StoreUnavailable);
    await expect(behind).rejects.toThrow(StoreUnavailable);
  });

  it('of processes wait longer than those of callers, and hold none of them up', async () => {
    const { handler, back } = awayStore(store);
    const patient = handler.execute(ask(register));
    await new Promise((resolve) => setImmediate(resolve));
    const behind = handler.execute(ask(changeTo('Def'), { until: in50() }));
    const elsewhere = handler.execute(ask(register, { stream: customerStream('c2'), until: in50() }));
    await expect(behind).rejects.toThrow('earlier commands of the same stream did not end in time; nothing was done');
    await expect(elsewhere).rejects.toThrow(StoreUnavailable);
    back();
    expect(await patient).toMatchObject({ kind: 'accepted', revision: 0 });
  });

  it('decided together with one whose caller gives up are decided again', async () => {
    const { handler, back } = awayStore(store);
    const hurried = handler.execute(ask(register, { until: in50() }));
    const patient = handler.execute(ask(changeTo('Def')));
    await expect(hurried).rejects.toThrow(StoreUnavailable);
    back();
    expect(await patient).toMatchObject({ kind: 'refused' });
  });

  it('beyond a thousand are refused at once', async () => {
    const { handler, back } = awayStore(store);
    const until = performance.now() + FAR_AWAY_MILLISECONDS;
    const waiting = Array.from({ length: 1000 }, (_, number) =>
      handler.execute(ask(register, { stream: customerStream(`c${number}`), until })),
    );
    const ofProcess = handler.execute(ask(register, { stream: customerStream('p') }));
    await expect(handler.execute(ask(register, { stream: customerStream('x'), until }))).rejects.toThrow(
      '1000 commands wait for the event store already; nothing was done',
    );
    back();
    const outcomes = await Promise.all([...waiting, ofProcess]);
    expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(await handler.execute(ask(register, { stream: customerStream('x'), until }))).toMatchObject({
      kind: 'accepted',
    });
  });
});

/** The methods of a store, to replace some of them. */
const bind = (store: EventStore): EventStore => ({
  append: store.append.bind(store),
  readStream: store.readStream.bind(store),
  readAll: store.readAll.bind(store),
  subscribe: store.subscribe.bind(store),
  head: store.head.bind(store),
  placeAt: store.placeAt.bind(store),
  identity: store.identity.bind(store),
  limits: store.limits,
  close: store.close.bind(store),
});
