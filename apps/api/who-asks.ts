import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { trialCaller, visitor } from '#domain/kernel/caller';
import { isApiKeyToken } from '#requests/api-keys';
import type { Identities, Identity } from '#requests/identities';
import { headerOf } from './headers.ts';
import { Problem } from './problems.ts';
import { sessionTokenIn } from './session-cookie.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. */
    identity: Identity;
  }
}

/** Whoever is at the machine. */
export const DEFAULT_ACTOR = 'staff:local';

const nobody: Identity = { caller: visitor, holds: async () => true };

/** Providers of mails and payments prove in their own way that they are who calls, and anybody fills in a form. */
const OF_OTHERS = /^\/api\/(support-mails|payment-notices|forms)(?=\/|$)/;

/** Finds out who asks, before any route. Probes, providers and pages of documentation ask as nobody. */
export function findWhoAsks(server: FastifyInstance, identities: Identities): void {
  server.decorateRequest('identity', null as never);
  server.addHook('onRequest', async (request, reply) => {
    request.identity = nobody;
    if (sendToLocalhost(request, reply)) return reply;
    // Of the route, as a path can be written in many ways.
    const { url: route = '' } = request.routeOptions;
    if (/^\/(api\/|mails)/.test(route) && !OF_OTHERS.test(route))
      request.identity = await identityOf(request, identities);
    return undefined;
  });
}

async function identityOf(request: FastifyRequest, identities: Identities): Promise<Identity> {
  const isTrial = isAtTheMachine(request) && (await identities.isTrial());
  const actor = headerOf(request, 'leadger-actor');
  if (actor !== undefined && !isTrial) throw actorNotTaken;
  const signedIn = (await ofBearer(request, identities)) ?? (await ofCookie(request, identities));
  if (signedIn) return signedIn;
  return isTrial ? { caller: trialCaller(actor ?? DEFAULT_ACTOR), holds: () => identities.isTrial() } : nobody;
}

const actorNotTaken = new Problem(
  'actor-not-taken',
  'Leadger-Actor is for trials at the machine of the store: sign in, or send the key of a program',
);

const BEARER = /^bearer +(\S+) *$/i;

/** @throws Problem for a token that is none, or none any more: who sends one is not taken for nobody */
async function ofBearer({ headers }: FastifyRequest, identities: Identities): Promise<Identity | undefined> {
  const [, token] = BEARER.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) return undefined;
  const identity = await (isApiKeyToken(token) ? identities.ofApiKey(token) : identities.ofSession(token));
  const { origin } = headers;
  if (origin !== undefined && identity?.origins?.includes(origin) === false)
    throw new Problem('origin-refused', 'the key is not taken from pages of this origin');
  if (identity) return identity;
  throw new Problem('token-ended', 'this is no token of a session or of an API key, or it has ended');
}

async function ofCookie(request: FastifyRequest, identities: Identities): Promise<Identity | undefined> {
  const token = sessionTokenIn(request);
  return token !== undefined && counts(request) ? identities.ofSession(token) : undefined;
}

/** Browsers send a cookie with whatever a page of another site makes them send. What only reads, they do not show to that page. */
function counts({ method, headers: { host, origin, 'sec-fetch-site': site } }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  return site === undefined ? origin !== undefined && URL.parse(origin)?.host === host : site === 'same-origin';
}

const LOOPBACK_ADDRESS = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;
/** Of reverse proxies and networks in front of a store. A proxy that adds none of them must add one (docs/deploy.md). */
const OF_PROXIES = /^(forwarded|via|true-client-ip|x-(forwarded|real|original|client|envoy)-.*|(cf|fly|fastly)-.*)$/;

/** In a trial, whoever is at the machine may do everything: so nobody who came through a proxy is taken for that. */
const isAtTheMachine = ({ raw: { socket }, headers }: FastifyRequest): boolean =>
  LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '') &&
  LOOPBACK_HOST.test(headers.host ?? '') &&
  !Object.keys(headers).some((name) => OF_PROXIES.test(name));

const BY_NUMBER = /^127(\.\d{1,3}){3}(?=:\d+$|$)/;

/** Browsers keep no `__Host-` cookie of an address without encryption, except of `localhost`. @returns whether it was sent there */
function sendToLocalhost({ method, url, headers }: FastifyRequest, reply: FastifyReply): boolean {
  const { host = '', 'sec-fetch-mode': mode } = headers;
  if (method !== 'GET' || mode !== 'navigate' || !BY_NUMBER.test(host)) return false;
  reply.redirect(`http://${host.replace(BY_NUMBER, 'localhost')}${url}`, 307);
  return true;
}
