import { decode, type FactOf } from '#domain/codec';
import type { EventTypeName } from '#domain/ledger';
import { type MailServer, startMailServer } from '#test/mail-server';
import { describeWithPostgres } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { addressOf, clientOf, ProgramsOnServers } from './on-servers.ts';

const CUSTOMERS = 20;
const LEADS = 10;
const LEAD_TYPE = 'exclusive-fresh';

describeWithPostgres('two workers beside a mail server that takes a mail and then says nothing', () => {
  let programs: ProgramsOnServers;
  let mailServer: MailServer;
  let answerMails: () => void;
  /** Of the API and both workers. */
  let urls: readonly string[];
  let ask: ReturnType<typeof clientOf>;
  beforeEach(async () => {
    const { promise: hangsUntil, resolve } = Promise.withResolvers<void>();
    answerMails = resolve;
    mailServer = await startMailServer({ hangsUntil });
    programs = await ProgramsOnServers.open({ SMTP_URL: mailServer.url });
    const started = (['api', 'worker', 'worker'] as const).map((name) => programs.start(name));
    urls = await Promise.all(started.map(addressOf));
    ask = clientOf(urls[0] as string);
  });
  afterEach(async () => {
    answerMails();
    await programs.close();
    await mailServer.stop();
  });

  const facts = async <Type extends EventTypeName>(type: Type): Promise<FactOf<Type>[]> => {
    const found = [];
    for await (const recorded of programs.events.log.readAll({ filter: { types: [type] } }))
      found.push(decode(recorded));
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
  /** To prove the address, the confirmation, the receipt. */
  const mailsOfEachOrder = 3;
  const wished = () => facts('MailWished');

  test('go on delivering leads and answer for their health, and send all mails when it answers again', async () => {
    await placeOrders();
    await waitUntil(async () => (await wished()).length === CUSTOMERS * mailsOfEachOrder);
    await waitUntil(() => mailServer.received.length > 0);
    await receiveLeads();
    for (const url of urls) expect(await fetch(`${url}/health`)).toMatchObject({ ok: true });
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
