import { decode, type FactOf, idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { type LeadCommand, leadStream } from '#domain/leads/lead';
import { personClaimStream } from '#domain/leads/person-claim';
import { vaultStream } from '#domain/vaults/vault-name';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { CommandHandler } from './command-handler.ts';
import { claimPersonsOfBefore } from './persons-of-before.ts';

const at = '2026-03-01T09:30:00.000Z';
let events: EventStore;
let older: CommandHandler;
beforeEach(async () => {
  events = await openEmbeddedStore();
  older = new CommandHandler(events);
});
afterEach(() => events.close());

const caller: Caller = { kind: 'process', actor: 'process:test', roles: ['process', 'lead-source'], stores: 'all' };
let sent = 0;

/** The version before wrote the same events of leads, and claimed nothing. */
async function tell(leadId: string, command: LeadCommand): Promise<void> {
  sent += 1;
  const commandId = deriveId('persons-of-before.spec', String(sent));
  const cause = { commandId, correlationId: commandId, actor: caller.actor };
  const outcome = await older.execute({ stream: leadStream(leadId), command, caller, cause });
  expect(outcome.kind).toBe('accepted');
}

const keyOf = (person: string): string => person.padEnd(22, '0');

const received = (leadId: string, { telephone, email }: { telephone?: string; email?: string }, maximumCustomers = 1) =>
  tell(leadId, {
    type: 'ReceiveLead',
    at,
    leadTypeId: 'exclusive-fresh',
    maximumCustomers,
    source: 'web',
    ...(telephone && { telephoneKey: keyOf(telephone) }),
    ...(email && { emailKey: keyOf(email) }),
    contact: { keyId: 'k', box: 'AAAA' },
    policyVersion: 1,
  });
const sold = (leadId: string, customer = 1) =>
  tell(leadId, {
    type: 'AssignLead',
    at,
    leadTypeId: 'exclusive-fresh',
    orderId: `o${customer}`,
    customerId: `c${customer}`,
    businessKey: `b${customer}`,
    decision: {
      rule: 'order-served-longest-ago',
      rank: { placedAt: at },
      decidedAt: at,
      eventsSeen: 1,
      decisionIndex: 0,
      policyVersion: 1,
    },
  });

/** Each start is another program, which knows only the log. */
const start = (commands: Pick<CommandHandler, 'execute' | 'streams'> = new CommandHandler(events)) =>
  claimPersonsOfBefore({ events, commands, clock: new MovedClock(at) }, () => {});

const holderOf = async (person: string) =>
  (await new CommandHandler(events).streams.read<'person'>(personClaimStream(keyOf(person)))).state.claim?.leadId;
async function ofType<Type extends 'LeadWithdrawn' | 'AllPersonsClaimed' | 'PersonClaimed' | 'PersonLinked'>(
  type: Type,
) {
  const facts: FactOf<Type>[] = [];
  for await (const stored of events.readAll({ filter: { types: [type] } })) facts.push(decode(stored) as FactOf<Type>);
  return facts;
}
const withdrawn = async () =>
  Object.fromEntries((await ofType('LeadWithdrawn')).map(({ stream, data }) => [idOf(stream), data.supersededBy]));

describe('DLV-11: in a log of before', () => {
  it('the lead that was sold first has its person, and the others are withdrawn from stock', async () => {
    await received('l1', { telephone: 'ann' });
    await received('l2', { telephone: 'ann', email: 'ann-mail' });
    await received('l3', { telephone: 'ann' });
    await received('l4', { telephone: 'bob' });
    await sold('l3');
    await sold('l2', 2);
    await start();
    expect(await holderOf('ann')).toBe('l3');
    expect(await holderOf('ann-mail')).toBe('l2');
    expect(await holderOf('bob')).toBe('l4');
    expect(await withdrawn()).toEqual({ l1: 'l3' });
    const linked = (await ofType('PersonLinked')).map(({ stream, data }) => [stream, data.leadId]);
    expect(linked).toEqual([[personClaimStream(keyOf('ann')), 'l2']]);
  });

  it('of leads that were not sold, the first one has its person', async () => {
    await received('l1', { telephone: 'ann' });
    await received('l2', { email: 'ann-mail', telephone: 'ann' });
    await received('l3', { email: 'ann-mail' });
    await start();
    expect(await withdrawn()).toEqual({ l2: 'l1', l3: 'l1' });
  });

  it('a lead that was returned has no person', async () => {
    await received('l1', { telephone: 'ann' });
    await sold('l1');
    await tell('l1', { type: 'WithdrawLead', at, replacementId: 'r1', reason: 'wrong number' });
    await received('l2', { telephone: 'ann' });
    await start();
    expect(await holderOf('ann')).toBe('l2');
  });

  it('what is left of a shared lead is not sold beside another one of its person', async () => {
    await received('l1', { telephone: 'ann' }, 3);
    await received('l2', { telephone: 'ann' }, 3);
    await sold('l1');
    await sold('l2', 2);
    await start();
    expect(await withdrawn()).toEqual({ l2: 'l1' });
  });

  it('that is done once, also when it is interrupted at any step, or two programs do it at once', async () => {
    await received('l1', { telephone: 'ann' });
    await received('l2', { telephone: 'ann', email: 'ann-mail' });
    await received('l3', { email: 'ann-mail' });
    for (let steps = 0; steps < 6; steps += 1) {
      const handler = new CommandHandler(events);
      let left = steps;
      const execute: CommandHandler['execute'] = async (command) => {
        if (left === 0) throw new Error('stopped');
        left -= 1;
        return handler.execute(command);
      };
      await Promise.allSettled([start({ execute, streams: handler.streams })]);
    }
    await Promise.all([start(), start()]);
    await start();
    expect(await withdrawn()).toEqual({ l2: 'l1', l3: 'l1' });
    expect(await ofType('PersonClaimed')).toHaveLength(2);
    expect(await ofType('AllPersonsClaimed')).toMatchObject([{ stream: vaultStream, data: { leads: 2 } }]);
  });
});
