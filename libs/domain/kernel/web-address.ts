/**
 * Addresses of stores and webhooks. They are kept in the form in which programs send them: in lower case where case does not
 * matter, other scripts in ASCII. Mails link below those of stores, and are sent from their hosts.
 */

/** Undefined: there is nothing wrong. */
type Wrong = string | undefined;

const MOST_CHARACTERS = 500;
/** A slash that is lost in typing would make a link that no mail program shows as one. */
const BEGINNING = /^https?:\/\/[^/\\]/i;
const UNSEEN = /[\s\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u;
const NOT_IN_LINKS = /["<>?#\\]/;
const IP_ADDRESS = /^(\d+(\.\d+){3}|\[.*\])$/;
const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`, 'i');

/** Labels of letters, digits and hyphens with single dots between them, none at the end. */
export const isHostName = (host: string): boolean => HOST_NAME.test(host);

const isThisMachine = (host: string): boolean => host === '[::1]' || host.startsWith('127.');

/** What is wrong with an address, in words for who sent it. */
export function wrongInWebAddress(written: string): Wrong {
  if (written.length > MOST_CHARACTERS) return `must have at most ${MOST_CHARACTERS} characters`;
  if (!BEGINNING.test(written)) return 'must be an address that begins with https:// or http://';
  if (UNSEEN.test(written)) return 'must have no spaces and no invisible characters';
  if (NOT_IN_LINKS.test(written)) return 'must end with a path: no quotes, < > \\, ? or #';
  const url = URL.parse(written);
  const host = url?.hostname ?? '';
  if (!url || !(isHostName(host) || IP_ADDRESS.test(host)))
    return 'must name a host, like west.example: letters, digits and hyphens, with single dots between them';
  if (url.port === '0') return 'must name a port from 1 to 65535';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or a password';
  return undefined;
}

/** Leads are sent there, so nobody in between may read them; only on one machine there is nobody in between. */
export function wrongInWebhookAddress(written: string): Wrong {
  const wrong = wrongInWebAddress(written);
  if (wrong !== undefined) return wrong;
  const { protocol, hostname } = new URL(written);
  return protocol === 'https:' || hostname === 'localhost' || isThisMachine(hostname)
    ? undefined
    : 'must begin with https://: http:// is for a program on the machine of the store only';
}

/** A store sends mails from its host, which a mail server of customers would not take from a number. */
export function wrongInStoreAddress(written: string): Wrong {
  const wrong = wrongInWebAddress(written);
  if (wrong !== undefined) return wrong;
  const { hostname } = new URL(written);
  return IP_ADDRESS.test(hostname) && !isThisMachine(hostname)
    ? 'must name a host, like west.example: mails are sent from it, and a number has no mail'
    : undefined;
}

/** The normal form of an address with which nothing is wrong. Its final slash says nothing when nothing stands before it. */
export function normalWebAddress(written: string): string {
  const { href, pathname } = new URL(written);
  return pathname === '/' ? href.slice(0, -1) : href;
}

/** Of a store: links are made below it, so slashes at its end say nothing. */
export const normalStoreAddress = (written: string): string => normalWebAddress(written).replace(/\/+$/, '');

/** What links of mails begin with. Stores of older versions may have been opened with an address that only a browser mends. */
export function beginningOfLinks(webAddress: string): string {
  const url = URL.parse(webAddress);
  return (url?.href ?? webAddress).replace(/\/+$/, '');
}

/** What follows the @ of a store's sender. A number stands in brackets (RFC 5321, 4.1.3). */
export function mailDomainOf(webAddress: string): string {
  const { hostname } = new URL(webAddress);
  if (!IP_ADDRESS.test(hostname)) return hostname.replace(/\.$/, '');
  return hostname.startsWith('[') ? `[IPv6:${hostname.slice(1)}` : `[${hostname}]`;
}
