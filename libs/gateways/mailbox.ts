import { setTimeout as wait } from 'node:timers/promises';
import type { ImapFlow } from 'imapflow';
import { activityTime } from '#domain/kernel/activities';
import type { Instant } from '#domain/kernel/events';
import { addDays } from '#domain/kernel/instants';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { Clock } from './clock.ts';
import { failureIn } from './failures.ts';
import { MOST_MAIL_BYTES } from './support-mail.ts';

/** Marks a mail that is recorded. A server without such marks gets `\Seen`, which a person who reads the mail sets, too. */
const TAKEN = '$LeadgerTaken';
const SEEN = '\\Seen';

/**
 * Older mails stay in the mailbox: a store that reads a mailbox for the first time does not answer its past. What came after a
 * mail that is marked is not past: the program was off for long.
 */
const DAYS_BACK = 7;

const LOOK_AGAIN_MILLISECONDS = 60_000;
const FIRST_WAIT_MILLISECONDS = 5000;
const LONGEST_WAIT_MILLISECONDS = 300_000;

/** What reading it is called beside the other calls to the outside. */
export const READ_MAILBOX = 'read-mailbox';

/** One look for new mails, or a failed connection. */
export interface Look {
  /** Milliseconds since 1970 by the clock of the machine, as of an activity. */
  readonly startedAt: number;
  readonly taken: number;
  /** Mails that could not be recorded. */
  readonly waiting: number;
  /** In a code of ours. Absent: it worked, and nothing waits. */
  readonly failure?: string;
}

/** What of it does not work now. */
export interface MailboxStatus {
  /** Mails that could not be recorded, or the mailbox itself, as one. */
  readonly failing: number;
  readonly failingSince?: Instant;
  /** In a code of ours. */
  readonly lastError?: string;
}

export interface Mailbox {
  status(): MailboxStatus;
  /** Takes each mail that comes, and tells each look, until it is stopped. A server that is away is called again, at growing times. */
  run(take: (raw: Uint8Array) => Promise<void>, tellLook?: (look: Look) => void): Promise<void>;
  stop(): Promise<void>;
}

interface MailboxOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly tell: (line: string) => void;
}

type Take = (raw: Uint8Array) => Promise<void>;

/**
 * The inbox of support. A mail is marked after it was taken: after a crash between the two it is taken again, and so it is by
 * two programs at the same time. Who takes it must know it again.
 * @param tell of what failed, in one line without addresses
 * @param url `imaps://user:password@host`, or `imap:` with STARTTLS where the server offers it
 */
