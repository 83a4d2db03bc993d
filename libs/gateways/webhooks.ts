import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns';
import { type ClientRequestArgs, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, type IPVersion, isIP, type LookupFunction } from 'node:net';

/** A message to a customer's program, as Standard Webhooks has it. */
export interface WebhookMessage {
  readonly url: string;
  /** `whsec_` and base64 of the key. */
  readonly signingSecret: string;
  /** The same for every try of the same message. */
  readonly id: string;
  /** Of this try; part of what is signed, so that nobody replays an old one. */
  readonly at: Date;
  readonly body: string;
}

export type WebhookResult =
  | { readonly accepted: true; readonly status: number }
  /** `hopeless`: 410 Gone, or an address that is never called. */
  | { readonly accepted: false; readonly reason: string; readonly hopeless: boolean };

export interface WebhookGateway {
  call(message: WebhookMessage): Promise<WebhookResult>;
}

const SECRET_PREFIX = 'whsec_';
const SECONDS_TO_ANSWER = 15;
const GONE = 410;

/** What a receiver computes, too: HMAC-SHA-256 over id, time and body. */
export function signatureOf({ signingSecret, id, at, body }: Omit<WebhookMessage, 'url'>): string {
  const key = Buffer.from(signingSecret.slice(SECRET_PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key)
    .update(`${id}.${secondsOf(at)}.${body}`)
    .digest('base64')}`;
}

const secondsOf = (at: Date): string => String(Math.floor(at.getTime() / 1000));

/**
 * Calls over HTTP. Customers choose the addresses, so nothing inside the store's own network is called unless
 * `allowPrivate` says so, whatever name it goes by; and no redirect is followed.
 */
export function httpWebhooks({ allowPrivate = false }: { allowPrivate?: boolean } = {}): WebhookGateway {
  return {
    async call(message) {
      const { id, at, body } = message;
      const url = new URL(message.url);
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'webhook-id': id,
        'webhook-timestamp': secondsOf(at),
        'webhook-signature': signatureOf(message),
      };
      try {
        const status = await post(url, { headers, ...(!allowPrivate && { lookup: lookupPublic }) }, body, allowPrivate);
        if (status >= 200 && status < 300) return { accepted: true, status };
        return { accepted: false, reason: `it answered ${status}`, hopeless: status === GONE };
      } catch (error) {
        const reason = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : undefined;
        return { accepted: false, reason: reason ?? 'no answer', hopeless: error instanceof PrivateAddress };
      }
    },
  };
}

function post(url: URL, options: ClientRequestArgs, body: string, allowPrivate: boolean): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // A literal address is never looked up.
  if (!allowPrivate && isIP(host) && isPrivate(host)) return Promise.reject(new PrivateAddress(host));
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(SECONDS_TO_ANSWER * 1000);
  const call = request(url, { ...options, method: 'POST', signal, agent: false }, (answer) => {
    // What it says does not matter, and may be endless.
    answer.destroy();
    resolve(answer.statusCode ?? 0);
  });
  // Without a listener nobody would ever tell of it.
  call.on('upgrade', (answer, socket) => {
    socket.destroy();
    resolve(answer.statusCode ?? 0);
  });
  call.on('error', (error) =>
    reject(signal.aborted ? new Error(`no answer within ${SECONDS_TO_ANSWER} seconds`) : error),
  );
  call.end(body);
  return promise;
}

export class PrivateAddress extends Error {
  constructor(address: string) {
    super(`${address} is no address on the public Internet`);
  }
}

/** The check is made on what is connected to: a name may mean another address a moment later. */
const lookupPublic: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return done(error, '');
    const bad = found.find(({ address }) => isPrivate(address));
    if (bad) return done(new PrivateAddress(`${hostname} (${bad.address})`), '');
    return options.all ? done(null, found) : done(null, found[0]?.address ?? '', found[0]?.family);
  });
};

/**
 * What is not reached over the public Internet (IANA's special-purpose registries). Of version 6 only 2000::/3 is given
 * out; what carries an address of version 4 in it might lead to one inside.
 */
const insideIPv4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]);
const insideIPv6 = blockList('ipv6', [
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['4000::', 2],
  ['8000::', 1],
]);

function blockList(family: IPVersion, networks: readonly (readonly [network: string, bits: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, family);
  return list;
}

export const isPrivate = (address: string): boolean =>
  isIP(address) === 6 ? insideIPv6.check(address, 'ipv6') : insideIPv4.check(address, 'ipv4');

/** Calls nobody. */
export const noWebhooks = (): WebhookGateway => ({ call: async () => ({ accepted: true, status: 200 }) });
