import { anyMailAnswerIn, type MailAnswer } from '#domain/notifications/outcomes';
import type { SmtpError } from './mail-failures.ts';

/**
 * Whether a mail server answered about this mail: its address, its mailbox, its size or contents. Another answer is about the
 * store (it may not relay, it must sign in, it is on a list) or about the server itself: other mails would get it, too.
 */
export function isAboutMail({ code, command, responseCode, response = '' }: SmtpError): boolean {
  if (responseCode === undefined || !(code === 'EMESSAGE' || command === 'RCPT TO')) return false;
  if (ofSessions.has(responseCode)) return false;
  const { enhanced } = anyMailAnswerIn(response);
  const said = enhanced && (saidBy[enhanced.subject] ?? nothing)(enhanced.detail);
  if (said !== undefined) return said === 'mail';
  const words = response.replace(ADDRESS, '');
  if (!ofMailboxes.has(responseCode) || NAMES_THE_STORE.test(words) || SENDS_TOO_MUCH.test(words)) return false;
  return enhanced?.subject !== PROTOCOL || NAMES_A_MAILBOX.test(words);
}

type Said = 'mail' | 'store' | undefined;
type Details = (detail: number) => boolean;

const oneOf =
  (...details: readonly number[]): Details =>
  (detail) =>
    details.includes(detail);
const allBut =
  (...details: readonly number[]): Details =>
  (detail) =>
    !details.includes(detail);
const none: Details = () => false;
const nothing = (): Said => undefined;

const says =
  (isMail: Details, isStore: Details) =>
  (detail: number): Said =>
    isMail(detail) ? 'mail' : isStore(detail) ? 'store' : undefined;

const PROTOCOL = 5;

/**
 * What the enhanced code alone says, by its subject (RFC 3463, RFC 5248). Where it says nothing, status and words decide: servers
 * give such codes for an address that does not exist as well as for a store that may not relay, or has sent too much.
 */
const saidBy: Readonly<Record<number, (detail: number) => Said>> = {
  /** Addresses; 7 and 8 are about the sender's. */
  1: says(oneOf(1, 2, 3, 4, 6, 10), oneOf(7, 8)),
  /** Mailboxes: closed, full, its limit of size, its list. */
  2: says(oneOf(1, 2, 3, 4), none),
  /** The mail system; 4: the mail is too big for it. */
  3: says(oneOf(4), allBut(4)),
  /** The way to the host of the address: it has none. 3 and 5: a directory that does not answer, and too many mails. */
  4: says(oneOf(4), oneOf(3, 5)),
  /** 0 is no statement: Outlook.com gives it with "mailbox unavailable" for an address that does not exist. */
  [PROTOCOL]: says(none, allBut(0)),
  /** Contents. */
  6: says(allBut(0), none),
  /** Rules and signing in; 17 and 18: the mailbox belongs to somebody else now (RFC 7293). */
  7: says(oneOf(17, 18), allBut(17, 18)),
};

/** The server ends the session, or wants the store to sign in (RFC 5321, RFC 4954): whatever code it adds. */
const ofSessions: ReadonlySet<number> = new Set([421, 503, 530, 534, 535, 538]);

/** Statuses about a mailbox (RFC 5321, 4.2.3), or about a host that takes no mails (RFC 7504). Not 554, which refuses for any reason. */
const ofMailboxes: ReadonlySet<MailAnswer['status']> = new Set([450, 550, 551, 552, 553, 556]);

/** An answer repeats the address, and `relay@example.org` is no word of the server. */
const ADDRESS = /[^\s<>]*@[^\s<>]*/g;

/** "550 relay not permitted", "550 sender verify failed", and "rcpthosts", which is qmail's word for relaying. */
const NAMES_THE_STORE =
  /relay|rcpthosts|sender|authenti|authori[sz]|log ?in\b|sign in|\bTLS|black|block|denylist|\blisted (at|by|in|on)|reputation|polic|prohibit|spam|\b(HELO|EHLO|PTR|rDNS|reverse|client host|your (IP|host)|SPF|DKIM|DMARC)\b/i;

/** "550 daily user sending limit exceeded", "550 too many messages": it takes the mail another day. */
const SENDS_TOO_MUCH =
  /\b(daily|hourly|rate|send(ing)?|outgoing|outbound)\W+(\w+\W+){0,3}(limit|quota|activity)|\bper (minute|hour|day)\b|\btoo many (e-?mail|mail|message|recipient)/i;

const NAMES_A_MAILBOX = /\b(mailbox|recipient|user|no such)\b/i;
