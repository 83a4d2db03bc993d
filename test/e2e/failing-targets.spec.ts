import { addSeconds } from '#domain/kernel/instants';
import { smtpMail } from '#gateways/mail';
import { type MailServer, startMailServer } from '#test/mail-server';
import { waitUntil } from '#test/wait-until';
import { type Server, startServer } from './server.ts';

let mails: MailServer;
let server: Server;
beforeEach(async () => {
  mails = await startMailServer();
  server = await startServer({ mails: smtpMail({ url: mails.url }) });
});
afterEach(async () => {
  await server.stop();
  await mails.stop();
});

/** Causes three mails: to prove the address, the confirmation, the receipt. */
const order = async (email: string) => {
  const customer = { storeId: 'main', businessAssociation: email, timeZone: 'UTC', email };
  const { customerId } = (await server.call('POST', '/api/customers', customer)).body;
  const placed = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  await server.call('POST', '/api/orders', placed);
};
const after = async (minutes: number) => {
  await server.settle();
  await server.clock.moveTo(addSeconds(server.clock.now(), minutes * 60));
  await server.settle();
};
const degradedBy = async () => (await server.call('GET', '/health')).body.degradedBy;
const metric = async (name: string) =>
  (await server.call('GET', '/metrics')).text.split('\n').filter((line) => line.startsWith(`${name}{`));

const full = (address: string) => (address.startsWith('full') ? 452 : undefined);

test('a mailbox that is full is no failure of the mail server, also where nobody else gets mails', async () => {
  mails.behave({ answer: full, words: '4.2.2 over quota' });
  await order('full@example.org');
  await after(60);
  expect(await degradedBy()).toEqual([]);
  expect(await metric('leadger_wishes_failing')).toEqual([expect.stringMatching(/what="send-mail"\} 3$/)]);
  expect(await metric('leadger_wishes_none_answered_seconds')).toEqual([expect.stringMatching(/\} 0$/)]);
});

test('a mail server that takes other mails works, whatever it says about one', async () => {
  mails.behave({ answer: full, words: '4.3.0 something is wrong' });
  for (let minutes = 0; minutes < 30; minutes += 5) {
    await order('full@example.org');
    await order(`reader${minutes}@example.org`);
    await after(5);
  }
  expect(await degradedBy()).toEqual([]);
});

test('a mail server that takes no mail is told after ten minutes, not at the second attempt, until it takes one', async () => {
  mails.behave({ answer: () => 550, words: '5.7.1 relaying denied' });
  await order('ada@example.org');
  await after(6);
  expect(await degradedBy()).toEqual([]);
  await after(5);
  expect(await degradedBy()).toEqual([
    expect.objectContaining({
      part: 'effect',
      name: 'send-mail',
      count: 3,
      reason: 'the mail server: it answered 550 (5.7.1)',
    }),
  ]);
  expect(await metric('leadger_wishes_none_answered_seconds')).toEqual([expect.stringMatching(/\} 66\d$/)]);
  mails.behave({});
  await order('eve@example.org');
  await server.settle();
  expect(await degradedBy()).toEqual([]);
});

test('a mail that is not to be sent does not hide that the mail server is away', async () => {
  mails.behave({ answer: () => 451 });
  await order('ada@example.org');
  await after(9);
  const customer = { storeId: 'main', businessAssociation: 'off', timeZone: 'UTC' };
  const { customerId } = (await server.call('POST', '/api/customers', customer)).body;
  const placed = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  await server.call('POST', '/api/orders', placed);
  await after(2);
  expect(await degradedBy()).toEqual([expect.objectContaining({ name: 'send-mail' })]);
});

test('a mail server that is slow and works is no failure, however long mails wait for their turn: the queue has a measure of its own', async () => {
  const held: (() => void)[] = [];
  mails.behave({ answer: () => new Promise((resolve) => held.push(() => resolve(undefined))) });
  for (let index = 0; index < 10; index += 1) await order(`reader${index}@example.org`);
  for (let taken = 0; taken < 30; taken += 5) {
    const waiting = 25 - taken;
    const queue = new RegExp(`^leadger_wishes_waiting\\{process="mailing",what="send-mail"} ${waiting}$`);
    await waitUntil(async () => held.length === 5 && queue.test((await metric('leadger_wishes_waiting')).join()));
    await server.clock.moveTo(addSeconds(server.clock.now(), 8 * 60));
    expect({ taken, degradedBy: await degradedBy() }).toEqual({ taken, degradedBy: [] });
    const seconds = waiting > 0 ? 8 * 60 * (taken / 5 + 1) : 0;
    expect(await metric('leadger_wishes_waiting_seconds')).toEqual([expect.stringMatching(`} ${seconds}$`)]);
    for (const answer of held.splice(0)) answer();
  }
  await server.settle();
  expect(mails.received).toHaveLength(30);
});

test('a call that was begun and hangs is told after ten minutes', async () => {
  const held = Promise.withResolvers<undefined>();
  mails.behave({ answer: () => held.promise });
  await order('ada@example.org');
  await waitUntil(() => mails.connections.open === 3);
  await server.clock.moveTo(addSeconds(server.clock.now(), 11 * 60));
  expect(await degradedBy()).toEqual([
    expect.objectContaining({ name: 'send-mail', count: 3, reason: 'there is no answer' }),
  ]);
  held.resolve(undefined);
});
