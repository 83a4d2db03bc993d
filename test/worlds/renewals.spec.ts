import { setImmediate as nextTurn } from 'node:timers/promises';
import { decode, idOf } from '#domain/codec';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { addDays } from '#domain/kernel/instants';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { type EventStore, StoreUnavailable } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { type ChargeResult, type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { noWebhooks } from '#gateways/webhooks';
import type { ProcessEngine } from '#processes/engine/engine';
import { type AddressedCommand, CommandHandler } from '#requests/command-handler';
import { prepareNewStore } from '#requests/first-start';
import type { Answer, RequestContext } from '#requests/request-tools';
import { createRequests, type Requests } from '#requests/requests';
import { openVault, type Vault } from '#vault/vault';
import { createReactions } from '#wiring/reactions';

const START = '2026-03-02T15:00:00.000Z';

/** A provider that answers at once, or, once it is told to, when the test says so. */
class SlowPayments implements PaymentGateway {
  slow = false;
  away = false;
  readonly asked: {
    readonly key: string;
    readonly answer: (result: ChargeResult) => void;
    readonly fail: () => void;
  }[] = [];
  readonly #sandbox = sandboxPayments();

  capture(charge: Parameters<PaymentGateway['capture']>[0], key: string): Promise<ChargeResult> {
    if (this.away) return Promise.reject(new Error('nobody there'));
    if (!this.slow) return this.#sandbox.capture(charge, key);
    return new Promise((resolve, reject) => {
      this.asked.push({ key, answer: resolve, fail: () => reject(new Error('no answer came')) });
    });
  }
}

let store: EventStore;
let vault: Vault;
let clock: MovedClock;
let payments: SlowPayments;
let handler: CommandHandler;
let requests: Requests;
let engine: ProcessEngine;
/** What becomes of a command on its way to the ledger; undefined: nothing. */
let onTheWay: (command: AddressedCommand) => Promise<never> | undefined;

/** A new process on the same log. */
function begin(): void {
  onTheWay = () => undefined;
  handler = new CommandHandler(store);
  const { streams } = handler;
  const carryOut = (command: AddressedCommand) => handler.execute(command);
  const dispatch = (command: AddressedCommand) => onTheWay(command) ?? carryOut(command);
  requests = createRequests({ streams, vault, clock, dispatch: carryOut });
  engine = createReactions({
    store,
    vault,
    streams,
    clock,
    payments,
    mails: mailInMemory(),
    webhooks: noWebhooks(),
    dispatch,
  });
  engine.start().catch(() => {});
}

/** Nothing that it has begun gets an answer any more. */
async function crashAndBeginAgain(): Promise<void> {
  onTheWay = () => new Promise(() => {});
  void engine.stop();
  await nextTurn();
  begin();
}

beforeEach(async () => {
  store = await openEmbeddedStore();
  vault = await openVault({});
  clock = new MovedClock(START);
  payments = new SlowPayments();
  begin();
  await prepareNewStore(requests);
});
afterEach(async () => {
  await engine.stop();
  await vault.close();
  await store.close();
});

let asked = 0;
const by = (): RequestContext => {
  asked += 1;
  return { caller: trialCaller('staff:spec'), commandId: deriveId('renewals.spec', String(asked)) };
};

async function join(): Promise<string> {
  const person = { storeId: 'main', businessAssociation: 'Abc', timeZone: 'America/New_York' };
  const { id: customerId } = await requests.accounts.register(person, by());
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  const { id } = await requests.orders.place({ ...order, loyalty: { cadence: 'weekly' } }, by());
  await engine.settle();
  return id;
}

/** Moves the clock without waiting for what is under way then. */
const moveTo = (instant: string): void => void clock.moveTo(instant);

const events = async (...types: string[]) => {
  const found = [];
  for await (const event of store.readAll({ filter: { types } })) found.push(decode(event));
  return found.map(({ stream, type, data }) => ({ of: idOf(stream), type, data }));
};
const typesOf = async (...types: string[]) => (await events(...types)).map(({ type }) => type);

/** The charges that the provider was asked for, as soon as there are so many. */
async function charges(count: number) {
  while (payments.asked.length < count) await nextTurn();
  return payments.asked;
}
/** Until nothing is left to do but to wait for the provider. */
async function allButCharges(): Promise<void> {
  do await nextTurn();
  while (!engine.status().idle || engine.status().caughtUpTo < (await store.head()));
}
const accepted = ({ outcome }: Answer) => expect(outcome.kind).toBe('accepted');
const captured: ChargeResult = { captured: true, reference: 'r1' };

describe('a renewal whose charge is under way', () => {
  let orderId: string;
  beforeEach(async () => {
    orderId = await join();
    payments.slow = true;
    moveTo(addDays(START, 7));
    await charges(1);
  });

  it('LOY-5: is finished though the programme is held meanwhile, and no other one begins', async () => {
    accepted(await requests.programmes.hold(orderId, by()));
    payments.asked[0]?.answer(captured);
    await engine.settle();
    payments.slow = false;
    await clock.moveTo(addDays(START, 30));
    expect(await typesOf('RenewalBegun', 'ProgrammeHeld', 'RenewalPaid', 'OrderReopened')).toEqual([
      'RenewalBegun',
      'ProgrammeHeld',
      'RenewalPaid',
      'OrderReopened',
    ]);
  });

  it('LOY-8: when it is declined after a hold, it is told and not tried again before the programme is active', async () => {
    accepted(await requests.programmes.hold(orderId, by()));
    payments.asked[0]?.answer({ captured: false, reason: 'expired card' });
    await engine.settle();
    payments.slow = false;
    await clock.moveTo(addDays(START, 30));
    expect(await typesOf('RenewalDeclined', 'RenewalPaid')).toEqual(['RenewalDeclined']);
    accepted(await requests.programmes.activate(orderId, by()));
    await engine.settle();
    expect(await typesOf('RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid', 'OrderReopened']);
  });

  it('LOY-6: is delivered though the programme is cancelled meanwhile: it was paid', async () => {
    accepted(await requests.programmes.cancel(orderId, by()));
    payments.asked[0]?.answer(captured);
    await engine.settle();
    expect(await typesOf('ProgrammeCancelled', 'RenewalPaid', 'OrderReopened')).toHaveLength(3);
  });

  it('ORD-5: is to be given back when the order is cancelled meanwhile', async () => {
    accepted(await requests.orders.cancel(orderId, by()));
    payments.asked[0]?.answer(captured);
    await engine.settle();
    expect(await events('OrderReopened', 'PaymentCapturedTooLate')).toMatchObject([
      { type: 'PaymentCapturedTooLate', data: { renewalNumber: 1, amountCents: 6000, reference: 'r1' } },
    ]);
    expect(await events('ProgrammeCancelled')).toMatchObject([{ data: { cause: 'order-cancelled' } }]);
  });

  it('LOY-1: is charged under the same key by the next process, though its answer was lost and the programme held since', async () => {
    accepted(await requests.programmes.hold(orderId, by()));
    await crashAndBeginAgain();
    const [first, second] = await charges(2);
    expect(second?.key).toBe(first?.key);
    second?.answer(captured);
    await engine.settle();
    expect(await typesOf('RenewalBegun', 'RenewalPaid', 'OrderReopened')).toEqual([
      'RenewalBegun',
      'RenewalPaid',
      'OrderReopened',
    ]);
  });

  it('LOY-8: is asked for again under the same key when the provider gives no answer; a retry has a key of its own', async () => {
    payments.asked[0]?.fail();
    await engine.settle();
    moveTo(addDays(START, 7.1));
    const [first, again] = await charges(2);
    expect(again?.key).toBe(first?.key);
    again?.answer({ captured: false, reason: 'insufficient funds' });
    await engine.settle();
    moveTo(addDays(START, 8.1));
    const [, , retry] = await charges(3);
    expect(retry?.key).not.toBe(first?.key);
    retry?.answer(captured);
    await engine.settle();
    expect(await typesOf('RenewalDeclined', 'RenewalPaid', 'OrderReopened')).toEqual([
      'RenewalDeclined',
      'RenewalPaid',
      'OrderReopened',
    ]);
  });
});

it('LOY-1: nothing is announced or charged before the first payment has arrived, and then what is due', async () => {
  payments.slow = true;
  const joining = join();
  const [first] = await charges(1);
  await allButCharges();
  moveTo(addDays(START, 8));
  await allButCharges();
  expect(await typesOf('RenewalAnnounced', 'RenewalBegun')).toEqual([]);
  payments.slow = false;
  first?.answer(captured);
  await joining;
  expect(await events('RenewalAnnounced', 'RenewalBegun')).toMatchObject([
    { type: 'RenewalBegun', data: { at: addDays(START, 8), dueAt: addDays(START, 7) } },
  ]);
});

it('LOY-2: a process that dies between the payment and the re-opening is finished by the next one, once', async () => {
  await join();
  const reached = Promise.withResolvers<void>();
  onTheWay = ({ command }) => {
    if (!('type' in command) || command.type !== 'ReopenOrder') return undefined;
    reached.resolve();
    return new Promise(() => {});
  };
  moveTo(addDays(START, 7));
  await reached.promise;
  expect(await typesOf('RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid']);
  for (let time = 0; time < 2; time += 1) {
    await crashAndBeginAgain();
    await engine.settle();
    expect(await typesOf('RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid', 'OrderReopened']);
  }
});

it('LOY-1: after a stand-still of months renewals come in order, also when one of them cannot be written at first', async () => {
  const orderId = await join();
  await engine.stop();
  await clock.moveTo(addDays(START, 50));
  begin();
  let failures = 0;
  onTheWay = ({ command }) => {
    if (!('type' in command) || command.type !== 'ReopenOrder' || command.renewalNumber !== 3 || failures > 1)
      return undefined;
    failures += 1;
    return Promise.reject(new StoreUnavailable('away'));
  };
  await engine.settle();
  expect(await events('OrderReopened')).toHaveLength(2);
  await clock.moveTo(addDays(START, 50.1));
  const reopened = await events('OrderReopened');
  expect(reopened.map(({ data }) => (data as unknown as { renewalNumber: number }).renewalNumber)).toEqual([
    1, 2, 3, 4, 5, 6, 7,
  ]);
  expect(new Set(reopened.map(({ of }) => of))).toEqual(new Set([orderId]));
  expect(failures).toBe(2);
});

it('LOY-8: a provider that is away for hours is waited for', async () => {
  await join();
  payments.away = true;
  await clock.moveTo(addDays(START, 7.2));
  expect(engine.parked()).toEqual([]);
  payments.away = false;
  await clock.moveTo(addDays(START, 7.3));
  expect(await typesOf('RenewalDeclined', 'RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid', 'OrderReopened']);
});

it('LOY-7: a policy that announces earlier counts from the instant at which it holds', async () => {
  await join();
  const { state } = await handler.streams.read<'policy'>('policy-main');
  const policy = { ...(state.versions[0] as (typeof state.versions)[0]).policy, renewalNoticeDays: 5 };
  await requests.policy.publish({ policy, effectiveFrom: addDays(START, 3) }, by());
  await engine.settle();
  await clock.moveTo(addDays(START, 7));
  expect(await events('RenewalAnnounced')).toMatchObject([{ data: { at: addDays(START, 3), policyVersion: 2 } }]);
});
