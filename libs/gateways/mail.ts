import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SendMailOptions, Transporter } from 'nodemailer';
import type { Instant } from '#domain/kernel/events';
import { type MailAnswer, mailAnswerIn } from '#domain/notifications/outcomes';

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
  /** Rejects when the result is not known: send the mail again. */
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
  unsubscribeLink,
}: Message): SendMailOptions => ({
  messageId: `<${messageId}>`,
  from,
  // An object, because a string could be read as a list of several addresses.
  to: { name: '', address: to },
  subject,
  text,
  html,
  date,
  ...(attachments.length > 0 && { attachments: [...attachments] }),
  // Prevents automatic answers to this mail (RFC 3834).
  headers: { 'Auto-Submitted': 'auto-generated', ...(unsubscribeLink && oneClick(unsubscribeLink)) },
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

type SmtpError = Error & { code?: string; command?: string; response?: string; responseCode?: number };

const PERMANENT_FAILURE = 500;
const TIMEOUTS = { connectionTimeout: 120_000, greetingTimeout: 120_000, socketTimeout: 120_000 };

/**
 * Sends over a mail server: `smtps://user:password@host` or `smtp://host:port`. A permanent refusal by the server is a
 * result. `from` is for servers that send for one address only; default: the address of each store.
 */
export function smtpMail({ url, from }: { url: string; from?: string | undefined }): MailGateway {
  let transport: Promise<Transporter> | undefined;
  return {
    async send(message) {
      try {
        const sender = from === undefined ? message.from : { ...message.from, address: from };
        transport ??= makeTransport({ url, ...TIMEOUTS });
        await (await transport).sendMail(optionsOf({ ...message, from: sender }));
        return { accepted: true };
      } catch (error) {
        if (isRefused(error as SmtpError)) return { accepted: false, answer: answerOf(error as SmtpError) };
        throw error;
      }
    },
    close: () => void transport?.then((opened) => opened.close()),
  };
}

/** The server will never accept this mail. A 5xx about the sender or the account is a mistake that can be corrected. */
function isRefused({ code, command, responseCode = 0 }: SmtpError): boolean {
  const isAboutThisMail = code === 'EMESSAGE' || command === 'RCPT TO';
  return isAboutThisMail && responseCode >= PERMANENT_FAILURE;
}

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
