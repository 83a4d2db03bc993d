import { anyMailAnswerIn, type MailAnswer } from '#domain/notifications/outcomes';
import type { SmtpError } from './mail-failures.ts';

/**
 * Whether a mail server answered about this mail: its address, its mailbox, its size or contents. Another answer is about the
 * store (it may not relay, it must sign in, it is on a list) or about the server itself: other mails would get it, too.
 */
export function isAboutMail({ code, command, responseCode, response = '' }: SmtpError): boolean {
  if (responseCode === undefined || !(code === 'EMESSAGE' || command === 'RCPT TO')) return false;
  if (ofSessions.has(responseCode)) return false;
  const isOfMailbox = ofMailboxes.has(responseCode) && !NAMES_THE_STORE.test(response);
  const { enhanced } = anyMailAnswerIn(response);
  if (!enhanced) return isOfMailbox;
  return aboutMail[enhanced.subject]?.(enhanced.detail, isOfMailbox && NAMES_A_MAILBOX.test(response)) ?? isOfMailbox;
}

/** By the subject of the enhanced code (RFC 3463, RFC 5248), and whether status and words name a mailbox. Subject 0 says nothing. */
const aboutMail: Readonly<Record<number, (detail: number, namesMailbox: boolean) => boolean>> = {
  /** Addresses; 7 and 8 are about the sender's. */
  1: (detail) => detail !== 7 && detail !== 8,
  /** Mailboxes. */
  2: () => true,
  /** The mail system; 4: the mail is too big for it. */
  3: (detail) => detail === 4,
  /** The way to the host of the address. */
  4: () => true,
  /** The protocol; 0 is no statement, and Outlook.com gives it with "mailbox unavailable" for an address that does not exist. */
  5: (detail, namesMailbox) => detail === 0 && namesMailbox,
  /** Contents. */
  6: () => true,
  /** Rules and signing in; 17 and 18: the mailbox belongs to somebody else now (RFC 7293). */
  7: (detail) => detail === 17 || detail === 18,
};

/** The server ends the session, or wants the store to sign in (RFC 5321, RFC 4954): whatever code it adds. */
const ofSessions: ReadonlySet<number> = new Set([421, 503, 530, 534, 535, 538]);

/** Statuses about a mailbox (RFC 5321, 4.2.3), or about a host that takes no mails (RFC 7504). Not 554, which refuses for any reason. */
const ofMailboxes: ReadonlySet<MailAnswer['status']> = new Set([450, 550, 551, 552, 553, 556]);

/** Servers without enhanced codes say in words that they refuse the store: "550 relay not permitted", "550 sender verify failed". */
const NAMES_THE_STORE = /relay|sender|authenti|black|block|denylist|polic|spam|\bSPF\b|\bDKIM\b|\bDMARC\b/i;

const NAMES_A_MAILBOX = /\b(mailbox|recipient|user|no such)\b/i;
