import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { all, event, fill, follow } from '../contract/event-store-contract.ts';
import { restorableLog } from '../contract/restorable-log.ts';
import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import {
  AccessRefused,
  AppendTooLarge,
  BEFORE_FIRST,
  type EventStore,
  LogReplaced,
  NoSuchPosition,
  OutcomeUnknown,
  type Position,
  StoreUnavailable,
  StreamAccessRefused,
  WrongExpectedRevision,
} from '../port.ts';
import { startWireNode, type WireNode, type WireNodeOptions } from '../wire-node/wire-node.ts';
import type { EventStoreDbOptions } from './connection.ts';
import { openEventStoreDb } from './eventstoredb-store.ts';

/** Closed in reverse order at the end of each test. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function startNode(options: Partial<WireNodeOptions> = {}) {
  const store = options.store ?? (await openEmbeddedStore());
  if (!options.store) opened.push(() => store.close());
  const node = await startWireNode({ writable: true, ...options, store });
  opened.push(() => node.close());
  return { node, store };
}

/** A log with events of these numbers. */
async function storeOf(numbers: readonly number[]): Promise<EventStore> {
  const store = await openEmbeddedStore();
  opened.push(() => store.close());
  for (const [index, number] of numbers.entries())
    await store.append('a-1', [event(number)], index === 0 ? 'no-stream' : index - 1);
  return store;
}

async function startRestorable(events: number) {
  const log = restorableLog(await storeOf(Array.from({ length: events }, (_, number) => number)));
  const { node } = await startNode({ store: log.store });
  return { log, node, adapter: await connect(node) };
}

async function connect({ connectionString }: WireNode, options: Partial<EventStoreDbOptions> = {}) {
  const patience = { answerWithinMilliseconds: 250, patienceMilliseconds: FAR_AWAY_MILLISECONDS };
  const store = await openEventStoreDb({ connectionString, ...patience, ...options });
  opened.push(() => store.close());
  return store;
}

const ids = async (store: EventStore) => (await all(store.readAll())).map(({ id }) => id);

describe('an append without an answer', () => {
  it('is found by its event ids when it was written (the client would wait for ever)', async () => {
    const { node, store } = await startNode();
    const adapter = await connect(node);
    node.misbehave({ kind: 'lose-reply' });
    expect(await adapter.append('a-1', [event(0), event(1)], 'no-stream')).toMatchObject({ revision: 1 });
    expect(await ids(store)).toEqual([event(0).id, event(1).id]);
  });

  it('is sent again when it was not written', async () => {
    const { node, store } = await startNode();
    const adapter = await connect(node);
    node.misbehave({ kind: 'lose-request' });
    expect(await adapter.append('a-1', [event(0)], 'no-stream')).toMatchObject({ revision: 0 });
    expect(await ids(store)).toEqual([event(0).id]);
  });

  it('is one append, not two, when the answer comes late', async () => {
    const { node, store } = await startNode();
    const adapter = await connect(node);
    node.misbehave({ kind: 'delay', milliseconds: 400 });
    expect(await adapter.append('a-1', [event(0)], 'no-stream')).toMatchObject({ revision: 0 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await ids(store)).toEqual([event(0).id]);
  });

  it('has an unknown outcome when its result cannot be found in time', async () => {
    const { node } = await startNode();
    const adapter = await connect(node, { patienceMilliseconds: 300 });
    for (let attempt = 0; attempt < 5; attempt += 1) node.misbehave({ kind: 'lose-request' });
    await expect(adapter.append('a-1', [event(0)], 'no-stream')).rejects.toThrow(OutcomeUnknown);
  });

  it('keeps its place before later appends', async () => {
    const { node, store } = await startNode();
    const adapter = await connect(node);
    await adapter.append('first-1', [event(0)], 'no-stream');
    const appends = Array.from({ length: 40 }, (_, number) =>
      adapter.append(`s-${number}`, [event(number + 1)], 'no-stream'),
    );
    await new Promise((resolve) => setImmediate(resolve));
    node.dropConnections();
    await Promise.all(appends);
    expect(await ids(store)).toEqual(Array.from({ length: 41 }, (_, number) => event(number).id));
  });
});

describe('an answer of the server', () => {
  it('with a conflict carries the actual revision', async () => {
    const { node } = await startNode();
    const adapter = await connect(node);
    node.misbehave({ kind: 'wrong-version' });
    const refused = await adapter.append('a-1', [event(0)], 'no-stream').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WrongExpectedRevision);
    expect(refused).toMatchObject({ actual: 7 });
  });

  it('with a conflict carries the actual revision, although the connection string asks the client not to throw', async () => {
    const { node } = await startNode();
    const connectionString = `${node.connectionString}&throwOnAppendFailure=false`;
    const adapter = await connect({ ...node, connectionString });
    await adapter.append('a-1', [event(0), event(1), event(2)], 'no-stream');
    const refused = await adapter.append('a-1', [event(3)], 0).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'wrong-expected-revision', actual: 2 });
  });

  it('that the append is too large is reported as such, and the append is not repeated', async () => {
    const { node } = await startNode();
    const adapter = await connect(node);
    node.misbehave({ kind: 'too-large' });
    await expect(adapter.append('a-1', [event(0)], 'no-stream')).rejects.toThrow(AppendTooLarge);
  });

  it('refuses appends when the node serves for reading only', async () => {
    const store = await openEmbeddedStore();
    opened.push(() => store.close());
    await fill(store, 3);
    const { node } = await startNode({ store, writable: false });
    const adapter = await connect(node);
    await expect(adapter.append('a-1', [event(9)], 'no-stream')).rejects.toThrow(StreamAccessRefused);
    expect(await all(adapter.readAll())).toHaveLength(3);
  });

  it('that another node is the leader sends the append there', async () => {
    const { node: leader, store } = await startNode();
    const { node: follower } = await startNode({ store });
    const adapter = await connect(follower);
    follower.misbehave({ kind: 'not-leader', host: '127.0.0.1', port: leader.port });
    expect(await adapter.append('a-1', [event(0)], 'no-stream')).toMatchObject({ revision: 0 });
    expect(await ids(store)).toEqual([event(0).id]);
  });

  it('is one clear error when there is no server', async () => {
    const { node } = await startNode();
    await node.close();
    await expect(connect(node, { patienceMilliseconds: 100 })).rejects.toThrow(StoreUnavailable);
  });
});

