import { RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Caller } from '#domain/kernel/caller';
import { BusCommand, BusOperation, BusQuery } from '#wiring/buses';
import { exampleBody, type Json, type Operation, readDocument } from './api-document.ts';
import { type Server, startServer } from './server.ts';

/** Milliseconds. About a hundred requests, on a busy machine. */
const FAR_AWAY = 600_000;

let server: Server;
let api: Awaited<ReturnType<typeof readDocument>>;
/** The doors used since the list was cleared. Commands of processes are not counted: they come at any time. */
const asked: string[] = [];
/** The doors of each route. */
const doors = new Map<string, readonly string[]>();
beforeAll(async () => {
  server = await startServer();
  api = await readDocument(server);
  watch(server.application.get(CommandBus));
  watch(server.application.get(QueryBus));
  for (const route of routesOf(server)) doors.set(nameOf(route), await doorsOf(route));
}, FAR_AWAY);
afterAll(() => server.stop());

function watch(bus: CommandBus | QueryBus): void {
  const execute = bus.execute.bind(bus) as (carried: object) => Promise<unknown>;
  bus.execute = (async (carried: object) => {
    const { door, caller } = doorOf(carried);
    if (caller?.kind !== 'process') asked.push(door);
    return execute(carried);
  }) as never;
}

function doorOf(carried: object): { door: string; caller?: Caller } {
  if (carried instanceof BusCommand) return { door: 'command', caller: carried.addressed.caller };
  if (carried instanceof BusOperation) return { door: 'operation', caller: carried.addressed.context.caller };
  if (carried instanceof BusQuery) return { door: 'query', caller: carried.addressed.context.caller };
  return { door: 'unknown' };
}

interface Route {
  readonly method: string;
  /** As the document writes it: `/api/orders/{orderId}`. */
  readonly path: string;
}

/** All routes of all controllers, also those that the document leaves out. */
function routesOf({ application }: Server): Route[] {
  const modules = [...application.get(ModulesContainer).values()];
  return modules
    .flatMap(({ controllers }) => [...controllers.values()])
    .flatMap(({ metatype }) => (metatype ? routesIn(metatype as abstract new () => object) : []));
}

function routesIn(controller: abstract new () => object): Route[] {
  const handlers = Object.values(Object.getOwnPropertyDescriptors(controller.prototype)).map(({ value }) => value);
  return handlers.flatMap((handler) => {
    const method = handler && Reflect.getMetadata('method', handler);
    if (method === undefined) return [];
    const parts = [Reflect.getMetadata('path', controller), Reflect.getMetadata('path', handler)] as string[];
    const path = parts.flatMap((part) => part.split('/')).filter((part) => part !== '');
    return { method: RequestMethod[method] as string, path: `/${path.join('/').replace(/:(\w+)/g, '{$1}')}` };
  });
}

const operationOf = ({ method, path }: Route): Operation | undefined =>
  api.operations.find((operation) => operation.method === method && operation.path === path);

const nameOf = (route: Route): string => operationOf(route)?.id ?? `${route.method} ${route.path}`;

/** The routes with a method that go through a door. */
const through = (method: string, door: string): string[] =>
  routesOf(server)
    .filter((route) => route.method === method && doors.get(nameOf(route))?.includes(door))
    .map(nameOf);

/** A request made of the examples of the document. Routes that are not in the document need no input. */
function requestOf(route: Route): { address: string; body?: string; headers: Record<string, string> } {
  const { parameters = [], requestBody } = operationOf(route)?.operation ?? {};
  const query = new URLSearchParams();
  let address = route.path;
  for (const { name, in: where, required, schema } of parameters) {
    if (where === 'path') address = address.replace(`{${name}}`, encodeURIComponent(schema.example));
    if (where === 'query' && required) query.set(name, schema.example);
  }
  const [[type, { schema, example }] = [undefined, {} as Json]] = Object.entries<Json>(requestBody?.content ?? {});
  const headers = { 'leadger-reason': 'asked by telephone' };
  if (type === undefined) return { address: `${address}?${query}`, headers };
  const isFile = type !== 'application/json';
  const takes = (name: string) => parameters.some((one: Json) => one.in === 'query' && one.name === name);
  if (isFile && takes('leadTypeId')) query.set('leadTypeId', 'shared-fresh');
  if (isFile && takes('source')) query.set('source', 'fair-2026');
  const body = isFile ? example : JSON.stringify(exampleBody({ document: api.document, schema }));
  return { address: `${address}?${query}`, body, headers: { ...headers, 'content-type': type } };
}

/** Which doors a request of a route goes through. */
async function doorsOf(route: Route): Promise<readonly string[]> {
  asked.length = 0;
  const { address, ...request } = requestOf(route);
  const ends = new AbortController();
  const reply = await fetch(server.url + address, { method: route.method, signal: ends.signal, ...request });
  // A feed never ends on its own.
  if (/event-stream/.test(reply.headers.get('content-type') ?? '')) ends.abort();
  else await reply.text();
  return [...new Set(asked)];
}

test('every route goes through the command bus or the query bus, where a table of rights decides', () => {
  const around = [...doors].filter(([, through]) => through.length === 0);
  // Liveness depends on nothing but the program. A link of a mail without its token, or with a wrong one, and a mail without the
  // secret, ask for nothing; nor does a form that does not exist.
  expect(around.map(([route]) => route).sort()).toEqual([
    'POST /api/support-mails',
    'cancelLinkedOrder',
    'getLiveness',
    'sendLeadForm',
    'unsubscribe',
  ]);
});

test('the routes are those of the document, the page of mails, and the doors of the providers of payments and mails', () => {
  const documented = api.operations.map(({ id }) => id);
  expect([...doors.keys()].sort()).toEqual(
    [...documented, 'GET /mails', 'POST /api/payment-notices', 'POST /api/support-mails'].sort(),
  );
});

test('a read goes through the query bus. One that is recorded sends a command, too', () => {
  expect(through('GET', 'command')).toEqual(['listWholeHistory']);
  // What staff found about a payment is compared with all payments first.
  const reading = ['resolvePayment', 'POST /api/payment-notices', 'exportPerson'];
  expect(through('POST', 'query')).toEqual(reading);
  expect(through('PUT', 'query')).toEqual([]);
});

test('operations on the programs have their own table of rights', () => {
  expect(through('POST', 'operation')).toEqual([
    ...['releaseMissedRenewals', 'skipMissedRenewals'],
    ...['erasePerson', 'liftSuppressions', 'retryParkedItem', 'pauseReadModel', 'resumeReadModel', 'retryReadModel'],
    ...['rebuildReadModel', 'cancelReadModelRebuild', 'signIn', 'signOut', 'proveFactor', 'endOtherSessions'],
    ...['endSession', 'endSessionsOfMember', 'endSessionsOfCustomer', 'confirmTotp', 'removeFactor'],
    ...['beginPasskey', 'addPasskey', 'beginPasskeySignIn', 'signInWithPasskey', 'beginPasskeyProof'],
  ]);
});

test('a route that goes through no door is found', async () => {
  expect(await doorsOf({ method: 'GET', path: '/api/openapi.json' })).toEqual([]);
});
