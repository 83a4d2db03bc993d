import { createHash, timingSafeEqual } from 'node:crypto';
import type { Email } from 'postal-mime';
import { withoutCardNumbers } from '#domain/kernel/card-numbers';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { cleanTexts } from '#domain/kernel/text';
import type { AsideReason } from '#domain/support/ticket';
import { shortenedMail } from './shortened-mail.ts';

/** A mail to support, as far as it is taken. Its files are not. */
export interface SupportLetter {
  /** Its Message-ID without brackets; of a mail without one, a hash of all of it. */
  readonly messageId: string;
  /** An address that nobody has proved: whoever sends a mail writes it. Undefined: there is none. */
  readonly from: string | undefined;
  /** All addresses to which it may have been sent. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The ids of the mails before it, the oldest first. */
  readonly references: readonly string[];
  readonly files: number;
  /** Why it is no ticket unless support takes it up, as far as the mail itself shows that. */
  readonly setAside?: AsideReason | undefined;
}

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
const MOST_HEADER_BYTES = 128 * 1024;
const MOST_REFERENCES = 20;
const NO_SUBJECT = 'Without a subject';
const CUT = '\n\n[The mail was longer.]';

/** Reads a mail as it was sent (RFC 5322). It never throws: what cannot be read today cannot be read tomorrow. */
export async function readSupportLetter(raw: Uint8Array, recipients: readonly string[] = []): Promise<SupportLetter> {
  const isLarge = raw.length > MOST_MAIL_BYTES;
  const { default: PostalMime } = await import('postal-mime');
  const options = { maxNestingDepth: 50, maxHeadersSize: MOST_HEADER_BYTES };
  try {
    const mail = await PostalMime.parse(isLarge ? headOf(raw) : shortenedMail(raw), options);
    return letterOf(mail, raw, recipients, isLarge ? 'too-large' : undefined);
  } catch {
    return unreadable(raw);
  }
}

/** Who wrote a large mail, and about what. */
function headOf(raw: Uint8Array): Uint8Array {
  const start = Buffer.from(raw.subarray(0, MOST_HEADER_BYTES)).toString('latin1');
  const [head = ''] = start.split(/\r?\n\r?\n/, 1);
  return Buffer.from(`${head.replace(/^content-[\w-]+:.*(\r?\n[ \t].*)*\r?\n?/gim, '')}\r\n\r\n`, 'latin1');
}

const unreadable = (raw: Uint8Array): SupportLetter => ({
  ...{ messageId: digest(raw).toString('hex'), from: undefined, to: [], references: [], files: 0 },
  ...{ subject: NO_SUBJECT, text: '[The mail cannot be read.]', setAside: 'unreadable' },
});

function letterOf(mail: Email, raw: Uint8Array, recipients: readonly string[], reason?: AsideReason): SupportLetter {
  const headers = headersOf(mail);
  const from = addressIn(mail.from?.address);
  const files = mail.attachments.filter(({ related, contentId }) => !(related && contentId)).length;
  const subject = lineOf(mail.subject);
  const text = textOf(mail);
  const isEmpty = subject === '' && text === '' && files === 0;
  return {
    messageId: idsIn(mail.messageId)[0] ?? digest(raw).toString('hex'),
    from,
    to: [...new Set([...recipients, ...addressedTo(mail, headers)].flatMap((address) => addressIn(address) ?? []))],
    subject: subject || NO_SUBJECT,
    text: text || (reason ? '[The mail is too large.]' : '[The mail has no text.]'),
    references: [...new Set([...idsIn(mail.references), ...idsIn(mail.inReplyTo)])].slice(-MOST_REFERENCES),
    files,
    setAside: reasonAside(headers, from) ?? reason ?? (isEmpty ? 'empty' : undefined),
  };
}

type Headers = ReadonlyMap<string, readonly string[]>;

function headersOf({ headers }: Email): Headers {
  const found = new Map<string, string[]>();
  for (const { key, value } of headers) {
    const values = found.get(key) ?? [];
    values.push(value.trim());
    found.set(key, values);
  }
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

const lineOf = (written = ''): string => withoutCardNumbers(cleanTexts(written.replace(/\s+/g, ' ').trim(), 200));

/** Ends of lines and tabs stay. */
function textOf({ text, html }: Email): string {
  const written = (text?.trim() || withoutTags(html ?? '')).slice(0, 4 * MOST_CHARACTERS).replace(/\r\n?/g, '\n');
  const lines = written.split(/(?<=[\n\t])|(?=[\n\t])/);
  const clean = lines.map((part) => (/^[\n\t]$/.test(part) ? part : cleanTexts(part, MOST_CHARACTERS))).join('');
  const characters = [...withoutCardNumbers(clean.trim())];
  const most = MOST_CHARACTERS - CUT.length;
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most).join('')}${CUT}`;
}

/** A character by its number. What is no character stays as it was written. */
function characterAt(written: string, number: number): string {
  const isCharacter = number > 0 && number <= 0x10_ff_ff && !(number >= 0xd8_00 && number <= 0xdf_ff);
  return isCharacter ? String.fromCodePoint(number) : written;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', amp: '&' };

/** What a mail program does not show. */
const HIDDEN = ['style', 'script', 'title', 'head'].map((name) => new RegExp(`<(/?)${name}\\b[^<>]*>`, 'gi'));

/** Each tag is read once: a mail may have a hundred thousand that are never closed. Those stay. */
function withoutElements(html: string, tags: RegExp): string {
  const shown: string[] = [];
  let [from, openAt]: [number, number | undefined] = [0, undefined];
  for (const { 0: tag, 1: slash, index } of html.matchAll(tags)) {
    if (slash === '') openAt ??= index;
    else if (openAt !== undefined) {
      shown.push(html.slice(from, openAt));
      [from, openAt] = [index + tag.length, undefined];
    }
  }
  return [...shown, html.slice(from)].join('');
}

/** Of a mail that has no plain text. It is shown as text only, so what is left of its tags does nothing. */
const withoutTags = (html: string): string =>
  HIDDEN.reduce(withoutElements, html.slice(0, 20 * MOST_CHARACTERS))
    .replace(/<(br|\/p|\/div|\/tr|\/li|\/h\d)\b[^<>]*>/gi, '\n')
    .replace(/<[^<>]*>/g, '')
    .replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));|&(lt|gt|quot|apos|nbsp|amp);/gi, (whole, hex, decimal, name) =>
      name
        ? (ENTITIES[name.toLowerCase()] ?? whole)
        : characterAt(whole, hex ? Number.parseInt(hex, 16) : Number(decimal)),
    )
    .replace(/\n{3,}/g, '\n\n')
    .trim();
