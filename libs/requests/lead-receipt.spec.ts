import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { type Fact, type FactOf, idOf } from '#domain/codec';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { addDays, addSeconds } from '#domain/kernel/instants';
import type { LeadCommand } from '#domain/leads/lead';
import { leadStream } from '#domain/leads/lead';
import { defaultPolicy } from '#domain/policy/policy';
import { openTwoMachines, type TwoMachines } from '#test/two-machines';
import type { Outcome } from './addressed-command.ts';
import type { RequestContext } from './request-tools.ts';
import { RequestRefused } from './rights.ts';

const START = '2026-03-02T15:00:00.000Z';
const CAPTURED = '2026-01-01T00:00:00.000Z';

let machines: TwoMachines;
beforeEach(async () => {
  machines = await openTwoMachines(START);
});
afterEach(() => machines.close());

const on = (machine: number) => machines.on(machine);
const log = () => machines.log();

let asked = 0;
const by = (actor: string, more: Partial<RequestContext> = {}): RequestContext => {
  asked += 1;
  return { caller: trialCaller(actor), commandId: deriveId('lead-receipt.spec', String(asked)), ...more };
};

/** A record of a person, by the numbers of its telephone and of its address. */
interface Capture {
  readonly telephone?: number;
  readonly email?: number;
  readonly leadTypeId?: string;
  readonly source?: string;
}

const requestOf = ({ telephone, email, leadTypeId = 'exclusive-real-time', source = 'form' }: Capture, more = {}) => ({
  leadTypeId,
  source,
  contact: {
    ...(telephone !== undefined && { telephone: `+1 212 555 ${1000 + telephone}` }),
    ...(email !== undefined && { email: `person${email}@example.org` }),
  },
  ...more,
});

async function receive(capture: Capture, { machine = 0, more = {} }: { machine?: number; more?: object } = {}) {
  asked += 1;
  // By default each record was captured at an instant of its own.
  const request = requestOf(capture, { capturedAt: addSeconds(CAPTURED, asked), ...more });
  const [receipt] = await on(machine).requests.leads.receive([request], by('system:form'));
  return { leadId: receipt?.id as string, ...whatHappened(receipt?.outcome as Outcome) };
}

function whatHappened(outcome: Outcome) {
  if (outcome.kind !== 'accepted')
    return { recorded: [outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind] };
  const [event] = outcome.events;
  const { duplicateOf, match } = event?.type === 'DuplicateReceived' ? event.data : {};
  return { recorded: outcome.events.map(({ type }) => type), duplicateOf, match };
}

const stored = { recorded: ['LeadReceived'] };
const duplicateOf = ({ leadId }: { leadId: string }, match = 'telephone') => ({
  recorded: ['DuplicateReceived'],
  duplicateOf: leadId,
  match,
});

async function tell(leadId: string, command: LeadCommand): Promise<Outcome> {
  asked += 1;
  const commandId = deriveId('tell', String(asked));
  const caller = { kind: 'process', actor: 'process:test', roles: ['process'], stores: 'all' } as const;
  const cause = { commandId, correlationId: commandId, actor: caller.actor };
  return on(asked).handler.execute({ stream: leadStream(leadId), command, caller, cause });
}

const decision = {
  rule: 'order-served-longest-ago',
  rank: { placedAt: START },
  decidedAt: START,
  eventsSeen: 1,
  decisionIndex: 0,
  policyVersion: 1,
} as const;
const sell = (leadId: string, customer = 1, leadTypeId = 'exclusive-real-time') =>
  tell(leadId, {
    type: 'AssignLead',
    at: machines.clock.now(),
    leadTypeId,
    orderId: `o${customer}`,
    customerId: `c${customer}`,
    businessKey: `b${customer}`,
    decision,
  });
const withdrawAsBad = (leadId: string) =>
  tell(leadId, { type: 'WithdrawLead', at: machines.clock.now(), replacementId: 'r1', reason: 'wrong number' });

const ofType = async <Type extends Fact['type']>(type: Type) =>
  (await log()).filter((fact) => fact.type === type) as unknown as FactOf<Type>[];

test('nothing of a lead is recorded, and no person claimed, for who may bring none', async () => {
  const brought = on(0).requests.leads.receive([requestOf({ telephone: 1, email: 1 })], by('customer:c1'));
  await expect(brought).rejects.toThrow(RequestRefused);
  const about = (await log()).filter(({ stream }) => /^(lead|person)-/.test(stream));
  expect(about).toEqual([]);
});

