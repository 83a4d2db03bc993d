import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns';
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, type IPVersion, isIP, type LookupFunction } from 'node:net';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { FailedCall } from '#domain/notifications/outcomes';

/** A message to a customer's program, according to Standard Webhooks. */
interface WebhookMessage extends Signed {
  readonly url: string;
  /** `whsec_` and base64 of the key: the present one, and for a while the former one, too. */
  readonly signingSecrets: readonly string[];
}

interface Signed {
  /** The same for every attempt to send the same message. */
  readonly id: string;
  /** The instant of this attempt. It is signed, so that an old message cannot be sent again. */
  readonly at: Date;
  readonly body: string;
}

type WebhookResult =
  | { readonly accepted: true; readonly status: number }
  /** `hopeless`: no further attempt can succeed (410 Gone, a private address, one without TLS). */
  | ({ readonly accepted: false; readonly hopeless: boolean } & FailedCall);

export interface WebhookGateway {
  /** Whether no call can ever get there, as far as the address alone says: a number, or this machine. Names are looked up at each call. */
  refuses(url: string): boolean;
  call(message: WebhookMessage): Promise<WebhookResult>;
}

const SECRET_PREFIX = 'whsec_';
const SECONDS_TO_ANSWER = 15;
const GONE = 410;

/** HMAC-SHA-256 over id, time and body. The receiver computes the same. */
export function signatureOf({ signingSecret, id, at, body }: Signed & { readonly signingSecret: string }): string {
  const key = Buffer.from(signingSecret.slice(SECRET_PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key)
    .update(`${id}.${secondsOf(at)}.${body}`)
    .digest('base64')}`;
}

const secondsOf = (at: Date): string => String(Math.floor(at.getTime() / 1000));

/**
 * Calls over HTTPS. Customers choose the addresses, so addresses inside the store's own network are refused, under any
 * name. `toThisMachine` takes only the loopback addresses out of that, also without TLS, for who writes a receiver. Redirects are
 * not followed.
 */
export function httpWebhooks({ toThisMachine = false, resolve = lookup }: WebhookOptions = {}): WebhookGateway {
  const isMine = (address: string) => toThisMachine && isLoopback(address);
  return {
    refuses(url) {
      const host = hostOf(new URL(url));
      if (LOCAL_NAME.test(host)) return !toThisMachine;
      return isIP(host) !== 0 && isPrivate(host) && !isMine(host);
    },
    async call(message) {
      const url = new URL(message.url);
      const whyNot = (address: string) => {
        if (isMine(address)) return undefined;
        if (isPrivate(address)) return new PrivateAddress(address);
        return url.protocol === 'https:' ? undefined : new NotEncrypted(address);
      };
      try {
        const status = await post(url, message, { resolve, whyNot });
        if (status >= 200 && status < 300) return { accepted: true, status };
        return { accepted: false, failure: 'answered', status, hopeless: status === GONE };
      } catch (error) {
        return { accepted: false, failure: failureOf(error), hopeless: error instanceof RefusedAddress };
      }
    },
  };
}

/** Without the message of the error: it contains the host. */
function failureOf(error: unknown): FailedCall['failure'] {
  if (error instanceof PrivateAddress) return 'private-address';
  if (error instanceof NotEncrypted) return 'no-safe-connection';
  if (error instanceof NoAnswer) return 'no-answer';
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (syscall === 'getaddrinfo') return 'name-unknown';
  return /CERT|TLS|SSL|EPROTO|UNABLE_TO_VERIFY/.test(code) ? 'no-safe-connection' : 'unreachable';
}

const headersOf = (message: WebhookMessage) => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(message.body),
  'webhook-id': message.id,
  'webhook-timestamp': secondsOf(message.at),
  'webhook-signature': message.signingSecrets
    .map((signingSecret) => signatureOf({ ...message, signingSecret }))
    .join(' '),
});

/** RFC 6761: this machine, whatever a server of names says. */
const LOCAL_NAME = /^(.+\.)?localhost\.?$/;

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/** @returns the status of the answer. @throws RefusedAddress, or an error when there is no answer */
async function post(url: URL, message: WebhookMessage, { resolve, whyNot }: Reach): Promise<number> {
  const host = hostOf(url);
  // A literal address is never looked up.
  const refused = isIP(host) ? whyNot(host) : undefined;
  if (refused) throw refused;
  const signal = AbortSignal.timeout(SECONDS_TO_ANSWER * 1000);
  const call = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    lookup: lookupExcept(resolve, whyNot),
    method: 'POST',
    headers: headersOf(message),
    signal,
    agent: false,
  });
  const status = statusOf(call);
  call.end(message.body);
  return status.catch((error: unknown) => {
    throw signal.aborted ? new NoAnswer() : error;
  });
}

function statusOf(call: ClientRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    call.on('response', (answer) => {
      // The body does not matter, and may be endless.
      answer.destroy();
      resolve(answer.statusCode ?? 0);
    });
    // Without this listener Node would not report such an answer.
    call.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode ?? 0);
    });
    call.on('error', reject);
  });
}

interface Reach {
  readonly resolve: typeof lookup;
  readonly whyNot: (address: string) => RefusedAddress | undefined;
}

interface WebhookOptions {
  readonly toThisMachine?: boolean;
  /** Default: the machine's. */
  readonly resolve?: typeof lookup;
}

class NoAnswer extends Error {}

class RefusedAddress extends LeadgerError {}

class PrivateAddress extends RefusedAddress {
  constructor(address: string) {
    super('private-address', `${address} is not an address on the public Internet`);
  }
}

class NotEncrypted extends RefusedAddress {
  constructor(address: string) {
    super('no-safe-connection', `${address} is not called without TLS`);
  }
}

/** Checks the address that is used for the connection, because a name may have another address a moment later. */
const lookupExcept =
  (resolve: typeof lookup, whyNot: Reach['whyNot']): LookupFunction =>
  (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '');
      const refused = found.map(({ address }) => whyNot(address)).find((one) => one !== undefined);
      if (refused) return done(refused, '');
      return options.all ? done(null, found) : done(null, found[0]?.address ?? '', found[0]?.family);
    });
  };

/**
 * Addresses that are not on the public Internet (IANA's special-purpose registries). Of IPv6 only 2000::/3 is in use.
 * IPv6 addresses that contain an IPv4 address could lead to a private one.
 */
const insideIPv4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Only Azure's machines reach it, whose secrets it gives: the one such address outside the registries.
  ['168.63.129.16', 32],
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

const loopback = blockList('ipv4', [['127.0.0.0', 8]]);
loopback.addAddress('::1', 'ipv6');

const isLoopback = (address: string): boolean => loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Accepts every message and sends nothing. */
export const noWebhooks = (): WebhookGateway => ({
  refuses: () => false,
  call: async () => ({ accepted: true, status: 200 }),
});