describe('a connection that breaks', () => {
  it('during a read: the read continues where it was', async () => {
    const { node, store } = await startNode();
    // Not through the adapter, whose short limit lets a slow machine repeat most of these appends.
    await fill(store, 2000);
    const adapter = await connect(node);
    const seen: Position[] = [];
    for await (const { position } of adapter.readAll()) {
      seen.push(position);
      if (seen.length % 700 === 0) node.dropConnections();
    }
    expect(seen).toHaveLength(2000);
    expect(new Set(seen).size).toBe(2000);
  });

  it('during a subscription: no event is skipped or repeated', async () => {
    const { node, store } = await startNode();
    const adapter = await connect(node);
    const subscription = follow(adapter, { after: BEFORE_FIRST });
    for (let round = 0; round < 8; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          store.append(`r${round}-${index}`, [event(round * 50 + index)], 'no-stream'),
        ),
      );
      node.dropConnections();
    }
    await subscription.caughtUp(await adapter.head());
    expect(subscription.events.map(({ id }) => id)).toEqual(await ids(store));
    await subscription.stop();
  });

  it('because the whole server stops and starts again', async () => {
    const { node, store } = await startNode();
    const adapter = await connect(node);
    await adapter.append('a-1', [event(0)], 'no-stream');
    const subscription = follow(adapter, { after: BEFORE_FIRST });
    await subscription.caughtUp(await adapter.head());
    await node.close();
    const appending = adapter.append('a-1', [event(1)], 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await startNode({ store, port: node.port });
    expect(await appending).toMatchObject({ revision: 1 });
    await subscription.caughtUp(await adapter.head());
    expect(subscription.events.map(({ revision }) => revision)).toEqual([0, 1]);
    await subscription.stop();
  });

  it('while the client waits until it may write more: nothing is rejected that nobody waits for', async () => {
    const { node, store } = await startNode();
    const adapter = await connect(node, { answerWithinMilliseconds: FAR_AWAY_MILLISECONDS });
    await adapter.append('a-1', [event(0)], 'no-stream');
    const rejected: unknown[] = [];
    const note = (reason: unknown) => rejected.push(reason);
    process.on('unhandledRejection', note);
    opened.push(() => process.off('unhandledRejection', note));
    const data = Buffer.from(JSON.stringify('x'.repeat(900_000)));
    const appends = Array.from({ length: 40 }, (_, number) =>
      adapter.append(`s-${number}`, [{ ...event(number + 1), data }], 'no-stream'),
    );
    await waitUntil(async () => (await store.head()) > BEFORE_FIRST);
    node.dropConnections();
    await Promise.all(appends);
    await new Promise((resolve) => setImmediate(resolve));
    expect(rejected).toEqual([]);
  });

  it('in one store, while another store waits for a slow answer: that answer is not lost, and the process lives', async () => {
    const slow = await startNode();
    const fast = await startNode();
    const [one, other] = [await connect(slow.node), await connect(fast.node)];
    await one.append('a-1', [event(0)], 'no-stream');
    await other.append('a-1', [event(0)], 'no-stream');
    slow.node.misbehave({ kind: 'delay', milliseconds: 150 });
    const waiting = one.append('a-1', [event(1)], 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    fast.node.dropConnections();
    expect(await waiting).toMatchObject({ revision: 1 });
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await ids(slow.store)).toEqual([event(0).id, event(1).id]);
  });
});

