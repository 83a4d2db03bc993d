import { randomUUID } from 'node:crypto';
import * as gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import * as serverFeatures from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import * as streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  AppendReq,
  BatchAppendReq,
  DeleteReq,
  ReadReq,
  TombstoneReq,
} from '@eventstore/db-client/generated/streams_pb.js';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { EventStore, RecordedEvent } from '../port.ts';
import { AppendService } from './append-service.ts';
import type { ClusterMember } from './cluster-member.ts';
import { Denials, type Denied } from './denials.ts';
import { type Fault, Faults } from './faults.ts';
import { GossipService } from './gossip-service.ts';
import { type Manners, SERVER_MANNERS } from './manners.ts';
import { ReadService } from './read-service.ts';
import * as replies from './replies.ts';
import { ServedLog } from './served-log.ts';
import { ServedStreams } from './served-streams.ts';
import { ServerError } from './server-errors.ts';
import { AccessDenied, type GrpcCall } from './status.ts';
import { StreamWriter } from './stream-writer.ts';

export interface WireNodeOptions {
  readonly store: EventStore;
  /** 0: any free port. */
  readonly port?: number;
  /** Default: loopback only. */
  readonly host?: string;
  /** If false, every append is refused. */
  readonly writable?: boolean;
  /** PEM. Without it the connection is not encrypted. */
  readonly tls?: { readonly certificate: Buffer; readonly privateKey: Buffer };
  /** The only account. Without it every client is admitted. */
  readonly account?: { readonly user: string; readonly password: string };
  /** Default: those of a server. */
  readonly manners?: Manners;
  /** Streams that nobody may delete or cut. */
  readonly isProtected?: (stream: string) => boolean;
  /** Which events it takes. Default: all. */
  readonly accepts?: (event: Pick<RecordedEvent, 'stream' | 'metadata'>) => boolean;
  /** Its place in a cluster. Default: it is alone, and leads. */
  readonly member?: ClusterMember;
}

export interface WireNode {
  readonly port: number;
  /** For clients: `esdb://…?tls=false`. */
  readonly connectionString: string;
  /** For tests: what the next append does instead. Several faults wait in line. */
  misbehave(fault: Fault): void;
  /** For tests: what is refused from now on. */
  deny(denied: Denied): void;
  /** For tests: ends all connections at once; clients may connect again. */
  dropConnections(): void;
  /** The store stays open. */
  close(): Promise<void>;
}

/** Clients check the version of a node before they use newer features. */
const VERSION = '24.10.0.0 leadger';
const LARGEST_MESSAGE_BYTES = 17 * 1024 * 1024;

/**
 * A node that speaks EventStoreDB's protocol over an event store of ours: Streams (read, append, batch append,
 * subscriptions) and ServerFeatures. Any client of EventStoreDB can read and follow the ledger of one machine.
 */
export async function startWireNode(options: WireNodeOptions): Promise<WireNode> {
  const { store, host = '127.0.0.1', writable = false, tls } = options;
  const closing = new AbortController();
  const faults = new Faults();
  const denials = new Denials();
  const admit = admission(options.account);
  const manners = options.manners ?? SERVER_MANNERS;
  const log = new ServedLog(store, manners);
  const streams = new ServedStreams(store, log.positions);
  const { isProtected = () => false, accepts } = options;
  const writer = new StreamWriter({ store, log, streams, isProtected, accepts });
  const reads = new ReadService({ store, log, streams, manners, admit, denials, closing: closing.signal });
  const member = options.member ?? lonelyMember(host, () => port);
  const appends = new AppendService({ writer, admit, writable, faults, denials, member });
  const server = serverFor({ reads, appends, members: new GossipService(member, admit) }, manners);
  const port: number = await listen(server, `${host}:${options.port ?? 0}`, tls);
  const address = `${host}:${port}`;
  return {
    port,
    connectionString: `esdb://${address}?tls=${tls !== undefined}`,
    misbehave: (fault) => faults.add(fault),
    deny: (denied) => denials.deny(denied),
    dropConnections: () => server.drain(address, 0),
    async close() {
      closing.abort();
      faults.clear();
      server.forceShutdown();
    },
  };
}

/** @returns a check of each call. It throws AccessDenied for a client that names no account, ServerError for a wrong one. */
function admission(account: WireNodeOptions['account']): (call: GrpcCall) => void {
  const expected = account && `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}`;
  return ({ metadata }) => {
    const [given] = metadata.get('authorization');
    if (expected === undefined || given === expected) return;
    if (given === undefined) throw new AccessDenied('Access Denied');
    throw new ServerError(status.UNAUTHENTICATED, 'Received HTTP status code 401');
  };
}

function lonelyMember(host: string, port: () => number): ClusterMember {
  const instanceId = randomUUID();
  return {
    role: 'leader',
    get leader() {
      return { host, port: port() };
    },
    get view() {
      return [{ host, port: port(), instanceId, state: 'leader' as const, isAlive: true }];
    },
  };
}

interface Services {
  readonly reads: ReadService;
  readonly appends: AppendService;
  readonly members: GossipService;
}

function serverFor({ reads, appends, members }: Services, { callsPerConnection }: Manners): Server {
  const server = new Server({
    'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': callsPerConnection,
  });
  server.addService(answeringBytes(streams.StreamsService), {
    read: (call: ServerWritableStream<ReadReq, Buffer>) => void reads.read(call),
    append: (call: ServerReadableStream<AppendReq, Buffer>, answer: sendUnaryData<Buffer>) =>
      void appends.append(call, answer),
    batchAppend: (call: ServerDuplexStream<BatchAppendReq, Buffer>) => appends.batchAppend(call),
    delete: (call: ServerUnaryCall<DeleteReq, Buffer>, answer: sendUnaryData<Buffer>) =>
      void appends.delete(call, answer),
    tombstone: (call: ServerUnaryCall<TombstoneReq, Buffer>, answer: sendUnaryData<Buffer>) =>
      void appends.tombstone(call, answer),
  });
  server.addService(answeringBytes(gossip.GossipService), {
    read: (call: GrpcCall, answer: sendUnaryData<Buffer>) => members.read(call, answer),
  });
  server.addService(answeringBytes(serverFeatures.ServerFeaturesService), {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<Buffer>) =>
      answer(null, replies.supportedMethods(VERSION, METHODS)),
  });
  return server;
}

function listen(server: Server, address: string, tls: WireNodeOptions['tls']): Promise<number> {
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.privateKey }])
    : ServerCredentials.createInsecure();
  return new Promise((resolve, reject) =>
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port))),
  );
}

const METHODS = [
  ...['read', 'append', 'batchappend', 'delete', 'tombstone'].map(
    (method) => ['event_store.client.streams.streams', method] as const,
  ),
  ['event_store.client.gossip.gossip', 'read'],
  ['event_store.client.server_features.serverfeatures', 'getsupportedmethods'],
] as const;

/** The service with replies that are bytes already: encoding objects would take most of the server's time. */
function answeringBytes(service: object): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service as ServiceDefinition).map(([name, method]) => [
      name,
      { ...method, responseSerialize: (bytes: Buffer) => bytes },
    ]),
  );
}
