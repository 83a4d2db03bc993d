import { connect as connectPlainly } from 'node:net';
import { connect as connectWithTls } from 'node:tls';
import * as gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import * as serverFeatures from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Host, ServerAddress } from './connection-string.ts';
import { type Member, nameOf } from './election.ts';

/** Why a host did not answer as it should. */
export interface Trouble {
  readonly reason: string;
  /** It does not mend by itself: there is no use in waiting. */
  readonly isFinal: boolean;
}

export type Answer = { readonly members: readonly Member[] } | Trouble;

type Asker = Client & {
  [Method in 'read' | 'getSupportedMethods']: (
    request: object,
    metadata: Metadata,
    answer: (error: ServiceError | null, reply: unknown) => void,
  ) => { cancel(): void };
};

/** Asks a host which nodes its cluster has, or, if there is no cluster, whether it is there. Each time on a new connection. */
export async function ask(host: Host, address: ServerAddress): Promise<Answer> {
  try {
    if (!address.discovers) {
      await call(serverFeatures.ServerFeaturesClient, 'getSupportedMethods', host, address);
      return { members: [] };
    }
    return { members: membersOf((await call(gossip.GossipClient, 'read', host, address)) as ClusterInfo) };
  } catch (error) {
    return troubleOf(error as ServiceError, host, address);
  }
}

function call(
  service: unknown,
  method: keyof Asker & ('read' | 'getSupportedMethods'),
  host: Host,
  address: ServerAddress,
) {
  const { channelCredentials, gossipTimeoutMilliseconds } = address;
  // The pool of all connections would give back one that does not answer any more.
  const Service = service as new (name: string, credentials: unknown, options: object) => Asker;
  const asker = new Service(nameOf(host), channelCredentials, { 'grpc.use_local_subchannel_pool': 1 });
  return new Promise<unknown>((resolve, reject) => {
    const asking = asker[method](new shared.Empty(), new Metadata(), (error, reply) => {
      clearTimeout(late);
      asker.close();
      if (error) reject(error);
      else resolve(reply);
    });
    const late = setTimeout(() => asking.cancel(), gossipTimeoutMilliseconds);
  });
}

const membersOf = (info: ClusterInfo): readonly Member[] =>
  info.getMembersList().flatMap((member) => {
    const endPoint = member.getHttpEndPoint();
    if (!endPoint) return [];
    const host = { address: endPoint.getAddress(), port: endPoint.getPort() };
    return { host, state: member.getState(), isAlive: member.getIsAlive() };
  });

const CERTIFICATE = /certificate|altnames|CERT_/i;
const NO_TLS = /wrong version number|packet length too long|SSL routines/i;

async function troubleOf(
  error: ServiceError,
  host: Host,
  { secure, gossipTimeoutMilliseconds }: ServerAddress,
): Promise<Trouble> {
  const details = error.details ?? error.message;
  const reason = (/Last error: (?:Error(?: \[\w+\])?: )?(.*?)\.? Resolution note/s.exec(details)?.[1] ?? details).split(
    '\n',
  )[0] as string;
  if (error.code === status.UNIMPLEMENTED)
    return { reason: 'it is no node of a cluster: name it alone, without +discover', isFinal: true };
  if (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED)
    return { reason: `it refuses this account: ${reason}`, isFinal: true };
  if (error.code === status.CANCELLED)
    return { reason: `no answer within ${gossipTimeoutMilliseconds} ms`, isFinal: false };
  if (secure && CERTIFICATE.test(details))
    return { reason: `its certificate is not accepted: ${reason}`, isFinal: true };
  if (secure && NO_TLS.test(details))
    return { reason: 'it does not speak TLS: say tls=false, or give it a certificate', isFinal: true };
  if (!secure && (await speaksTls(host)))
    return { reason: 'it speaks TLS: say tls=true, and tlsCAFile if its authority is your own', isFinal: true };
  return { reason, isFinal: false };
}

const TLS_ANSWER_MILLISECONDS = 1000;

/** A server with TLS just ends a connection without: the reason can be found only by trying it. */
function speaksTls({ address: host, port }: Host): Promise<boolean> {
  return new Promise((resolve) => {
    const plain = connectPlainly({ host, port });
    const end = (answer: boolean) => {
      clearTimeout(late);
      plain.destroy();
      resolve(answer);
    };
    const late = setTimeout(end, TLS_ANSWER_MILLISECONDS, false);
    plain.on('error', () => end(false));
    plain.on('connect', () => {
      const encrypted = connectWithTls({ socket: plain, rejectUnauthorized: false }, () => end(true));
      encrypted.on('error', () => end(false));
    });
  });
}