describe('a connection', () => {
  /** A self-signed certificate for this machine, and its path for clients to trust. */
  function selfSigned(name = 'localhost') {
    const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    opened.push(() => rmSync(directory, { recursive: true }));
    const [certificate, privateKey] = [join(directory, 'node.crt'), join(directory, 'node.key')];
    const names = `subjectAltName=DNS:${name},IP:127.0.0.2`;
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', `/CN=${name}`];
    execFileSync('openssl', [...request, '-addext', names, '-keyout', privateKey, '-out', certificate], {
      stdio: 'ignore',
    });
    return { tls: { certificate: readFileSync(certificate), privateKey: readFileSync(privateKey) }, certificate };
  }

  it('is encrypted if the client trusts the certificate of the node, and fails otherwise', async () => {
    const { tls, certificate } = selfSigned();
    const { node, store } = await startNode({ tls });
    const trusting = { connectionString: `esdb://localhost:${node.port}?tls=true&tlsCAFile=${certificate}` };
    const adapter = await connect(node, trusting);
    await adapter.append('a-1', [event(0)], 'no-stream');
    expect(await ids(store)).toEqual([event(0).id]);
  });

  it('that cannot work fails at once, and says which host has what against it', async () => {
    const { tls } = selfSigned('another.example');
    const { node } = await startNode({ tls });
    const { node: plain } = await startNode();
    const waiting = { waitForServer: true };
    const failure = async (connectionString: string) =>
      (await connect({ ...node, connectionString }, waiting).catch((error: unknown) => error)) as Error;
    const at = `localhost:${node.port}`;
    const start = 'the event store cannot be used: ';
    expect(await failure(`esdb://${at}?tls=true`)).toMatchObject({
      code: 'cannot-connect',
      message: expect.stringMatching(`^${start}${at}: its certificate is not accepted: self-signed certificate`),
    });
    const { certificate } = selfSigned('another.example');
    expect(await failure(`esdb://${at}?tls=true&tlsCAFile=${certificate}`)).toMatchObject({ code: 'cannot-connect' });
    expect(await failure(`esdb://${at}?tls=false`)).toMatchObject({
      message: `${start}${at}: it speaks TLS: say tls=true, and tlsCAFile if its authority is your own`,
    });
    expect(await failure(`esdb://localhost:${plain.port}?tls=true`)).toMatchObject({
      message: `${start}localhost:${plain.port}: it does not speak TLS: say tls=false, or give it a certificate`,
    });
  });

  it('waits for a server that is away, and says so', async () => {
    const { node, store } = await startNode();
    await node.close();
    const lines: string[] = [];
    const opening = connect(node, { waitForServer: true, log: (line) => lines.push(line) });
    await waitUntil(() => lines.length > 0);
    const host = `127.0.0.1:${node.port}`;
    expect(lines[0]).toBe(`waiting for the event store: ${host}: connect ECONNREFUSED ${host}`);
    await startNode({ store, port: node.port });
    const adapter = await opening;
    await adapter.append('a-1', [event(0)], 'no-stream');
    expect(lines.at(-1)).toMatch(/^the event store answers again after \d+\.\d seconds$/);
  });

  it('uses the account in its connection string, and is refused with another one', async () => {
    const { tls, certificate } = selfSigned();
    const account = { user: 'ledger', password: 'p@ss:word' };
    const { node, store } = await startNode({ tls, account });
    const as = (password: string) => ({
      connectionString: `esdb://ledger:${encodeURIComponent(password)}@localhost:${node.port}?tls=true&tlsCAFile=${certificate}`,
    });
    const adapter = await connect(node, as(account.password));
    await adapter.append('a-1', [event(0)], 'no-stream');
    expect(await ids(adapter)).toEqual(await ids(store));
    await expect(connect(node, as('wrong'))).rejects.toThrow(AccessRefused);
  });
});

