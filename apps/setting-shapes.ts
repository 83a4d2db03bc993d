import { domainToASCII } from 'node:url';
import { isHostName } from '#domain/kernel/web-address';

/** What the values of settings look like. */

export const HIGHEST_PORT = 65_535;

/** Whether a text is a port. */
export const isPort = (written: string): boolean => /^\d{1,5}$/.test(written) && Number(written) <= HIGHEST_PORT;

export function isWebAddress(written: string): boolean {
  return /^https?:\/\/[!-~]+$/i.test(written) && reachable(written) !== null;
}

/** An address whose port there is: nothing listens on port 0. */
function reachable(written: string): URL | null {
  const url = URL.parse(written);
  return url?.port === '0' ? null : url;
}

/** Of a server of mails: its user and its password are decoded when somebody signs in. */
function signingIn(written: string): URL | null {
  const url = reachable(written);
  return url && isEncoded(url.username) && isEncoded(url.password) ? url : null;
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export function isOrigin(written: string): boolean {
  const { protocol, origin } = URL.parse(written) ?? {};
  return (protocol === 'https:' || protocol === 'http:') && origin === written.toLowerCase();
}

/** As OpenTelemetry reads them: a header that HTTP does not allow would fail at each call. */
export function areHeaders(written: string): boolean {
  return written.split(',').every((header) => {
    const [, value] = /^\s*[\w!#$%&'*+.^`|~-]+\s*=\s*([ -~]+)$/.exec(header) ?? [];
    return value !== undefined && isEncoded(value) && /^[\t -~]+$/.test(decodeURIComponent(value));
  });
}

export function isMailServer(written: string): boolean {
  const url = signingIn(written);
  if (!url) return false;
  const { protocol, hostname } = url;
  return (
    (protocol === 'smtp:' || protocol === 'smtps:') && (hostname.startsWith('[') || isHostName(withoutRoot(hostname)))
  );
}

export function isMailbox(written: string): boolean {
  const url = signingIn(written);
  if (!url) return false;
  const { protocol, hostname, username, password } = url;
  return ['imap:', 'imaps:'].includes(protocol) && hostname !== '' && username !== '' && password !== '';
}

export function isSupportAddress(written: string): boolean {
  return /^[\w.-]{1,60}$/.test(written) || isSender(written);
}

/** A final dot only says that the name is a whole one. */
const withoutRoot = (host: string): string => host.replace(/\.$/, '');

export function isSender(written: string): boolean {
  const [, host = ''] = /^[^\s@<>\p{C}]+@([^\s@<>]+)$/u.exec(written) ?? [];
  return isHostName(domainToASCII(host)) || /^\[[\w.:]+\]$/.test(host);
}
