import { createHash, timingSafeEqual } from 'node:crypto';
import type { Email } from 'postal-mime';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { cleanTexts } from '#domain/kernel/text';

/** A mail to support, as far as it is taken. Its files are not. */
export interface SupportLetter {
  /** Its Message-ID without brackets; of a mail without one, a hash of all of it. */
  readonly messageId: string;
  /** An address that nobody has proved: whoever sends a mail writes it. */
  readonly from: string;
  /** All addresses to which it may have been sent. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The ids of the mails before it, the oldest first. */
  readonly references: readonly string[];
  readonly files: number;
}

/** Why nothing is recorded of a mail. */
export type AsideReason = 'automatic' | 'spam' | 'no-sender' | 'empty' | 'unreadable' | 'too-large';
export interface SetAside {
  readonly setAside: AsideReason;
}
export const isSetAside = (read: object): read is SetAside => 'setAside' in read;

export interface SupportMail {
  /** Where people write to a store with this mail domain. */
  addressOf(mailDomain: string): string;
  /** @throws BadMailSecret for who does not know the secret, NoSupportMail where no mails are taken over HTTP */
  checkSecret(authorization: string): void;
}

interface SupportMailOptions {
  /** A name, which each store has at its own domain, or one address for all stores. */
  readonly address?: string | undefined;
  /** With which a provider of mails sends them over HTTP. */
  readonly secret?: string | undefined;
}

export const supportMail = ({ address = 'support', secret }: SupportMailOptions): SupportMail => ({
  addressOf: (mailDomain) => (address.includes('@') ? address : `${address}@${mailDomain}`),
  checkSecret(authorization) {
    if (secret === undefined) throw new NoSupportMail();
    if (!isSame(secretIn(authorization), secret)) throw new BadMailSecret();
  },
});

export class NoSupportMail extends LeadgerError {
  constructor() {
    super('support-mail-not-expected', 'this store takes no mails to support over HTTP');
  }
}

export class BadMailSecret extends LeadgerError {
  constructor() {
    super('bad-mail-secret', 'the mail does not come with the secret of this store');
  }
}

/** Providers put the secret into the address that they call, as a password, or into a header. */
function secretIn(authorization: string): string {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  return scheme.toLowerCase() === 'basic'
    ? Buffer.from(value, 'base64')
        .toString()
        .replace(/^[^:]*:/, '')
    : '';
}

const digest = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest();
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

/** Of one mail, as a server takes it. */
export const MOST_MAIL_BYTES = 30 * 1024 * 1024;
const MOST_CHARACTERS = 10_000;
const MOST_REFERENCES = 20;
const CUT = '\n\n[The mail was longer.]';

/** Reads a mail as it was sent (RFC 5322). It never throws: what cannot be read today cannot be read tomorrow. */
export async function readSupportLetter(raw: Uint8Array, recipients: readonly string[] = []) {
  if (raw.length > MOST_MAIL_BYTES) return aside('too-large');
  const { default: PostalMime } = await import('postal-mime');
  const mail = await PostalMime.parse(raw, { maxNestingDepth: 50, maxHeadersSize: 512 * 1024 }).catch(() => undefined);
  return mail ? letterOf(mail, raw, recipients) : aside('unreadable');
}

const aside = (setAside: AsideReason): SetAside => ({ setAside });

function letterOf(mail: Email, raw: Uint8Array, recipients: readonly string[]): SupportLetter | SetAside {
  const headers = headersOf(mail);
  const from = addressIn(mail.from?.address);
  const reason = reasonAside(headers, from);
  if (reason) return aside(reason);
  const files = mail.attachments.filter(({ related, contentId }) => !(related && contentId)).length;
  const text = textOf(mail);
  if (text === '' && files === 0) return aside('empty');
  return {
    messageId: idsIn(mail.messageId)[0] ?? digest(raw).toString('hex'),
    from: from as string,
    to: [...new Set([...recipients, ...addressedTo(mail, headers)].flatMap((address) => addressIn(address) ?? []))],
    subject: lineOf(mail.subject) || 'Without a subject',
    text: text || '[The mail has no text.]',
    references: [...new Set([...idsIn(mail.references), ...idsIn(mail.inReplyTo)])].slice(-MOST_REFERENCES),
    files,
  };
}