describe('DLV-11: a further record of a person', () => {
  test('is a duplicate, whatever its source, its type, and by whichever key', async () => {
    const first = await receive({ telephone: 1, email: 1 });
    expect(first).toMatchObject(stored);
    expect(await receive({ telephone: 1 })).toMatchObject(duplicateOf(first));
    expect(await receive({ email: 1, source: 'fair' })).toMatchObject(duplicateOf(first, 'email'));
    const shared = { telephone: 1, email: 1, leadTypeId: 'shared-fresh' };
    expect(await receive(shared, { machine: 1 })).toMatchObject(duplicateOf(first, 'telephone and email'));
    expect(await receive({ telephone: 2 })).toMatchObject(stored);
  });

  test('is recorded without its contact', async () => {
    await receive({ telephone: 1 });
    const second = await receive({ telephone: 1 });
    const [recorded] = await ofType('DuplicateReceived');
    expect(recorded?.stream).toBe(leadStream(second.leadId));
    expect(JSON.stringify(recorded)).not.toContain('box');
  });

  test('that is sent again stays what it was', async () => {
    const once = { more: { capturedAt: CAPTURED } };
    const first = await receive({ telephone: 1 }, once);
    const second = await receive({ telephone: 1, source: 'fair' }, once);
    expect(await receive({ telephone: 1 }, once)).toMatchObject({ leadId: first.leadId, recorded: [] });
    expect(await receive({ telephone: 1, source: 'fair' }, once)).toMatchObject({
      leadId: second.leadId,
      recorded: [],
    });
    expect(await ofType('PersonClaimed')).toHaveLength(1);
  });

  test('belongs to a person also when it shares its telephone number with one record and its address with another', async () => {
    const first = await receive({ telephone: 1, email: 1 });
    expect(await receive({ telephone: 2, email: 1 })).toMatchObject(duplicateOf(first, 'email'));
    expect(await receive({ telephone: 2, email: 2 })).toMatchObject(duplicateOf(first));
    expect(await receive({ email: 2 })).toMatchObject(duplicateOf(first, 'email'));
  });

  test('is a duplicate also in one file', async () => {
    const rows = [
      { telephone: 1, email: 1 },
      { email: 1 },
      { telephone: 2, email: 2 },
      { telephone: 1, email: 2 },
      { telephone: 2 },
    ].map((capture, row) => requestOf(capture, { source: `row ${row}` }));
    const answers = await on(0).requests.leads.receive(rows, by('system:import'));
    expect(answers.map(({ outcome }) => whatHappened(outcome).recorded[0])).toEqual([
      'LeadReceived',
      'DuplicateReceived',
      'LeadReceived',
      'DuplicateReceived',
      'DuplicateReceived',
    ]);
  });

  test('is refused when it comes under a used Idempotency-Key, and claims nothing', async () => {
    const context = by('system:form', { requestHash: 'a'.repeat(43) });
    const send = (telephone: number, requestHash: string) =>
      on(0).requests.leads.receive([requestOf({ telephone }, { leadId: 'mine' })], { ...context, requestHash });
    await send(1, 'a'.repeat(43));
    expect((await send(2, 'b'.repeat(43)))[0]?.outcome.kind).toBe('key-reused');
    expect(await receive({ telephone: 2 })).toMatchObject(stored);
    expect((await send(1, 'a'.repeat(43)))[0]?.outcome).toMatchObject({ kind: 'accepted', repeated: true });
  });

  test('is answered as before when it is repeated under its Idempotency-Key', async () => {
    const first = await receive({ telephone: 1 });
    const context = by('system:form', { requestHash: 'a'.repeat(43) });
    const send = () => on(1).requests.leads.receive([requestOf({ telephone: 1 }, { leadId: 'mine' })], context);
    const answers = [...(await send()), ...(await send())].map(({ outcome }) => whatHappened(outcome));
    expect(answers).toMatchObject([duplicateOf(first), duplicateOf(first)]);
  });
});