export function imapMailbox({ url, clock, tell }: MailboxOptions): Mailbox {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running = Promise.resolve();
  let status: MailboxStatus = { failing: 0 };
  const fail = (failing: number, lastError: string) => {
    status = { failing, lastError, failingSince: status.failingSince ?? clock.now() };
  };
  const noteLook = ({ waiting, failure }: Look) => {
    if (failure === undefined) status = { failing: 0 };
    else fail(Math.max(waiting, 1), failure);
  };
  const runUntilStopped = async (take: Take, tellLook: (look: Look) => void): Promise<void> => {
    let waitMilliseconds = FIRST_WAIT_MILLISECONDS;
    let startedAt = activityTime();
    const lookEnded = (look: Omit<Look, 'startedAt'>) => {
      noteLook({ startedAt, ...look });
      tellLook({ startedAt, ...look });
    };
    const lookBegan = () => {
      startedAt = activityTime();
    };
    const since = () => new Date(addDays(clock.now(), -DAYS_BACK));
    const takeOne: Take = (raw) =>
      take(raw).catch((error) => {
        const code = error instanceof LeadgerError ? error.code : failureIn(error);
        tell(`a mail to support waits: ${code}`);
        throw new Waits(code);
      });
    const noteConnected = () => {
      waitMilliseconds = FIRST_WAIT_MILLISECONDS;
    };
    while (!signal.aborted) {
      lookBegan();
      const session = follow({ url, signal, since, take: takeOne, noteConnected, lookBegan, lookEnded });
      await session.catch((error) => {
        if (signal.aborted) return;
        lookEnded({ taken: 0, waiting: 0, failure: `the mailbox: ${failureIn(error)}` });
        tell(`the mailbox of support: ${failureIn(error)}`);
      });
      await wait(waitMilliseconds, undefined, { signal }).catch(() => {});
      waitMilliseconds = Math.min(2 * waitMilliseconds, LONGEST_WAIT_MILLISECONDS);
    }
  };
  return {
    status: () => status,
    run(take, tellLook = () => {}) {
      running = runUntilStopped(take, tellLook);
      return running;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** The mail could not be recorded now. */
class Waits extends Error {}

interface Session {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly since: () => Date;
  readonly take: Take;
  readonly noteConnected: () => void;
  readonly lookBegan: () => void;
  readonly lookEnded: (look: Omit<Look, 'startedAt'>) => void;
}

/** One connection, as long as it lasts. */
async function follow(session: Session): Promise<void> {
  const { url, signal, noteConnected, lookBegan, lookEnded } = session;
  const client = await clientOf(url);
  const over = Promise.withResolvers<void>();
  over.promise.catch(() => {});
  let news = Promise.withResolvers<void>();
  client.on('error', over.reject);
  client.on('close', () => over.reject(new Error('the mail server ended the connection')));
  client.on('exists', () => news.resolve());
  const stop = () => over.resolve();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([client.connect(), over.promise]);
    const { permanentFlags } = await client.mailboxOpen('INBOX');
    const mark = permanentFlags?.has('\\*') || permanentFlags?.has(TAKEN) ? TAKEN : SEEN;
    noteConnected();
    while (!signal.aborted) {
      news = Promise.withResolvers();
      lookBegan();
      lookEnded(await takeAll(client, mark, session));
      lookBegan();
      await Promise.race([news.promise, over.promise, wait(LOOK_AGAIN_MILLISECONDS, undefined, { ref: false })]);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    client.close();
  }
}

const TIMEOUTS = { connectionTimeout: 60_000, greetingTimeout: 60_000, socketTimeout: 300_000 };

/** The package is loaded only where a mailbox is read. */
async function clientOf(url: string): Promise<ImapFlow> {
  const { protocol, hostname, port, username, password } = new URL(url);
  const { ImapFlow: Client } = await import('imapflow');
  const secure = protocol === 'imaps:';
  return new Client({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? 993 : 143),
    secure,
    auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    logger: false,
    autoIdleDelay: 1000,
    ...TIMEOUTS,
  });
}

/** The uid of the oldest mail that was taken. Uids grow in the order in which mails come. */
async function firstMarked(client: ImapFlow): Promise<number | undefined> {
  const marked = await client.search({ keyword: TAKEN }, { uid: true });
  return (marked || [])[0];
}

/** One mail that cannot be taken now does not keep back the others. It is tried again with the next look. */
async function takeAll(
  client: ImapFlow,
  mark: string,
  { signal, since, take }: Session,
): Promise<Omit<Look, 'startedAt'>> {
  const waiting: string[] = [];
  let taken = 0;
  const isNew = mark === TAKEN ? { unKeyword: TAKEN } : { seen: false };
  const firstTaken = mark === TAKEN ? await firstMarked(client) : undefined;
  const recent = { since: since() };
  const inTime = { or: [recent, ...(firstTaken === undefined ? [] : [{ uid: `${firstTaken}:*` }])] };
  const found = await client.search({ ...isNew, deleted: false, ...inTime }, { uid: true });
  for (const uid of found || []) {
    if (signal.aborted) break;
    const mail = await client.fetchOne(String(uid), { source: { maxLength: MOST_MAIL_BYTES + 1 } }, { uid: true });
    if (mail === false || mail.source === undefined) continue;
    try {
      await take(mail.source);
    } catch (error) {
      if (!(error instanceof Waits)) throw error;
      waiting.push(error.message);
      continue;
    }
    await client.messageFlagsAdd(String(uid), [mark], { uid: true });
    taken += 1;
  }
  const [why] = waiting;
  return { taken, waiting: waiting.length, ...(why && { failure: `a mail cannot be recorded: ${why}` }) };
}
