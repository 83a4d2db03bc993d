import { checkLaws } from '#audit/laws/laws';
import { trialCaller } from '#domain/kernel/caller';
import type { Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import type { Contact } from '#domain/leads/contact';
import { leadStream } from '#domain/leads/lead';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { CommandHandler } from '#requests/command-handler';
import { personKeys } from '#requests/lead-receipt';
import { type Reply, type Server, startServer } from '#test/e2e/server';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, VAULT } from '#wiring/tokens';

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client does, without our types
type Anything = any;

/** A running store for tests that use only its HTTP API. Its clock does not move until a test moves it. */
export interface Shop {
  readonly server: Server;
  /** @throws Error with the answer when the status is not the expected one */
  ask(
    method: string,
    path: string,
    body?: unknown,
    expected?: number,
    headers?: Record<string, string>,
  ): Promise<Anything>;
  /** The answer, with any status. */
  try(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** By default a customer of a new business. @returns its id */
  customer(details?: Record<string, unknown>): Promise<string>;
  /** A paid order, by default of 10 leads of `exclusive-fresh`. @returns its id */
  order(customerId: string, details?: Record<string, unknown>): Promise<string>;
  /** A new lead type, by default exclusive and fresh, sold in the store `main`. @returns its id */
  leadType(details?: Record<string, unknown>): Promise<string>;
  /** By default a lead of a new person. @returns its id */
  lead(leadTypeId?: string, details?: Record<string, unknown>): Promise<string>;
  /** A lead as the version before stored it, which claimed no persons. @returns its id */
  olderLead(leadTypeId: string, contact: Contact): Promise<string>;
  /**
   * Publishes `changes` of the policy, or a whole `policy`, as somebody who saw the versions that there are.
   * @throws Error with the answer when the status is not the expected one
   */
  publish(content: object, expected?: number, headers?: Record<string, string>): Promise<Anything>;
  /** The events of an order, a replacement, a customer and so on, by the path of its resource, oldest first. */
  history(path: string): Promise<readonly { type: string; at: string; position: string; data: Anything }[]>;
  /** All events as they are stored: personal data stays sealed. */
  log(): Promise<readonly { stream: string; type: string; data: Anything; metadata: Anything }[]>;
  /** The laws that the log breaks, and how often. */
  brokenLaws(): Promise<readonly [law: string, count: number][]>;
  /** What is in a sealed box of the log. */
  opened(box: Sealed): Promise<unknown>;
  /** A read that reflects all commands so far. */
  read(path: string): Promise<Anything>;
  /** Moves the clock, and waits until the processes have carried out what became due. */
  wait(time: { days?: number; hours?: number; seconds?: number }): Promise<void>;
  now(): string;
  stop(): Promise<void>;
}

const parsed = (bytes: Uint8Array): Anything => JSON.parse(new TextDecoder().decode(bytes));
const SECONDS_A_DAY = 86_400;

export async function openShop(options: Parameters<typeof startServer>[0] = {}): Promise<Shop> {
  const server = await startServer(options);
  let people = 0;
  let leadTypes = 0;
  const attempt = async (...call: Parameters<Server['call']>) => {
    const reply = await server.call(...call);
    await server.settle();
    return reply;
  };
  const ask: Shop['ask'] = async (method, path, body, expected = method === 'GET' ? 200 : undefined, headers = {}) => {
    const { status, body: answer, text } = await attempt(method, path, body, headers);
    if (expected === undefined ? status >= 300 : status !== expected)
      throw new Error(`${method} ${path} was answered ${status}: ${text}`);
    return answer ?? text;
  };
  const read: Shop['read'] = async (path) => {
    await server.settle();
    return ask('GET', `${path}${path.includes('?') ? '&' : '?'}waitFor=${await server.position()}`);
  };
  return {
    server,
    ask,
    try: attempt,
    read,
    async customer(details = {}) {
      people += 1;
      const registration = { storeId: 'main', businessAssociation: `Business ${people}`, timeZone: 'America/New_York' };
      return (await ask('POST', '/api/customers', { ...registration, ...details })).customerId;
    },
    async order(customerId, details = {}) {
      const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok', ...details };
      return (await ask('POST', '/api/orders', order)).orderId;
    },
    async leadType(details = {}) {
      leadTypes += 1;
      const leadTypeId = `type-${leadTypes}`;
      const traits = { exclusivity: 'exclusive', freshness: 'fresh', usualDelivery: 'one business day' };
      const leadType = { leadTypeId, name: leadTypeId, ...traits, qualifiesForLoyaltyRewards: false, ...details };
      await ask('POST', '/api/lead-types', leadType);
      const limits = { smallestOrder: 1, largestOrder: 1000 };
      const price = { storeId: 'main', leadTypeId, pricePerLeadCents: 100, currency: 'USD', ...limits };
      await ask('POST', '/api/prices', price);
      return leadTypeId;
    },
    async lead(leadTypeId = 'exclusive-fresh', { contact, ...details }: Record<string, unknown> = {}) {
      people += 1;
      const person = contact ?? { telephone: `+1213${5_550_000 + people}`, email: `person${people}@example.org` };
      return (await ask('POST', '/api/leads', { leadTypeId, source: 'page', contact: person, ...details })).leadId;
    },
    async olderLead(leadTypeId, contact) {
      people += 1;
      const leadId = deriveId('older lead', String(people));
      const [vault, handler] = [server.application.get<Vault>(VAULT), server.application.get(CommandHandler)];
      const box = await vault.seal(leadStream(leadId), 'contact', contact);
      const capture = { at: server.clock.now(), leadTypeId, source: 'page', ...personKeys(vault, contact) };
      const command = { type: 'ReceiveLead', ...capture, maximumCustomers: 1, contact: box, policyVersion: 1 } as const;
      const caller = trialCaller('system:older');
      const cause = { commandId: leadId, correlationId: leadId, actor: caller.actor };
      await handler.execute({ stream: leadStream(leadId), command, caller, cause });
      await server.settle();
      return leadId;
    },
    async publish(content, expected = 201, headers = {}) {
      const etag = (await server.call('GET', '/api/policy')).headers.get('etag') as string;
      return ask('POST', '/api/policy/versions', content, expected, { 'if-match': etag, ...headers });
    },
    history: async (path) => (await ask('GET', `${path}/history`)).events,
    async log() {
      const log = [];
      for await (const { stream, type, data, metadata } of server.application.get<EventStore>(EVENT_STORE).readAll())
        log.push({ stream, type, data: parsed(data), metadata: parsed(metadata) });
      return log;
    },
    async brokenLaws() {
      const { laws } = await checkLaws(server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
      return Object.entries(laws).filter(([, count]) => count > 0);
    },
    opened: (box) => server.application.get<Vault>(VAULT).open(box),
    async wait({ days = 0, hours = 0, seconds = 0 }) {
      await server.clock.moveTo(addSeconds(server.clock.now(), days * SECONDS_A_DAY + hours * 3600 + seconds));
      await server.settle();
    },
    now: () => server.clock.now(),
    async stop() {
      // Stop before the check: a server that still runs would keep Jest from ending when the check fails.
      await server.stop();
      expect(server.errors).toEqual([]);
    },
  };
}