describe('DLV-11: the claim on a person', () => {
  test('passes on when its lead was withdrawn as bad', async () => {
    const first = await receive({ telephone: 1 });
    await sell(first.leadId);
    await withdrawAsBad(first.leadId);
    const second = await receive({ telephone: 1 });
    expect(second).toMatchObject(stored);
    expect(await receive({ telephone: 1 })).toMatchObject(duplicateOf(second));
  });

  test('holds after an erasure', async () => {
    const first = await receive({ telephone: 1, email: 1 });
    await sell(first.leadId);
    await machines.vault.erase(leadStream(first.leadId));
    await tell(first.leadId, { type: 'WithdrawLead', at: machines.clock.now(), reason: 'person erased' });
    expect(await receive({ telephone: 1 })).toMatchObject(duplicateOf(first));
  });

  test('passes on when its lead has aged out unsold, which is withdrawn then', async () => {
    const first = await receive({ telephone: 1, leadTypeId: 'exclusive-aged' });
    expect(await receive({ telephone: 1 })).toMatchObject(duplicateOf(first));
    await machines.clock.moveTo(addDays(START, defaultPolicy.agedAfterDays));
    const second = await receive({ telephone: 1 });
    expect(second).toMatchObject(stored);
    expect(await sell(first.leadId, 1, 'exclusive-aged')).toMatchObject({ refusal: { code: 'lead-withdrawn' } });
    expect((await ofType('LeadWithdrawn')).map(({ data }) => data.supersededBy)).toEqual([second.leadId]);
  });

  test('does not pass on from an aged lead that was sold', async () => {
    const first = await receive({ telephone: 1, leadTypeId: 'exclusive-aged' });
    await sell(first.leadId, 1, 'exclusive-aged');
    await machines.clock.moveTo(addDays(START, 3650));
    expect(await receive({ telephone: 1 })).toMatchObject(duplicateOf(first));
  });

  test('of a shared person passes on after the window of the policy, to a shared lead only', async () => {
    const first = await receive({ telephone: 1, leadTypeId: 'shared-fresh' });
    await sell(first.leadId, 1, 'shared-fresh');
    const policy = { ...defaultPolicy, sharedPersonDays: 90 };
    await on(0).requests.policy.publish({ policy }, { ...by('staff:ada'), ifRevision: 0 });
    await machines.clock.moveTo(addDays(START, 89));
    expect(await receive({ telephone: 1, leadTypeId: 'shared-fresh' })).toMatchObject(duplicateOf(first));
    await machines.clock.moveTo(addDays(START, 90));
    expect(await receive({ telephone: 1 })).toMatchObject(duplicateOf(first));
    expect(await receive({ telephone: 1, leadTypeId: 'shared-fresh' })).toMatchObject(stored);
    expect(await sell(first.leadId, 2, 'shared-fresh')).toMatchObject({ refusal: { code: 'lead-withdrawn' } });
  });
});

