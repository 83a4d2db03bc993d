import { customerStream } from '#domain/accounts/customer';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { ticketStream } from '#domain/support/ticket';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { CommandHandler } from './command-handler.ts';
import { firstStore, prepareNewStore } from './first-start.ts';
import { personal } from './plain-command.ts';
import type { RequestContext } from './request-tools.ts';
import { createRequests, type Requests } from './requests.ts';

const by = (what: string, actor: string, reason?: string): RequestContext => ({
  caller: trialCaller(actor),
  commandId: deriveId('erased-persons.spec', what),
  ...(reason && { reason }),
});

let events: EventStore;
let vault: Vault;
let requests: Requests;
beforeAll(async () => {
  events = await openEmbeddedStore();
  vault = await openVault({});
  const handler = new CommandHandler(events);
  const clock = new MovedClock('2026-03-02T15:00:00.000Z');
  requests = createRequests({ streams: handler.streams, vault, clock, dispatch: handler.execute.bind(handler) });
  await prepareNewStore(requests);
});
afterAll(async () => {
  await events.close();
  await vault.close();
});

test('of several leads, that of an erased person is refused, and the others are received', async () => {
  const lead = (leadId: string, telephone: string) => ({
    leadId,
    leadTypeId: 'exclusive-fresh',
    source: 'fair',
    contact: { telephone },
  });
  const first = await requests.leads.receive([lead('l1', '212 555 0142')], by('l1', 'system:import'));
  expect(first.map(({ outcome }) => outcome.kind)).toEqual(['accepted']);
  await vault.erase(leadStream('l1'));
  await vault.erase(leadStream('l2'));
  const several = [lead('l2', '212 555 0143'), lead('l3', '212 555 0144')];
  const receipts = await requests.leads.receive(several, by('l2', 'system:import'));
  expect(receipts.map(({ outcome }) => outcome)).toMatchObject([
    { kind: 'refused', refusal: { code: 'person-erased' } },
    { kind: 'accepted' },
  ]);
});

test('nothing more is stored about a customer who was erased', async () => {
  const registration = { storeId: firstStore.storeId, businessAssociation: 'Abc', timeZone: 'UTC' };
  const { id: customerId } = await requests.accounts.register(registration, by('register', 'staff:ada'));
  const customer = `customer:${customerId}`;
  const letter = { customerId, subject: 'Leads', message: 'Where are they?' };
  const { id: ticketId } = await requests.support.openTicket(letter, by('ticket', customer));
  await vault.erase(customerStream(customerId));
  const head = await events.head();
  const answer = { type: 'AnswerTicket', answer: personal('answer', 'On their way.') } as const;
  const asked = [
    () => requests.accounts.changeName(customerId, { firstName: 'Ann', lastName: 'Lee' }, by('name', customer)),
    () => requests.support.openTicket(letter, by('another ticket', customer)),
    () => requests.send(ticketStream(ticketId), answer, by('answer', 'staff:ada', 'asked')),
  ];
  for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'person-erased' });
  expect(await events.head()).toBe(head);
});
