import { decode, type FactOf } from '#domain/codec';
import type { EventTypeName } from '#domain/ledger';
import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { type MailServer, startMailServer } from '#test/mail-server';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { Program } from './program.ts';

const CUSTOMERS = 20;
const LEADS = 10;
const LEAD_TYPE = 'exclusive-fresh';

// biome-ignore lint/suspicious/noExplicitAny: a client looks into answers without our types
type Answer = any;

describeWithPostgres('two workers beside a mail server that takes a mail and then says nothing', () => {
  let events: TestEventStoreDb;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let mailServer: MailServer;
  let answerMails: () => void;
  let programs: Program[];
  let url: string;
  beforeEach(async () => {
    const { promise: hangsUntil, resolve } = Promise.withResolvers<void>();
    answerMails = resolve;
    [events, database, mailServer] = await Promise.all([
      startEventStoreDb(),
      freshDatabase(),
      startMailServer({ hangsUntil }),
    ]);
    programs = [start('api'), start('worker'), start('worker')];
    await Promise.all(programs.map((program) => program.says(/ready: \S+/)));
    url = urlOf(programs[0] as Program);
  });
  afterEach(async () => {
    answerMails();
    for (const program of programs) await program.kill();
    await mailServer.stop();
    await events.close();
    await database.drop();
  });

  const start = (name: 'api' | 'worker') =>
    new Program(name, ['--port', '0'], {
      LEADGER_EVENTS: events.connectionString,
      DATABASE_URL: database.url,
      LEADGER_MASTER_KEY: '07'.repeat(32),
      SMTP_URL: mailServer.url,
    });
  const urlOf = ({ stdout }: Program) => new URL(/ready: (\S+)/.exec(stdout)?.[1] as string).origin;
  const ask = async (path: string, body?: unknown): Promise<Answer> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const facts = async <Type extends EventTypeName>(type: Type): Promise<FactOf<Type>[]> => {
    const found = [];
    for await (const recorded of events.log.readAll({ filter: { types: [type] } })) found.push(decode(recorded));
    return found as FactOf<Type>[];
  };
  const placeOrders = async () => {
    for (let number = 0; number < CUSTOMERS; number += 1) {
      const email = `customer-${number}@example.org`;
      const customer = { storeId: 'main', businessAssociation: `Business ${number}`, timeZone: 'UTC', email };
      const { customerId } = await ask('/api/customers', customer);
      await ask('/api/orders', { customerId, leadTypeId: LEAD_TYPE, quantity: 10, paymentToken: 'tok_ok' });
    }
  };
  let people = 0;
  const receiveLeads = async () => {
    for (let number = 0; number < LEADS; number += 1) {
      people += 1;
      const contact = { telephone: `+1212${5_550_000 + people}` };
      await ask('/api/leads', { leadTypeId: LEAD_TYPE, source: 'page', contact });
    }
    await waitUntil(async () => (await facts('LeadDelivered')).length === people);
  };
  const mailsOfEachOrder = 2;
  const wished = () => facts('MailWished');

  test('go on delivering leads and answer for their health, and send all mails when it answers again', async () => {
    await placeOrders();
    await waitUntil(async () => (await wished()).length === CUSTOMERS * mailsOfEachOrder);
    await waitUntil(() => mailServer.received.length > 0);
    await receiveLeads();
    for (const program of programs) expect(await fetch(`${urlOf(program)}/health`)).toMatchObject({ ok: true });
    expect(await facts('MailSent')).toEqual([]);
    await receiveLeads();

    answerMails();
    await waitUntil(async () => (await facts('MailSent')).length === CUSTOMERS * mailsOfEachOrder);
    // On a slow machine a lease may change while a mail hangs. Then its other worker sends it, too (ADR 52).
    const ids = mailServer.received.map((mail) => /^Message-ID: (.*)$/im.exec(mail)?.[1]);
    expect(new Set(ids).size).toBe(CUSTOMERS * mailsOfEachOrder);
    expect(await facts('MailFailed')).toEqual([]);
    await waitUntil(async () => (await ask('/health')).ok);
  });
});