type Headers = ReadonlyMap<string, readonly string[]>;

function headersOf({ headers }: Email): Headers {
  const found = new Map<string, string[]>();
  for (const { key, value } of headers) found.set(key, [...(found.get(key) ?? []), value.trim()]);
  return found;
}

/** Programs, lists and servers write it, or a filter says spam: nobody waits for an answer. */
function reasonAside(headers: Headers, from: string | undefined): AsideReason | undefined {
  const says = (name: string, pattern: RegExp) => headers.get(name)?.some((value) => pattern.test(value)) ?? false;
  if (says('x-spam-flag', /^yes/i) || says('x-spam-status', /^yes/i)) return 'spam';
  if (automatic.some(([name, pattern]) => says(name, pattern))) return 'automatic';
  if (from === undefined) return 'no-sender';
  return NOBODY.test(from) ? 'automatic' : undefined;
}

/** RFC 3834, RFC 2919, RFC 3464, and what Exchange, Gmail and older programs write. */
const automatic: readonly (readonly [header: string, pattern: RegExp])[] = [
  ['auto-submitted', /^(?!no\b)./i],
  ['precedence', /^(bulk|junk|list|auto_reply)/i],
  ['x-auto-response-suppress', /(all|autoreply|oof|dr|rn|nrn)/i],
  ['x-autoreply', /^(?!no\b)./i],
  ['x-autorespond', /./],
  ['x-autoresponder', /./],
  ['list-id', /./],
  ['list-unsubscribe', /./],
  ['list-post', /./],
  ['return-path', /^<\s*>$/],
  ['content-type', /^multipart\/report/i],
  ['feedback-id', /./],
];
const NOBODY = /^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+-][^@]*)?@/i;

const ADDRESS = /^[^\s@<>\p{C}]{1,64}@[^\s@<>\p{C}]{1,253}$/u;
const addressIn = (written: string | undefined): string | undefined => {
  const address = written?.trim().normalize('NFC');
  return address !== undefined && ADDRESS.test(address) ? address : undefined;
};

function addressedTo({ to = [], cc = [], deliveredTo }: Email, headers: Headers): string[] {
  const written = [...to, ...cc].flatMap((one) => one.group ?? [one]).map(({ address }) => address ?? '');
  const others = ['delivered-to', 'x-original-to', 'envelope-to'].flatMap((name) => headers.get(name) ?? []);
  return [...others, ...(deliveredTo === undefined ? [] : [deliveredTo]), ...written];
}

/** Long ones are no ids of mails: nothing is compared with them. */
const idsIn = (written: string | undefined): string[] =>
  [...(written ?? '').matchAll(/<?([^\s<>]{3,250})>?/g)].map(([, id]) => id as string);

const lineOf = (written = ''): string => cleanTexts(written.replace(/\s+/g, ' ').trim(), 200);

/** Ends of lines and tabs stay. */
function textOf({ text, html }: Email): string {
  const written = (text?.trim() || withoutTags(html ?? '')).slice(0, 4 * MOST_CHARACTERS).replace(/\r\n?/g, '\n');
  const lines = written.split(/(?<=[\n\t])|(?=[\n\t])/);
  const clean = lines.map((part) => (/^[\n\t]$/.test(part) ? part : cleanTexts(part, MOST_CHARACTERS))).join('');
  const characters = [...clean.trim()];
  const most = MOST_CHARACTERS - CUT.length;
  return characters.length <= most ? clean.trim() : `${characters.slice(0, most).join('')}${CUT}`;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', amp: '&' };

/** Of a mail that has no plain text. It is shown as text only, so what is left of its tags does nothing. */
const withoutTags = (html: string): string =>
  html
    .slice(0, 20 * MOST_CHARACTERS)
    .replace(/<(style|script|head|title)\b[\s\S]*?<\/\1\s*>/gi, '')
    .replace(/<(br|\/p|\/div|\/tr|\/li|\/h\d)\b[^<>]*>/gi, '\n')
    .replace(/<[^<>]*>/g, '')
    .replace(/&(lt|gt|quot|apos|nbsp|amp);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replace(/\n{3,}/g, '\n\n')
    .trim();
