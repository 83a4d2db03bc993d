import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { SendMailOptions, Transporter } from 'nodemailer';
import type { Instant } from '#domain/kernel/events';
import { type MailAnswer, mailAnswerIn } from '#domain/notifications/outcomes';
import { isAboutMail } from './mail-answers.ts';
import { notSent, type SmtpError } from './mail-failures.ts';

/** A mail as it leaves the store. */
export interface Message {
  /** Always the same for the same mail, so that a recipient recognises a duplicate. */
  readonly messageId: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly date: Date;
  readonly attachments?: readonly Attachment[];
  /** A person wrote what it says: automatic answers to it (RFC 3834) are nothing to prevent. */
  readonly isByPerson?: boolean;
  /** Of an answer to a mail: the ids of the mails before it, and where replies go. */
  readonly thread?: readonly string[];
  /** The subject of that thread, from which mail programs know it. It is somebody's words, so `subject` is recorded. */
  readonly threadSubject?: string;
  readonly replyTo?: string;
  /** Where one click ends mails of this kind (RFC 8058); absent where they cannot be switched off. */
  readonly unsubscribeLink?: string;
}

export interface Attachment {
  readonly filename: string;
  readonly contentType: string;
  readonly content: Buffer;
}

type MailResult = { readonly accepted: true } | { readonly accepted: false; readonly answer: MailAnswer };

export interface MailGateway {
  /** Rejects when the mail was not sent, or the result is not known: send it again later. */
  send(message: Message): Promise<MailResult>;
  /** The mail as it was sent (RFC 5322), if this gateway keeps copies. */
  copyOf?(messageId: string): Promise<string | undefined>;
  /** Deletes the copy, if there is one. */
  forget?(messageId: string): Promise<void>;
  /** Deletes the copies of all mails with an older date. */
  forgetBefore?(instant: Instant): Promise<void>;
  close(): void;
}

const optionsOf = ({
  messageId,
  from,
  to,
  subject,
  text,
  html,
  date,
  attachments = [],
  thread,
  threadSubject,
  replyTo,
  unsubscribeLink,
  isByPerson = false,
}: Message): SendMailOptions => ({
  messageId: `<${messageId}>`,
  from,
  // An object, because a string could be read as a list of several addresses.
  to: { name: '', address: to },
  subject: threadSubject ?? subject,
  text,
  html,
  date,
  ...(attachments.length > 0 && { attachments: [...attachments] }),
  ...(thread && { inReplyTo: `<${thread.at(-1)}>`, references: thread.map((id) => `<${id}>`) }),
  ...(replyTo !== undefined && { replyTo: { name: '', address: replyTo } }),
  // Prevents automatic answers to this mail (RFC 3834).
  headers: {
    ...(!isByPerson && { 'Auto-Submitted': 'auto-generated' }),
    ...(unsubscribeLink && oneClick(unsubscribeLink)),
  },
  disableFileAccess: true,
  disableUrlAccess: true,
});

