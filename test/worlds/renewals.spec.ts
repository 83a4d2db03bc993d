import { setImmediate as nextTurn } from 'node:timers/promises';
import { customerStream } from '#domain/accounts/customer';
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
import type { AddressedCommand } from '#requests/addressed-command';
import { CommandHandler } from '#requests/command-handler';
import { prepareNewStore } from '#requests/first-start';
import type { Receipt, RequestContext } from '#requests/request-tools';
import { createRequests, type Requests } from '#requests/requests';
import { openSqliteSessions } from '#sessions/sqlite-sessions';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { createReactions } from '#wiring/reactions';

const START = '2026-03-02T15:00:00.000Z';

/** A payment provider that answers at once. With `slow`, a test answers each charge itself. */
class SlowPayments implements PaymentGateway {
  slow = false;
  unavailable = false;
  readonly requested: {
    readonly key: string;
    readonly answer: (result: ChargeResult) => void;
    readonly fail: () => void;
  }[] = [];
  readonly #sandbox = sandboxPayments();

  refund(...refund: Parameters<PaymentGateway['refund']>) {
    return this.#sandbox.refund(...refund);
  }

  capture(charge: Parameters<PaymentGateway['capture']>[0], key: string): Promise<ChargeResult> {
    if (this.unavailable) return Promise.reject(new Error('provider unavailable'));
    if (!this.slow) return this.#sandbox.capture(charge, key);
    return new Promise((resolve, reject) => {
      this.requested.push({ key, answer: resolve, fail: () => reject(new Error('no answer')) });
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
/** Intercepts a command before it reaches the ledger. Undefined lets it pass. */
let intercept: (command: AddressedCommand) => Promise<never> | undefined;

/** Starts a new process on the same log. */
function startEngine(): void {
  intercept = () => undefined;
  handler = new CommandHandler(store);
  const { streams } = handler;
  const carryOut = (command: AddressedCommand) => handler.execute(command);
  const dispatch = (command: AddressedCommand) => intercept(command) ?? carryOut(command);
  requests = createRequests({ streams, vault, clock, dispatch: carryOut });
  engine = createReactions({
    store,
    vault,
    sessions: openSqliteSessions(undefined),
    streams,
    clock,
    payments,
    mails: mailInMemory(),
    webhooks: noWebhooks(),
    dispatch,
  });
  engine.start().catch(() => {});
}

/** Crashes the process, so that nothing it began gets an answer, and starts a new one. */
async function crashAndRestart(): Promise<void> {
  intercept = () => new Promise(() => {});
  void engine.stop();
  await nextTurn();
  startEngine();
}

beforeEach(async () => {
  store = await openEmbeddedStore();
  vault = await openVault({});
  clock = new MovedClock(START);
  payments = new SlowPayments();
  startEngine();
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
  return {
    caller: trialCaller('staff:spec'),
    reason: 'asked by telephone',
    commandId: deriveId('renewals.spec', String(asked)),
  };
};

async function join(): Promise<string> {
  const person = { storeId: 'main', businessAssociation: 'Abc', timeZone: 'America/New_York' };
  const email = `pat.${asked}@example.org`;
  const { id: customerId } = await requests.accounts.register({ ...person, email }, by());
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  const { id } = await requests.orders.place({ ...order, loyalty: { cadence: 'weekly' } }, by());
  await engine.settle();
  return id;
}

/** Moves the clock without waiting for what that starts. */
const moveTo = (instant: string): void => void clock.moveTo(instant);

const events = async (...types: string[]) => {
  const found = [];
  for await (const event of store.readAll({ filter: { types } })) found.push(decode(event));
  return found.map(({ stream, type, data }) => ({ of: idOf(stream), type, data }));
};
const typesOf = async (...types: string[]) => (await events(...types)).map(({ type }) => type);

/** Waits until the provider has received `count` charges. */
async function requestedCharges(count: number) {
  while (payments.requested.length < count) await nextTurn();
  return payments.requested;
}
/** Waits until only the provider's answers are outstanding. */
async function settleExceptCharges(): Promise<void> {
  do await nextTurn();
  while (!engine.status().idle || engine.status().caughtUpTo < (await store.head()));
}
const accepted = ({ outcome }: Receipt) => expect(outcome.kind).toBe('accepted');
const captured: ChargeResult = { captured: true, reference: 'r1' };

describe('a renewal whose charge is under way', () => {
  let orderId: string;
  beforeEach(async () => {
    orderId = await join();
    payments.slow = true;
    moveTo(addDays(START, 7));
    await requestedCharges(1);
  });

  it('LOY-5: is finished although the programme is put on hold meanwhile, and no other renewal begins', async () => {
    accepted(await requests.programmes.hold(orderId, by()));
    payments.requested[0]?.answer(captured);
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

  it('LOY-8: when it is declined after a hold, this is recorded, and it is not tried again before the programme is active', async () => {
    accepted(await requests.programmes.hold(orderId, by()));
    payments.requested[0]?.answer({ captured: false, reason: 'expired-card' });
    await engine.settle();
    payments.slow = false;
    await clock.moveTo(addDays(START, 30));
    expect(await typesOf('RenewalDeclined', 'RenewalPaid')).toEqual(['RenewalDeclined']);
    accepted(await requests.programmes.activate(orderId, by()));
    await engine.settle();
    expect(await typesOf('RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid', 'OrderReopened']);
  });

  it('LOY-6: is delivered although the programme is cancelled meanwhile, because it was paid', async () => {
    accepted(await requests.programmes.cancel(orderId, by()));
    payments.requested[0]?.answer(captured);
    await engine.settle();
    expect(await typesOf('ProgrammeCancelled', 'RenewalPaid', 'OrderReopened')).toHaveLength(3);
  });

  it('ORD-5: must be refunded when the order is cancelled meanwhile', async () => {
    accepted(await requests.orders.cancel(orderId, by()));
    payments.requested[0]?.answer(captured);
    await engine.settle();
    expect(await events('OrderReopened', 'PaymentCapturedTooLate')).toMatchObject([
      { type: 'PaymentCapturedTooLate', data: { renewalNumber: 1, amountCents: 6000, reference: 'r1' } },
    ]);
    expect(await events('ProgrammeCancelled')).toMatchObject([{ data: { cause: 'order-cancelled' } }]);
  });

  it('LOY-1: is charged with the same key by the next process, although the answer was lost and the programme is now on hold', async () => {
    accepted(await requests.programmes.hold(orderId, by()));
    await crashAndRestart();
    const [first, second] = await requestedCharges(2);
    expect(second?.key).toBe(first?.key);
    second?.answer(captured);
    await engine.settle();
    expect(await typesOf('RenewalBegun', 'RenewalPaid', 'OrderReopened')).toEqual([
      'RenewalBegun',
      'RenewalPaid',
      'OrderReopened',
    ]);
  });

  it('LOY-8: is requested again with the same key when the provider gives no answer; a retry after a decline has its own key', async () => {
    payments.requested[0]?.fail();
    await engine.settle();
    moveTo(addDays(START, 7.1));
    const [first, again] = await requestedCharges(2);
    expect(again?.key).toBe(first?.key);
    again?.answer({ captured: false, reason: 'insufficient-funds' });
    await engine.settle();
    moveTo(addDays(START, 8.1));
    const [, , retry] = await requestedCharges(3);
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

it('LOY-1: nothing is announced or charged before the first payment is captured; afterwards everything due is', async () => {
  payments.slow = true;
  join().catch(() => {});
  await requestedCharges(1);
  await settleExceptCharges();
  // While an answer is outstanding, the clock stops at the next alarm: the program does not run for these days.
  void engine.stop();
  await nextTurn();
  await clock.moveTo(addDays(START, 8));
  startEngine();
  const [, again] = await requestedCharges(2);
  await settleExceptCharges();
  expect(await typesOf('RenewalAnnounced', 'RenewalBegun')).toEqual([]);
  payments.slow = false;
  again?.answer(captured);
  await engine.settle();
  expect(await events('RenewalAnnounced', 'RenewalBegun')).toMatchObject([
    { type: 'RenewalBegun', data: { at: addDays(START, 8), dueAt: addDays(START, 7) } },
  ]);
});

it('LOY-2: after a crash between payment and re-opening, the next process finishes the renewal once', async () => {
  await join();
  const reached = Promise.withResolvers<void>();
  intercept = ({ command }) => {
    if (!('type' in command) || command.type !== 'ReopenOrder') return undefined;
    reached.resolve();
    return new Promise(() => {});
  };
  moveTo(addDays(START, 7));
  await reached.promise;
  expect(await typesOf('RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid']);
  for (let time = 0; time < 2; time += 1) {
    await crashAndRestart();
    await engine.settle();
    expect(await typesOf('RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid', 'OrderReopened']);
  }
});

it('LOY-10: after an outage of months one renewal waits for an operator; released, it happens once, even if it cannot be written at first', async () => {
  const orderId = await join();
  await engine.stop();
  await clock.moveTo(addDays(START, 50));
  startEngine();
  let failures = 0;
  intercept = ({ command }) => {
    if (!('type' in command) || command.type !== 'ReopenOrder' || failures > 1) return undefined;
    failures += 1;
    return Promise.reject(new StoreUnavailable('unavailable'));
  };
  await engine.settle();
  expect(await typesOf('RenewalMissed', 'RenewalBegun')).toEqual(['RenewalMissed']);
  accepted(await requests.programmes.releaseRenewal(orderId, by()));
  await engine.settle();
  await clock.moveTo(addDays(START, 50.1));
  expect(await events('OrderReopened')).toMatchObject([{ of: orderId, data: { renewalNumber: 1 } }]);
  expect(failures).toBe(2);
});

it('LOY-10: a charge that was under way when the store stood still waits, and is released under the same key', async () => {
  const orderId = await join();
  payments.slow = true;
  moveTo(addDays(START, 7));
  await requestedCharges(1);
  void engine.stop();
  await nextTurn();
  await clock.moveTo(addDays(START, 30));
  startEngine();
  await settleExceptCharges();
  expect(payments.requested).toHaveLength(1);
  expect(await events('RenewalMissed')).toMatchObject([{ of: orderId, data: { attempt: 1 } }]);
  expect((await requests.programmes.skipRenewal(orderId, by())).outcome.kind).toBe('refused');
  accepted(await requests.programmes.releaseRenewal(orderId, by()));
  const [first, again] = await requestedCharges(2);
  expect(again?.key).toBe(first?.key);
  again?.answer(captured);
  await engine.settle();
  // What came meanwhile is late by itself.
  expect(await typesOf('RenewalMissed', 'RenewalPaid')).toEqual(['RenewalMissed', 'RenewalPaid', 'RenewalMissed']);
});

it('LOY-8: renewals wait for a provider that is unavailable for hours', async () => {
  await join();
  payments.unavailable = true;
  await clock.moveTo(addDays(START, 7.2));
  expect(engine.parked()).toEqual([]);
  payments.unavailable = false;
  await clock.moveTo(addDays(START, 7.3));
  expect(await typesOf('RenewalDeclined', 'RenewalPaid', 'OrderReopened')).toEqual(['RenewalPaid', 'OrderReopened']);
});

it('LOY-7: a policy with an earlier announcement applies from the instant at which it takes effect', async () => {
  await join();
  const { state } = await handler.streams.read<'policy'>('policy-main');
  const policy = { ...(state.versions[0] as (typeof state.versions)[0]).policy, renewalNoticeDays: 5 };
  await requests.policy.publish({ policy, effectiveFrom: addDays(START, 3) }, { ...by(), ifRevision: 0 });
  await engine.settle();
  await clock.moveTo(addDays(START, 7));
  expect(await events('RenewalAnnounced')).toMatchObject([{ data: { at: addDays(START, 3), policyVersion: 2 } }]);
});

describe('the card of a member', () => {
  const encoded = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const customerIds = async () =>
    (await events('OrderPlaced')).map(({ data }) => 'customerId' in data && data.customerId);
  const results = async () =>
    (await events('RenewalPaid', 'RenewalDeclined')).map(({ of, type, data }) => ({ of, type, ...data }));

  /** The same order again, as version 1 stored it: with its card as it is. @returns its id */
  async function joinWithVersion1(): Promise<string> {
    await join();
    const [placed] = await events('OrderPlaced');
    const id = 'order-of-before';
    const event = {
      id: deriveId('renewals.spec', id),
      type: 'OrderPlaced',
      data: encoded({ ...placed?.data, paymentToken: 'tok_ok' }),
      metadata: encoded({ commandId: id, correlationId: id, actor: 'staff:spec' }),
    };
    await store.append(`order-${id}`, [event], 'no-stream');
    await engine.settle();
    return id;
  }

  it('is charged from its box, and from a text of version 1, which is sealed with the next renewal', async () => {
    const id = await joinWithVersion1();
    await clock.moveTo(addDays(START, 7));
    expect((await results()).map(({ of, type }) => `${of === id} ${type}`).sort()).toEqual([
      'false RenewalPaid',
      'true RenewalPaid',
    ]);
    for await (const { data } of store.readAll({ filter: { types: ['RenewalBegun'] } })) {
      const text = new TextDecoder().decode(data);
      expect(text).toContain('"purpose":"payment-token"');
      expect(text).not.toContain('tok_ok');
      expect(text).not.toContain(btoa('"tok_ok"'));
    }
  });

  it('is not charged once its customer was erased, whichever version stored it', async () => {
    await joinWithVersion1();
    await vault.erase(customerStream(`${(await customerIds())[0]}`));
    payments.slow = true;
    await clock.moveTo(addDays(START, 7));
    expect(await results()).toMatchObject([
      { type: 'RenewalDeclined', reason: 'payment-details-erased' },
      { type: 'RenewalDeclined', reason: 'payment-details-erased' },
    ]);
    expect(payments.requested).toEqual([]);
  });

  it('waits while its key is missing, like a provider that is away', async () => {
    await join();
    const keys = vault;
    vault = await openVault({});
    await crashAndRestart();
    await engine.settle();
    await clock.moveTo(addDays(START, 7.2));
    expect(await results()).toEqual([]);
    // Mails that need the key are parked.
    expect(engine.parked().filter(({ process }) => process !== 'mailing')).toEqual([]);
    expect(engine.status().processes.find(({ name }) => name === 'loyalty-renewals')).toMatchObject({
      waitingForRetry: 1,
      lastError: expect.stringMatching(/^the vault: key .* is not in this vault/),
    });
    await vault.close();
    vault = keys;
    await crashAndRestart();
    await engine.settle();
    await clock.moveTo(addDays(START, 7.3));
    expect(await results()).toMatchObject([{ type: 'RenewalPaid' }]);
  });
});
