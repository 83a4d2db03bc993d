import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { defaultPolicy, type PolicyContent, policyStream } from '#domain/policy/policy';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { CommandHandler } from './command-handler.ts';

const at = '2026-03-01T09:30:00.000Z';
let events: EventStore;
beforeEach(async () => {
  events = await openEmbeddedStore();
});
afterEach(() => events.close());

const publish = (program: CommandHandler, content: PolicyContent, author: string, ifRevision: number) => {
  const commandId = deriveId('policy.spec', author, String(ifRevision));
  const command = { type: 'PublishPolicy', at, author, effectiveFrom: at, ...content } as const;
  const cause = { commandId, correlationId: commandId, actor: author };
  return program.execute({ stream: policyStream, command, caller: trialCaller(author), cause, ifRevision });
};

test('POL-2: of two who publish at once from the same copy, on different machines, one publishes', async () => {
  const programs = [new CommandHandler(events), new CommandHandler(events)] as const;
  await publish(programs[0], { policy: defaultPolicy }, 'staff:owner', -1);
  for (let revision = 0; revision < 10; revision += 1) {
    const outcomes = await Promise.all([
      publish(programs[0], { changes: { returnWindowDays: revision + 1 } }, 'staff:ada', revision),
      publish(programs[1], { policy: { ...defaultPolicy, verificationDays: revision + 1 } }, 'staff:bob', revision),
    ]);
    const kinds = outcomes.map(({ kind }) => kind).sort();
    expect([revision, kinds]).toEqual([revision, ['accepted', 'revision-mismatch']]);
    const { revision: last } = await new CommandHandler(events).streams.read(policyStream);
    expect(last).toBe(revision + 1);
  }
});
