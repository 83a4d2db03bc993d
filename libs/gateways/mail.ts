import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport, type SendMailOptions } from 'nodemailer';

/** A mail as it leaves the store. */
export interface Message {
  /** Always the same for the same mail: who gets it twice can tell. */
  readonly messageId: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly date: Date;
}

export type MailResult = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

export interface MailGateway {
  /** @returns rejects when it is not known what became of it: send it again */
  send(message: Message): Promise<MailResult>;
  /** The mail as it was sent (RFC 5322), where copies are kept on this machine. */
  copyOf?(messageId: string): Promise<string | undefined>;
  close(): void;
}

const optionsOf = ({ messageId, from, to, subject, text, html, date }: Message): SendMailOptions => ({
  messageId: `<${messageId}>`,
  from,
  // An object, so that nothing in it is taken for a list of several.
  to: { name: '', address: to },
  subject,
  text,
  html,
  date,
  // No loops of machines that answer each other (RFC 3834).
  headers: { 'Auto-Submitted': 'auto-generated' },
  disableFileAccess: true,
  disableUrlAccess: true,
});

type SmtpError = Error & { code?: string; command?: string; responseCode?: number };

const HOPELESS = 500;
const MOST_MINUTES_SILENT = 2;

/**
 * Over a mail server: `smtps://user:password@host` or `smtp://host:port`. What it refuses for good is refused. `from` is
 * for servers that send for one address only; default: each store's own.
 */
export function smtpMail({ url, from }: { url: string; from?: string | undefined }): MailGateway {
  const timeout = MOST_MINUTES_SILENT * 60_000;
  const transport = createTransport({
    url,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
  });
  return {
    async send(message) {
      try {
        const sender = from === undefined ? message.from : { ...message.from, address: from };
        await transport.sendMail(optionsOf({ ...message, from: sender }));
        return { accepted: true };
      } catch (error) {
        const { code, command, responseCode = 0, message: reason } = error as SmtpError;
        // About this mail, and not about who sends it or how: there a 5xx is somebody's mistake that can be mended.
        const isAboutThisMail = code === 'EMESSAGE' || command === 'RCPT TO';
        if (isAboutThisMail && responseCode >= HOPELESS) return { accepted: false, reason };
        throw error;
      }
    },
    close: () => transport.close(),
  };
}

const fileNameOf = (messageId: string) => `${messageId.replace(/@.*$/, '').replace(/[^\w-]/g, '_')}.eml`;

/** For one machine without a mail server: each mail is a file that any mail program opens. */
export function mailFiles(directory: string): MailGateway {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  return {
    async send(message) {
      const { message: written } = await composer.sendMail(optionsOf(message));
      await mkdir(directory, { recursive: true });
      const path = join(directory, fileNameOf(message.messageId));
      const file = await open(`${path}.part`, 'w');
      try {
        await file.writeFile(written as Buffer);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.part`, path);
      return { accepted: true };
    },
    async copyOf(messageId) {
      const file = await open(join(directory, fileNameOf(messageId))).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      try {
        return await file?.readFile('utf8');
      } finally {
        await file?.close();
      }
    },
    close: () => {},
  };
}

/** Keeps what is sent, for who looks at it in the same program. */
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
