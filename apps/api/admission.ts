import type { FastifyRequest } from 'fastify';
import { membersOf, THIS_MACHINE } from '#apps/networks';
import { isLeadForm } from './lead-forms.ts';
import { isPaymentNotice } from './payment-notices.controller.ts';
import { Problem } from './problems.ts';
import { isSupportMail } from './support-mails.controller.ts';

/** How a program can be reached, besides from its own machine. */
export interface Edge {
  /** Where people reach it: `https://shop.example`. */
  readonly publicUrl?: string | undefined;
  /** Proxies that say from whom a request comes. What others say of that is ignored. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Other sites whose pages may send requests: `https://app.example`. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Who may read the health and the metrics. */
  readonly monitoringNetworks?: readonly string[] | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const MONITORING = /^\/(health(\/live|\/ready)?|metrics)$/;

const isThisMachine = membersOf(THIS_MACHINE);

/**
 * Refuses what a page of another site has a browser send, whatever it wants: a browser says where a request comes from (Origin,
 * Sec-Fetch-Site), and a foreign name that was made to resolve to this machine stands in Host. Programs send neither of the first
 * two. Who signs what it sends, may send it from anywhere; and a form says itself from which pages it is taken.
 */
export function admissionOf({ publicUrl, allowedOrigins = [], monitoringNetworks = THIS_MACHINE }: Edge) {
  const isOwn = ownRequests(publicUrl, allowedOrigins);
  const mayMonitor = membersOf(monitoringNetworks);
  return (request: FastifyRequest): void => {
    if (isPaymentNotice(request) || isSupportMail(request) || isLeadForm(request)) return;
    const isAdmitted = MONITORING.test(request.routeOptions.url ?? '')
      ? mayMonitor(request.ip) && (!isThisMachine(request.ip) || isOwn(request, LOOPBACK_ONLY))
      : isOwn(request);
    if (!isAdmitted) throw new Problem('not-from-here', 'requests from there are not accepted');
  };
}

const LOOPBACK_ONLY = { loopbackOnly: true };

function ownRequests(publicUrl: string | undefined, allowedOrigins: readonly string[]) {
  const published = publicUrl === undefined ? undefined : new URL(publicUrl);
  const allowed: ReadonlySet<string | undefined> = new Set(allowedOrigins);
  const originAt = (host: string, loopbackOnly: boolean): string | undefined => {
    if (LOOPBACK.test(host)) return `http://${host}`;
    // Parsed, so that a port that is the usual one makes no difference.
    return !loopbackOnly && URL.parse(`${published?.protocol}//${host}`)?.host === published?.host
      ? published?.origin
      : undefined;
  };
  return ({ method, headers }: FastifyRequest, { loopbackOnly = false } = {}): boolean => {
    const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
    const own = originAt(host, loopbackOnly);
    if (own === undefined) return false;
    if (origin !== undefined) return origin === own || allowed.has(origin);
    const isLinkFollowed = mode === 'navigate' && (method === 'GET' || method === 'HEAD');
    return site === undefined || site === 'same-origin' || site === 'none' || isLinkFollowed;
  };
}
