import { setTimeout as wait } from 'node:timers/promises';
import type { ImapFlow } from 'imapflow';
import { addDays } from '#domain/kernel/instants';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { Clock } from './clock.ts';
import { failureIn } from './failures.ts';
import { MOST_MAIL_BYTES } from './support-mail.ts';

/** Marks a mail that is recorded. A server without such marks gets `\Seen`, which a person who reads the mail sets, too. */
const TAKEN = '$LeadgerTaken';
const SEEN = '\\Seen';

/** Older mails stay in the mailbox: a store that reads a mailbox for the first time does not answer its past. */
const DAYS_BACK = 7;

const LOOK_AGAIN_MILLISECONDS = 60_000;
const FIRST_WAIT_MILLISECONDS = 5000;
const LONGEST_WAIT_MILLISECONDS = 300_000;

export interface Mailbox {
  /** Takes each mail that comes, until it is stopped. A server that is away is called again, at growing times. */
  run(take: (raw: Uint8Array) => Promise<void>): Promise<void>;
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
  const runUntilStopped = async (take: Take): Promise<void> => {
    let waitMilliseconds = FIRST_WAIT_MILLISECONDS;
    const since = () => new Date(addDays(clock.now(), -DAYS_BACK));
    const takeOne: Take = (raw) =>
      take(raw).catch((error) => {
        tell(`a mail to support waits: ${error instanceof LeadgerError ? error.code : failureIn(error)}`);
        throw new Waits();
      });
    const noteConnected = () => {
      waitMilliseconds = FIRST_WAIT_MILLISECONDS;
    };
    while (!signal.aborted) {
      const session = follow({ url, signal, since, take: takeOne, noteConnected });
      await session.catch((error) => !signal.aborted && tell(`the mailbox of support: ${failureIn(error)}`));
      await wait(waitMilliseconds, undefined, { signal }).catch(() => {});
      waitMilliseconds = Math.min(2 * waitMilliseconds, LONGEST_WAIT_MILLISECONDS);
    }
  };
  return {
    run(take) {
      running = runUntilStopped(take);
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
}

/** One connection, as long as it lasts. */
async function follow(session: Session): Promise<void> {
  const { url, signal, noteConnected } = session;
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
      await takeAll(client, mark, session);
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

/** One mail that cannot be taken now does not keep back the others. It is tried again with the next look. */
async function takeAll(client: ImapFlow, mark: string, { signal, since, take }: Session): Promise<void> {
  const isNew = mark === TAKEN ? { unKeyword: TAKEN } : { seen: false };
  const found = await client.search({ ...isNew, deleted: false, since: since() }, { uid: true });
  for (const uid of found || []) {
    if (signal.aborted) return;
    const mail = await client.fetchOne(String(uid), { source: { maxLength: MOST_MAIL_BYTES + 1 } }, { uid: true });
    if (mail === false || mail.source === undefined) continue;
    try {
      await take(mail.source);
    } catch (error) {
      if (error instanceof Waits) continue;
      throw error;
    }
    await client.messageFlagsAdd(String(uid), [mark], { uid: true });
  }
}
