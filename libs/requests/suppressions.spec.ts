import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import { leadStream, mayBeSold } from '#domain/leads/lead';
import { personClaimStream } from '#domain/leads/person-claim';
import { openTwoMachines, type TwoMachines } from '#test/two-machines';
import type { Dispatch, RequestContext } from './request-tools.ts';

const START = '2026-03-02T15:00:00.000Z';

let machines: TwoMachines;
beforeEach(async () => {
  machines = await openTwoMachines(START);
});
afterEach(() => machines.close());

let asked = 0;
const on = (machine: number) => machines.on(machine);
const log = () => machines.log();
const by = (actor: string): RequestContext => {
  asked += 1;
  return { caller: trialCaller(actor), commandId: deriveId('suppressions.spec', String(asked)) };
};

interface Person {
  readonly telephone?: number | undefined;
  readonly email?: number | undefined;
}

const contactOf = ({ telephone, email }: Person) => ({
  ...(telephone !== undefined && { telephone: `+1 212 555 ${1000 + telephone}` }),
  ...(email !== undefined && { email: `person${email}@example.org` }),
});

async function receive(person: Person, machine = 0, occasion = String(asked)): Promise<string> {
  const request = { leadTypeId: 'exclusive-real-time', source: `form ${occasion}`, contact: contactOf(person) };
  const [receipt] = await on(machine).requests.leads.receive([request], by('system:form'));
  return receipt?.id as string;
}

const suppress = (person: Person, machine = 0, listId?: string) => {
  const { telephone, email } = contactOf(person);
  const names = { telephones: telephone ? [telephone] : [], emails: email ? [email] : [] };
  const [suppression, actor] =
    listId === undefined ? (['opt-out', 'customer:form'] as const) : (['do-not-call', 'system:lists'] as const);
  return on(machine).requests.suppressions.suppress([{ suppression, listId, ...names }], by(actor));
};

async function lift({ telephone = 0 }: Person, machine = 0): Promise<void> {
  const { caller, commandId } = by('staff:ada');
  const command = { type: 'LiftSuppression', at: machines.clock.now() } as const;
  const stream = personClaimStream(keyOf(telephone));
  const cause = {
    commandId,
    correlationId: commandId,
    actor: caller.actor,
    reason: await machines.vault.seal(stream, 'reason', 'asked'),
  };
  await on(machine).handler.execute({ stream, command, caller, cause, reason: 'asked' });
}

const decision = {
  rule: 'order-served-longest-ago',
  rank: { placedAt: START },
  decidedAt: START,
  eventsSeen: 1,
  decisionIndex: 0,
  policyVersion: 1,
} as const;

function sell(leadId: string, machine: number) {
  asked += 1;
  const commandId = deriveId('sell', String(asked));
  const caller = { kind: 'process', actor: 'process:test', roles: ['process'], stores: 'all' } as const;
  const order = { orderId: 'o1', customerId: 'c1', businessKey: 'b1', leadTypeId: 'exclusive-real-time' };
  const command = { type: 'AssignLead', at: machines.clock.now(), ...order, decision } as const;
  const cause = { commandId, correlationId: commandId, actor: caller.actor };
  return on(machine).handler.execute({ stream: leadStream(leadId), command, caller, cause });
}

const keysOf = (data: { telephoneKey?: string | undefined; emailKey?: string | undefined }) =>
  [data.telephoneKey, data.emailKey].filter((key) => key !== undefined);

/** What was stored or sold although an earlier event of the log suppresses the person. */
async function soldAfterwards(): Promise<readonly string[]> {
  const suppressed = new Set<string>();
  const wrong: string[] = [];
  for (const fact of await log()) {
    if (fact.type === 'PersonSuppressed') suppressed.add(fact.stream.slice('person-'.length));
    // Here persons ask for it by themselves only.
    if (fact.type === 'SuppressionLifted') suppressed.delete(fact.stream.slice('person-'.length));
    if (fact.type !== 'LeadReceived' && fact.type !== 'LeadAssigned') continue;
    if (keysOf(fact.data).some((key) => suppressed.has(key))) wrong.push(`${fact.type} ${fact.stream}`);
  }
  return wrong;
}

const keyOf = (telephone: number) => machines.vault.personKey('telephone', `+1212555${1000 + telephone}`);

/** Leads that can be sold of a person with one of these telephone numbers that is suppressed still. */
async function onSale(persons: readonly Person[]): Promise<readonly string[]> {
  const keys: string[] = [];
  for (const key of persons.map(({ telephone = 0 }) => keyOf(telephone)))
    if ((await on(0).handler.streams.read<'person'>(personClaimStream(key))).state.suppressedBy.length > 0)
      keys.push(key);
  const found: string[] = [];
  for (const fact of await log()) {
    if (fact.type !== 'LeadReceived' || !keysOf(fact.data).some((key) => keys.includes(key))) continue;
    const { state } = await on(0).handler.streams.read<'lead'>(fact.stream as `lead-${string}`);
    if (mayBeSold(state)) found.push(fact.stream);
  }
  return found;
}

