import type { Caller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import type { AnyCommand } from '#domain/ledger';
import { defaultPolicy, policyStream } from '#domain/policy/policy';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { CommandHandler } from './command-handler.ts';
import { historyReader } from './histories.ts';
import { type DecisionsRequest, decisionsOf } from './policy-decisions.ts';

const at = '2026-03-01T09:30:00.000Z';
const caller: Caller = { kind: 'process', actor: 'process:test', roles: ['process'], stores: 'all' };
let events: EventStore;
beforeEach(async () => {
  events = await openEmbeddedStore();
});
afterEach(() => events.close());

async function tell(stream: string, command: AnyCommand): Promise<void> {
  const commandId = deriveId('policy-decisions.spec', stream, JSON.stringify(command));
  const cause = { commandId, correlationId: commandId, actor: caller.actor };
  const staff: Caller = { ...caller, kind: 'person', roles: ['administrator', 'operator'] };
  const outcome = await new CommandHandler(events).execute({ stream, command, caller: staff, cause });
  expect(outcome.kind).toBe('accepted');
}

const publish = (returnWindowDays: number) => {
  const policy = { ...defaultPolicy, returnWindowDays };
  return tell(policyStream, { type: 'PublishPolicy', at, author: 'staff:ada', effectiveFrom: at, policy });
};
const receive = (leadId: string, policyVersion: number) =>
  tell(leadStream(leadId), {
    ...{ type: 'ReceiveLead', at, leadTypeId: 'exclusive-fresh', maximumCustomers: 1, source: 'web', policyVersion },
    contact: { keyId: 'k', box: 'AAAA' },
  });

test('POL-2: few decisions among many are found page by page, and no page reads more than its bound', async () => {
  await publish(5);
  for (const leadId of ['a', 'b', 'c', 'd', 'e', 'f']) await receive(leadId, 1);
  await publish(6);
  for (const leadId of ['g', 'h', 'i']) await receive(leadId, leadId === 'h' ? 1 : 2);
  const histories = historyReader(events, async () => undefined);
  let read = 0;
  const counted: EventStore['readAll'] = async function* (options) {
    for await (const event of events.readAll(options)) {
      read += 1;
      yield event;
    }
  };
  const list = (request: DecisionsRequest) => decisionsOf({ histories, events: { readAll: counted } }, request, 2);
  const pages: string[][] = [];
  for (let cursor: string | undefined; pages.length === 0 || cursor; ) {
    read = 0;
    const page = await list({ version: 1, limit: 100, ...(cursor && { cursor }) });
    expect(read).toBeLessThanOrEqual(2);
    pages.push((page?.items ?? []).map(({ stream }) => stream));
    cursor = page?.nextCursor;
  }
  expect(pages).toEqual([['lead-a', 'lead-b'], ['lead-c', 'lead-d'], ['lead-e', 'lead-f'], ['lead-h'], []]);
  expect((await list({ version: 2, limit: 1 }))?.items).toMatchObject([{ stream: 'lead-g' }]);
  expect(await list({ version: 3, limit: 1 })).toBeUndefined();
});
