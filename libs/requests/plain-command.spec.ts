import { customerStream } from '#domain/accounts/customer';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
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
  commandId: deriveId('plain-command.spec', what),
  ...(reason && { reason }),
});

let events: EventStore;
let vault: Vault;
let sealedValues: unknown[] = [];
let requests: Requests;
let customerId: string;
let ticketId: string;
beforeAll(async () => {
  events = await openEmbeddedStore();
  vault = await openVault({});
  const seal = vault.seal.bind(vault);
  vault.seal = (owner, purpose, value) => {
    sealedValues.push(value);
    return seal(owner, purpose, value);
  };
  const handler = new CommandHandler(events);
  const clock = new MovedClock('2026-03-02T15:00:00.000Z');
  const { streams } = handler;
  requests = createRequests({ streams, vault, clock, dispatch: handler.execute.bind(handler) });
  await prepareNewStore(requests);
  const registration = { storeId: firstStore.storeId, businessAssociation: 'Abc', timeZone: 'UTC' };
  customerId = (await requests.accounts.register(registration, by('register', 'staff:ada'))).id;
  const letter = { customerId, subject: 'Leads', message: 'Where are they?' };
  ticketId = (await requests.support.openTicket(letter, by('ticket', `customer:${customerId}`))).id;
});
beforeEach(() => {
  sealedValues = [];
});
afterAll(async () => {
  await events.close();
  vault.close();
});

const answer = (id: string, context: RequestContext) =>
  requests.send(ticketStream(id), { type: 'AnswerTicket', answer: personal('answer', 'On their way.') }, context);

test('a personal text is sealed only for a caller with the right', async () => {
  expect((await answer(ticketId, by('no reason', 'staff:ada'))).outcome).toMatchObject({
    refusal: { code: 'reason-missing' },
  });
  expect(sealedValues).toEqual([]);
});

test('a personal text is sealed with the key of the customer to whom the stream belongs', async () => {
  const { outcome } = await answer(ticketId, by('answer', 'staff:ada', 'looked it up'));
  expect(outcome).toMatchObject({ kind: 'accepted', events: [{ type: 'TicketAnswered', data: { customerId } }] });
  const [event] = outcome.kind === 'accepted' ? outcome.events : [];
  const box = event?.type === 'TicketAnswered' ? event.data.answer : undefined;
  const { keyId } = await vault.seal(customerStream(customerId), 'answer', 'another text');
  expect(box?.keyId).toBe(keyId);
  expect(box && (await vault.open(box))).toBe('On their way.');
});

test('a stream that does not exist has no customer: the domain refuses, and nothing is sealed', async () => {
  const { outcome } = await answer('nowhere', by('nowhere', 'staff:ada', 'looked it up'));
  expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'ticket-unknown' } });
  expect(sealedValues).toEqual([]);
});