describe('DLV-12: a suppressed person', () => {
  test('is not stored by a request that claimed the person before', async () => {
    machines.sending = (execute) => async (command) => {
      if ('type' in command.command && command.command.type === 'ReceiveLead') {
        machines.sending = (later) => later;
        await suppress({ telephone: 1 }, 1);
      }
      return execute(command);
    };
    await receive({ telephone: 1, email: 1 });
    expect((await log()).filter(({ type }) => type === 'LeadReceived')).toEqual([]);
    expect(await soldAfterwards()).toEqual([]);
    // The address was claimed in vain: it can be claimed again.
    const other = await receive({ email: 1 }, 1);
    expect((await on(0).handler.streams.read<'lead'>(leadStream(other))).state.status).toBe('available');
  });

  test('holds up nobody by the address that was claimed before the number was seen to be suppressed', async () => {
    // Keys are claimed in their order.
    const keys = (number: number) => [keyOf(number), machines.vault.personKey('email', `person${number}@example.org`)];
    const number = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((one) => (keys(one)[1] ?? '') < (keys(one)[0] ?? '')) ?? 0;
    await suppress({ telephone: number });
    const leadId = await receive({ telephone: number, email: number });
    const read = on(1).handler.streams;
    const { claim } = (await read.read<'person'>(personClaimStream(keys(number)[1] ?? ''))).state;
    const { state } = await read.read<'lead'>(leadStream(claim?.leadId ?? ''));
    // Another record waits for a lead that is missing, and not for one whose receipt was forfeited.
    expect([claim?.leadId, state.status]).toEqual([leadId, 'unknown']);
    expect(state.forfeits).toBeGreaterThan(claim?.attempt ?? 0);
  });

  test('is not claimed by a lead that comes between the withdrawal and the suppression', async () => {
    machines.sending = (execute) => async (command) => {
      if ('type' in command.command && command.command.type === 'SuppressPerson') {
        machines.sending = (later) => later;
        await receive({ telephone: 1 }, 1);
      }
      return execute(command);
    };
    await suppress({ telephone: 1 });
    expect(await soldAfterwards()).toEqual([]);
    expect(await onSale([{ telephone: 1 }])).toEqual([]);
  });

  test('is withdrawn also where a record told that two leads are of one person', async () => {
    const first = await receive({ telephone: 1 });
    const second = await receive({ email: 2 });
    await receive({ telephone: 1, email: 2 });
    await suppress({ email: 2 });
    const states = await Promise.all(
      [first, second].map(async (leadId) => (await on(1).handler.streams.read<'lead'>(leadStream(leadId))).state),
    );
    expect(states.map(({ status }) => status)).toEqual(['withdrawn', 'withdrawn']);
    expect(states.map(({ withdrawnAs }) => withdrawnAs)).toContain('suppressed');
  });

  test('is sold again after it was lifted, also by a name that another lead tells', async () => {
    const first = await receive({ telephone: 1 });
    const second = await receive({ email: 2 });
    await receive({ telephone: 1, email: 2 });
    await suppress({ telephone: 1 });
    const statusOf = async (leadId: string) =>
      (await on(1).handler.streams.read<'lead'>(leadStream(leadId))).state.status;
    expect(await statusOf(await receive({ email: 2 }, 1))).toBe('duplicate');
    await lift({ telephone: 1 });
    expect(await statusOf(await receive({ email: 2 }, 1))).toBe('available');
    expect([await statusOf(first), await statusOf(second)]).toEqual(['withdrawn', 'withdrawn']);
  });

  const anyKey = fc.integer({ min: 1, max: 3 });
  const step = fc.record({
    person: fc
      .record({ telephone: anyKey, email: anyKey }, { requiredKeys: [] })
      .filter(({ telephone, email }) => telephone !== undefined || email !== undefined),
    does: fc.constantFrom('receive', 'receive', 'suppress', 'suppress', 'lift'),
    machine: fc.nat(1),
    startsAfter: fc.nat(8),
  });
  const steps = fc.array(step, { minLength: 3, maxLength: 10 });
  let run = 0;
  const inThisRun = ({ telephone, email }: Person): Person => ({
    ...(telephone !== undefined && { telephone: telephone + run * 10 }),
    ...(email !== undefined && { email: email + run * 10 }),
  });
  const slowly =
    (stops: () => boolean) =>
    (execute: Dispatch): Dispatch =>
    async (command) => {
      asked += 1;
      const number = asked;
      await pause((number * 7) % 5);
      if (stops() && number % 11 === 0) throw new Error('stopped before');
      const outcome = await execute(command);
      if (stops() && number % 13 === 0) throw new Error('stopped after');
      return outcome;
    };

  test.each([
    ['racing machines', false],
    ['machines that stop at any step, and are asked again', true],
  ])('is never sold by %s', async (_, doStop) => {
    let stops = doStop;
    machines.sending = slowly(() => stops);
    const property = fc.asyncProperty(steps, async (all) => {
      run += 1;
      stops = doStop;
      const take = async ({ person, does, machine, startsAfter }: (typeof all)[number], number: number) => {
        await pause(startsAfter);
        // Claims that others made are old.
        if (doStop) await machines.clock.moveTo(addSeconds(machines.clock.now(), 120));
        const one = inThisRun(person);
        if (does === 'suppress') return void (await suppress(one, machine));
        if (does === 'lift') return lift(one, machine);
        await sell(await receive(one, machine, `${run} ${number}`), machine + 1);
      };
      await Promise.allSettled(all.map(take));
      stops = false;
      if (doStop) for (const [number, one] of all.entries()) await take(one, number);
      expect(await soldAfterwards()).toEqual([]);
      const names = all.filter(({ does, person }) => does === 'suppress' && person.telephone !== undefined);
      expect(await onSale(names.map(({ person }) => inThisRun(person)))).toEqual([]);
    });
    await fc.assert(property, { numRuns: 12 });
  });
});