describe('a position', () => {
  it('beyond the end of the log is refused: it belongs to another store, or to a restored one', async () => {
    const { node } = await startNode();
    const adapter = await connect(node);
    await adapter.append('a-1', [event(0)], 'no-stream');
    const beyond = '0000999999999999' as Position;
    await expect(all(adapter.subscribe({ after: beyond }))).rejects.toThrow(NoSuchPosition);
  });

  it('that a log does not have any more ends a subscription when it connects again, however far the log has grown', async () => {
    const { log, node, adapter } = await startRestorable(5);
    const followed = follow(adapter, { after: BEFORE_FIRST });
    await followed.caughtUp(await adapter.head());
    log.restore(await storeOf([0, 1, 2, 10, 11, 12, 13]));
    node.dropConnections();
    await expect(followed.ended).rejects.toThrow(LogReplaced);
  });

  it('that only a filtered-out event had is missed, too', async () => {
    const { log, node, adapter } = await startRestorable(5);
    const followed = follow(adapter, { after: BEFORE_FIRST, filter: { types: ['Type0'] } });
    await followed.caughtUp(await adapter.head());
    await adapter.append('a-1', [event(6)], 4);
    await followed.caughtUp(await adapter.head());
    log.restore(await storeOf([0, 1, 2, 3, 4, 10, 11]));
    node.dropConnections();
    await expect(followed.ended).rejects.toThrow(LogReplaced);
  });

  it('that a restored log has, too, is continued from', async () => {
    const { log, node, adapter } = await startRestorable(3);
    const followed = follow(adapter, { after: BEFORE_FIRST });
    await followed.caughtUp(await adapter.head());
    log.restore(await storeOf([0, 1, 2, 10, 11]));
    node.dropConnections();
    await followed.caughtUp(await adapter.head());
    expect(followed.events.map(({ id }) => id)).toEqual([0, 1, 2, 10, 11].map((number) => event(number).id));
    await followed.stop();
  });
});

describe('events of other clients', () => {
  it('are read as they were written, and our events are JSON for those clients', async () => {
    const { node } = await startNode();
    const adapter = await connect(node);
    const client = EventStoreDBClient.connectionString(node.connectionString);
    opened.push(() => client.dispose());
    await client.appendToStream(
      'foreign-1',
      jsonEvent({ type: 'Foreign', data: { b: 1, a: ['é'] }, metadata: { who: 'x' } }),
    );
    const [read] = await all(adapter.readStream('foreign-1'));
    expect(Buffer.from(read?.data ?? []).toString()).toBe('{"b":1,"a":["é"]}');
    await adapter.append('ours-1', [event(0)], 'no-stream');
    for await (const { event: theirs } of client.readStream('ours-1')) {
      expect(theirs).toMatchObject({ data: { number: 0 }, metadata: { actor: 'contract' }, isJson: true });
    }
  });

  it.each([
    ['{"a": 1}', 'JSON with spaces'],
    ['{"a":1.0}', 'JSON with another notation of a number'],
    ['{"a":1', 'JSON that is cut short'],
    ['\u0000{"a":1}', 'a NUL before JSON'],
    ['[1,2]', 'a list'],
  ])('%j (%s) stays as it is, as data and as metadata', async (text) => {
    const { node } = await startNode();
    const adapter = await connect(node);
    const bytes = new TextEncoder().encode(text);
    await adapter.append('a-1', [{ ...event(0), data: bytes, metadata: bytes }], 'no-stream');
    const [read] = await all(adapter.readStream('a-1'));
    expect([...(read?.data ?? [])]).toEqual([...bytes]);
    expect([...(read?.metadata ?? [])]).toEqual([...bytes]);
  });
});