describe('DLV-11: a crash, and a race', () => {
  /** The first machine stops before it sends a command of this type. */
  const stopBefore = (type: string) => {
    machines.sending = (execute) => (command) => {
      if (!('type' in command.command) || command.command.type !== type) return execute(command);
      machines.sending = (later) => later;
      throw new Error('stopped');
    };
  };

  test('a request that stops between claim and lead does not block the person', async () => {
    stopBefore('ReceiveLead');
    const once = { more: { capturedAt: CAPTURED } };
    await expect(receive({ telephone: 1, email: 1 }, once)).rejects.toThrow('stopped');
    const second = await receive({ telephone: 1 }, { machine: 1 });
    expect(second).toMatchObject(stored);
    expect(await receive({ telephone: 1, email: 1 }, once)).toMatchObject(duplicateOf(second));
    expect(await receive({ email: 1 })).toMatchObject(duplicateOf(second, 'email'));
  });

  test('a request that stopped between claim and lead is finished when it is sent again', async () => {
    stopBefore('ReceiveLead');
    const once = { more: { capturedAt: CAPTURED } };
    await expect(receive({ telephone: 1, email: 1 }, once)).rejects.toThrow('stopped');
    const again = await receive({ telephone: 1, email: 1 }, once);
    expect(again).toMatchObject(stored);
    expect(await receive({ email: 1 }, { machine: 1 })).toMatchObject(duplicateOf(again, 'email'));
  });

  test('a request that was taken for stopped, and goes on, stores nothing', async () => {
    let second: unknown;
    machines.sending = (execute) => async (command) => {
      if ('type' in command.command && command.command.type === 'ReceiveLead') {
        machines.sending = (later) => later;
        second = await receive({ telephone: 1 }, { machine: 1 });
      }
      return execute(command);
    };
    const first = await receive({ telephone: 1 });
    expect(second).toMatchObject(stored);
    expect(first).toMatchObject(duplicateOf(second as { leadId: string }));
  });

  test('of two that come at once on two machines, one is stored', async () => {
    for (let person = 1; person <= 20; person += 1) {
      const both = await Promise.all(
        [0, 1].map((machine) => receive({ telephone: person, email: person }, { machine })),
      );
      expect(both.map(({ recorded }) => recorded[0]).sort()).toEqual(['DuplicateReceived', 'LeadReceived']);
    }
  });

  test.each([
    [{ telephone: 1 }, { email: 1 }],
    [{ email: 1 }, { telephone: 1 }],
  ])('of two leads, %j and %j, that two records link at once, one stays on sale', async (older, younger) => {
    const first = await receive(older);
    await machines.clock.moveTo(addSeconds(machines.clock.now(), 1));
    const second = await receive(younger);
    let claims = 0;
    machines.sending = (execute) => async (command) => {
      // The other record is stored between the claims of this one: after its first attempt, when one holder is known.
      if ('type' in command.command && command.command.type === 'ClaimPerson' && ++claims === 3) {
        machines.sending = (later) => later;
        await receive({ telephone: 1, email: 1 }, { machine: 1 });
      }
      return execute(command);
    };
    expect(await receive({ telephone: 1, email: 1 })).toMatchObject(duplicateOf(first, 'telephone and email'));
    expect(claims).toBe(3);
    const withdrawn = await ofType('LeadWithdrawn');
    expect(withdrawn.map(({ stream }) => stream)).toEqual([leadStream(second.leadId)]);
    expect(await receive({ telephone: 1 })).toMatchObject(duplicateOf(first));
  });

  test('the same upload on two machines at once stores each lead once', async () => {
    const rows = Array.from({ length: 50 }, (_, row) => requestOf({ telephone: row, email: row % 40 }));
    const answers = await Promise.all(
      [on(0), on(1)].map(({ requests }) => requests.leads.receive(rows, by('system:import'))),
    );
    expect(answers.flat().every(({ outcome }) => outcome.kind === 'accepted')).toBe(true);
    expect(await ofType('LeadReceived')).toHaveLength(40);
    expect(await ofType('DuplicateReceived')).toHaveLength(10);
  });

  const anyKey = fc.integer({ min: 1, max: 4 });
  const arrival = fc.record({
    capture: fc
      .record({ telephone: anyKey, email: anyKey }, { requiredKeys: [] })
      .filter(({ telephone, email }) => telephone !== undefined || email !== undefined),
    machine: fc.nat(1),
    startsAfter: fc.nat(8),
  });
  const arrivals = fc.array(arrival, { minLength: 2, maxLength: 10 });
  /** Persons of other runs have other numbers. */
  let run = 0;
  const inThisRun = ({ telephone, email }: { telephone?: number; email?: number }): Capture => ({
    ...(telephone !== undefined && { telephone: telephone + run * 10 }),
    ...(email !== undefined && { email: email + run * 10 }),
  });

  async function noPersonHasTwoLeads(before: number): Promise<readonly Fact[]> {
    const facts = (await log()).slice(before);
    const leads = facts.filter((fact) => fact.type === 'LeadReceived');
    const keys = leads.flatMap(({ data }) => [data.telephoneKey, data.emailKey].filter((key) => key !== undefined));
    expect(new Set(keys).size).toBe(keys.length);
    const ids = new Set(leads.map(({ stream }) => idOf(stream)));
    const duplicates = facts.filter((fact) => fact.type === 'DuplicateReceived');
    for (const { data } of duplicates) expect(ids).toContain(data.duplicateOf);
    return [...leads, ...duplicates];
  }

  const anyDelay = () => {
    asked += 1;
    return pause((asked * 7) % 5);
  };

  test('records with common keys, in any order and interleaving, never give two leads that can be sold', async () => {
    machines.sending = (execute) => async (command) => {
      await anyDelay();
      return execute(command);
    };
    const property = fc.asyncProperty(arrivals, async (all) => {
      run += 1;
      const before = (await log()).length;
      const sent = all.map(async ({ capture, machine, startsAfter }) => {
        await pause(startsAfter);
        await receive(inThisRun(capture), { machine });
      });
      await Promise.all(sent);
      expect(await noPersonHasTwoLeads(before)).toHaveLength(all.length);
    });
    await fc.assert(property, { numRuns: 20 });
  });

  test('nor when machines stop at any step, nobody waits for them, and what was lost is sent again', async () => {
    let stops = true;
    machines.sending = (execute) => async (command) => {
      await anyDelay();
      if (stops && asked % 11 === 0) throw new Error('stopped before');
      const outcome = await execute(command);
      if (stops && asked % 13 === 0) throw new Error('stopped after');
      return outcome;
    };
    const property = fc.asyncProperty(arrivals, async (all) => {
      run += 1;
      const before = (await log()).length;
      const send = async ({ capture, machine }: (typeof all)[number], number: number): Promise<void> => {
        // All claims that others made are old.
        await machines.clock.moveTo(addSeconds(machines.clock.now(), 120));
        await receive(inThisRun(capture), { machine, more: { capturedAt: addSeconds(CAPTURED, 1000 * run + number) } });
      };
      stops = true;
      await Promise.allSettled(all.map(send));
      await noPersonHasTwoLeads(before);
      stops = false;
      for (const [number, one] of all.entries()) await send(one, number);
      expect(await noPersonHasTwoLeads(before)).toHaveLength(all.length);
    });
    await fc.assert(property, { numRuns: 12 });
  });
});
