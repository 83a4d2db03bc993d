import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { waitUntil } from '#test/wait-until';
import { type Server, startServer } from './server.ts';

/** Counts calls that take a while. */
function slowTarget() {
  const calls = { total: 0, open: 0, most: 0 };
  const take = async <Answer>(answer: () => Promise<Answer>): Promise<Answer> => {
    calls.total += 1;
    calls.open += 1;
    calls.most = Math.max(calls.most, calls.open);
    await wait(40);
    calls.open -= 1;
    return answer();
  };
  return { calls, take };
}

let server: Server;
let program: HttpServer;
let url: string;
/** Calls that are not answered. */
const held: (() => void)[] = [];
let isHanging = true;
const provider = slowTarget();
const ofProgram = slowTarget();
beforeAll(async () => {
  program = createServer((request, reply) => {
    const answer = () => reply.writeHead(204).end();
    if (isHanging && request.url?.endsWith('/hang')) held.push(answer);
    else void ofProgram.take(async () => answer());
  });
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(program.address() as AddressInfo).port}/leads`;
  const sandbox = sandboxPayments();
  const payments: PaymentGateway = {
    ...sandbox,
    capture: (...charge) => provider.take(() => sandbox.capture(...charge)),
  };
  server = await startServer({ payments });
});
afterAll(async () => {
  await server.stop();
  await new Promise((resolve) => program.close(resolve));
});

const register = async (index: number): Promise<string> => {
  const person = { storeId: 'main', businessAssociation: `Business ${index}`, timeZone: 'UTC' };
  return (await server.call('POST', '/api/customers', person)).body.customerId;
};
const place = (customerId: string, quantity: number) =>
  server.call('POST', '/api/orders', { customerId, leadTypeId: 'exclusive-fresh', quantity, paymentToken: 'tok_ok' });

test('a payment provider gets at most ten calls at once, and all of them', async () => {
  const customers = await Promise.all(Array.from({ length: 40 }, (_, index) => register(index)));
  await Promise.all(customers.map((customerId) => place(customerId, 10)));
  await server.settle();
  expect(provider.calls).toMatchObject({ total: 40, open: 0 });
  expect(provider.calls.most).toBeLessThanOrEqual(10);
});

async function leadTypeOfOwn(leadTypeId: string): Promise<void> {
  const leadType = {
    ...{ leadTypeId, name: 'Own', exclusivity: 'exclusive', freshness: 'fresh', usualDelivery: 'a day' },
    qualifiesForLoyaltyRewards: false,
  };
  await server.call('POST', '/api/lead-types', leadType);
  const price = { storeId: 'main', leadTypeId, pricePerLeadCents: 100, currency: 'USD' };
  await server.call('POST', '/api/prices', { ...price, smallestOrder: 1, largestOrder: 1000 });
}

async function orderTo(webhookUrl: string, index: number, leadTypeId: string): Promise<void> {
  const customerId = await register(index);
  const as = { 'leadger-actor': `customer:${customerId}` };
  const choice = { mails: 'digest', webhookUrl };
  expect((await server.call('PUT', `/api/customers/${customerId}/lead-delivery`, choice, as)).status).toBe(200);
  const order = { customerId, leadTypeId, quantity: 20, paymentToken: 'tok_ok' };
  expect((await server.call('POST', '/api/orders', order)).status).toBe(201);
}

async function bring(leads: number, leadTypeId: string, first: number): Promise<void> {
  const rows = Array.from({ length: leads }, (_, index) => `Ada,+1212555${first + index}`).join('\r\n');
  const path = `/api/leads/batches?leadTypeId=${leadTypeId}&source=page`;
  const file = `first name,telephone\r\n${rows}\r\n`;
  expect(await server.call('POST', path, file, { 'content-type': 'text/csv' })).toMatchObject({ status: 200 });
}

test('the program of customers gets at most five calls at once of a host, and all of them', async () => {
  await leadTypeOfOwn('own');
  for (const index of [100, 101]) await orderTo(url, index, 'own');
  await bring(40, 'own', 1000);
  await server.settle();
  expect(ofProgram.calls).toMatchObject({ total: 40, open: 0 });
  expect(ofProgram.calls.most).toBeLessThanOrEqual(5);
});

test('a customer whose program does not answer delays nobody else, also behind the same host', async () => {
  await leadTypeOfOwn('hanging');
  await leadTypeOfOwn('prompt');
  await orderTo(`${url}/hang`, 102, 'hanging');
  await orderTo(url, 103, 'prompt');
  await bring(20, 'hanging', 2000);
  await waitUntil(() => held.length > 0);
  const before = ofProgram.calls.total;
  await bring(20, 'prompt', 3000);
  await waitUntil(() => ofProgram.calls.total === before + 20);
  expect(held.length).toBeLessThanOrEqual(2);
  isHanging = false;
  for (const answer of held.splice(0)) answer();
  await server.settle();
});