/** Mail programs send one click only over HTTPS (RFC 8058); others show the link. */
const oneClick = (link: string): Record<string, string> => ({
  'List-Unsubscribe': `<${link}>`,
  ...(link.startsWith('https:') && { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
});

/** Nodemailer is loaded with the first mail: a program starts sooner without it. */
const makeTransport = async (options: object): Promise<Transporter> =>
  (await import('nodemailer')).createTransport(options);

const PERMANENT_FAILURE = 500;

interface MailServer {
  readonly url: string;
  /** For servers that send for one address only. Default: the address of each store. */
  readonly from?: string | undefined;
  /** The longest wait for each answer. Default: ten minutes, because a server may need them for a mail that it takes (RFC 5321, 4.5.3.2). */
  readonly secondsToAnswer?: number;
}

/** A server that is asked for more than this at once would refuse, or be slow for others. */
export const MOST_MAILS_AT_ONCE = 5;
const SECONDS_TO_CONNECT = 120;
const SECONDS_TO_GREET = 300;
const SECONDS_TO_ANSWER = 600;
/** A server that answers byte by byte is not waited for without end. */
const MOST_ANSWERS_OF_A_MAIL = 3;

/** Connections are kept for the next mails, but not for so long that the server closes them. */
const poolOf = (url: string, secondsToAnswer: number) => ({
  url,
  pool: true,
  maxConnections: MOST_MAILS_AT_ONCE,
  idleTimeout: 30_000,
  // Only for a mail of which no byte was sent over a connection that the server had closed.
  maxRequeues: 1,
  connectionTimeout: Math.min(secondsToAnswer, SECONDS_TO_CONNECT) * 1000,
  greetingTimeout: Math.min(secondsToAnswer, SECONDS_TO_GREET) * 1000,
  socketTimeout: secondsToAnswer * 1000,
});

/** Sends over a mail server: `smtps://user:password@host` or `smtp://host:port`. A permanent refusal by the server is a result. */
export function smtpMail({ url, from, secondsToAnswer = SECONDS_TO_ANSWER }: MailServer): MailGateway {
  let transport: Promise<Transporter> | undefined;
  return {
    async send(message) {
      const sender = from === undefined ? message.from : { ...message.from, address: from };
      const watched = { reading: undefined };
      try {
        transport ??= makeTransport(poolOf(url, secondsToAnswer)).then(watchReading);
        const signal = AbortSignal.timeout(MOST_ANSWERS_OF_A_MAIL * secondsToAnswer * 1000);
        const options = { ...optionsOf({ ...message, from: sender }), watched, signal };
        await (await transport).sendMail(options);
        return { accepted: true };
      } catch (error) {
        if (isRefused(error as SmtpError)) return { accepted: false, answer: answerOf(error as SmtpError) };
        throw notSent(error as SmtpError, watched.reading);
      }
    },
    close() {
      // Without `force`, a server that says nothing would keep the program from ending.
      void transport?.then((opened) => opened.close({ force: true }));
      transport = undefined;
    },
  };
}

/** Tells of a mail how far the server read it. */
function watchReading(transport: Transporter): Transporter {
  transport.use('stream', ({ data, message }, done) => {
    const { watched } = data as { watched?: { reading: Readable | undefined } };
    const read = message.createReadStream.bind(message);
    message.createReadStream = (...options) => {
      const stream = read(...options);
      if (watched) watched.reading = stream;
      return stream;
    };
    done();
  });
  return transport;
}

/** The server will never accept this mail. A 5xx about the store (its account, its name, a rule) is a mistake that can be corrected. */
const isRefused = (error: SmtpError): boolean => (error.responseCode ?? 0) >= PERMANENT_FAILURE && isAboutMail(error);

/** Without the server's text: it repeats the address. */
const answerOf = ({ response, responseCode, message }: SmtpError): MailAnswer => ({
  ...mailAnswerIn(response ?? message),
  ...(responseCode !== undefined && { status: responseCode }),
});

const fileNameOf = (messageId: string) => `${messageId.replace(/@.*$/, '').replace(/[^\w-]/g, '_')}.eml`;

/** For a machine without a mail server: each mail is a file that any mail program can open. */
export function mailFiles(directory: string): MailGateway {
  let composer: Promise<Transporter> | undefined;
  const pathOf = (messageId: string) => join(directory, fileNameOf(messageId));
  return {
    async send(message) {
      composer ??= makeTransport({ streamTransport: true, buffer: true, newline: 'windows' });
      const { message: written } = await (await composer).sendMail(optionsOf(message));
      await mkdir(directory, { recursive: true });
      await writeDurably(pathOf(message.messageId), written as Buffer);
      return { accepted: true };
    },
    async copyOf(messageId) {
      return readFile(pathOf(messageId), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
    },
    async forget(messageId) {
      await rm(pathOf(messageId), { force: true });
      await rm(`${pathOf(messageId)}.part`, { force: true });
    },
    async forgetBefore(instant) {
      for (const name of await namesIn(directory)) {
        if (!COPY.test(name)) continue;
        const date = await dateOf(join(directory, name));
        if (date !== undefined && date < Date.parse(instant)) await rm(join(directory, name), { force: true });
      }
    },
    close: () => {},
  };
}

const COPY = /\.eml(\.part)?$/;

const namesIn = (directory: string): Promise<string[]> =>
  readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

const BYTES_OF_HEADER = 4096;

/**
 * When a mail was written, as its own header says: a restored file has another time. A crash may leave a part without a header:
 * that one has the time of the file.
 * @returns undefined when the file is gone
 */
async function dateOf(path: string): Promise<number | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(BYTES_OF_HEADER) });
    const written = /^Date: (.+)$/im.exec(buffer.toString('latin1', 0, bytesRead))?.[1];
    const date = Date.parse(written ?? '');
    return Number.isNaN(date) ? (await file.stat()).mtimeMs : date;
  } finally {
    await file.close();
  }
}

/** Atomic: a crash leaves no half of a file. */
async function writeDurably(path: string, content: Buffer): Promise<void> {
  await writeFile(`${path}.part`, content, { flush: true });
  await rename(`${path}.part`, path);
}

/** Keeps mails in memory, for programs that look at them. */
export function mailInMemory(): MailGateway & { readonly sent: readonly Message[] } {
  const sent: Message[] = [];
  return {
    sent,
    async send(message) {
      sent.push(message);
      return { accepted: true };
    },
    close: () => {},
  };
}
