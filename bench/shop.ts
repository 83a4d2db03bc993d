import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { type Clock, systemClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { sandboxPayments } from '#gateways/payments';
import { noWebhooks } from '#gateways/webhooks';
import { CommandHandler } from '#requests/command-handler';
import { prepareNewStore } from '#requests/first-start';
import type { ReceiveLeadRequest } from '#requests/lead-receipt';
import type { RequestContext } from '#requests/request-tools';
import { createRequests } from '#requests/requests';
import { createReactions } from '#wiring/reactions';
import { openStores } from '#wiring/stores';

/** A whole store on disk, wired as in production but without Nest and HTTP. Without a directory, it is deleted when closed. */
export async function openShop({
  clock = systemClock(),
  readModels = true,
  directory: kept,
}: {
  clock?: Clock;
  readModels?: boolean;
  directory?: string;
}) {
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'leadger-bench-'));
  const stores = await openStores({ directory });
  const handler = new CommandHandler(stores.events);
  const { streams } = handler;
  const dispatch = handler.execute.bind(handler);
  const requests = createRequests({ streams, vault: stores.vault, clock, dispatch });
  const engine = createReactions({
    store: stores.events,
    vault: stores.vault,
    sessions: stores.sessions,
    streams,
    clock,
    payments: sandboxPayments(),
    mails: mailInMemory(),
    webhooks: noWebhooks(),
    dispatch,
  });
  await prepareNewStore(requests);
  if (readModels) stores.readModels.start();
  engine.start().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
  return {
    ...stores,
    handler,
    requests,
    engine,
    async close() {
      await engine.stop();
      await stores.close();
      if (kept === undefined) rmSync(directory, { recursive: true });
    },
  };
}

type Shop = Awaited<ReturnType<typeof openShop>>;

const by = (what: string, number: number): RequestContext => ({
  caller: trialCaller('staff:bench'),
  commandId: deriveId('bench', what, String(number)),
});

const BUSINESSES = 40;
const AT_ONCE = 64;

/** Creates `count` customers of forty businesses, each with an open order that is never filled. */
export async function openOrders({ requests, engine }: Shop, leadTypeId: string, count: number): Promise<void> {
  await inParallel(count, AT_ONCE, async (number) => {
    const registration = {
      storeId: 'main',
      businessAssociation: `Business ${number % BUSINESSES}`,
      timeZone: 'America/New_York',
    };
    const { id: customerId } = await requests.accounts.register(registration, by('customer', number));
    const order = { customerId, leadTypeId, quantity: 1000, paymentToken: 'tok_ok' };
    const { outcome } = await requests.orders.place(order, by('order', number));
    if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome));
  });
  await engine.settle();
}

/** Imports the leads `from` to `to`, each of a different person. */
export async function importLeads({ requests }: Shop, leadTypeId: string, from: number, to: number): Promise<void> {
  const batches = Math.ceil((to - from) / 256);
  await inParallel(batches, 4, async (batch) => {
    const first = from + batch * 256;
    const leads = Array.from({ length: Math.min(256, to - first) }, (_, index) => lead(leadTypeId, first + index));
    await requests.leads.receive(leads, by('import', first));
  });
}

const lead = (leadTypeId: string, number: number): ReceiveLeadRequest => ({
  leadTypeId,
  source: 'bench',
  contact: {
    firstName: 'Given',
    lastName: `Family ${number}`,
    telephone: `+1${2_120_000_000 + number}`,
    email: `person${number}@example.org`,
  },
});

export async function inParallel(
  count: number,
  atOnce: number,
  work: (number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

export const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;

export const perSecond = (rate: number): string => `${Math.round(rate).toLocaleString('en')}/s`;
