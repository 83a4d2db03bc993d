import type { MailKind } from '#domain/notifications/kinds';

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client does, without our types
type Json = any;

/** A store whose mails are kept as files. Its reads reflect all commands so far. */
export interface MailingStore {
  read(path: string): Promise<Json>;
  ask(method: string, path: string, body?: unknown): Promise<Json>;
}

interface Server {
  call(method: string, path: string, body?: unknown): Promise<{ readonly text: string; readonly body: Json }>;
  settle(): Promise<void>;
  position(): Promise<string>;
}

/** The store of a server whose answers are not checked. */
export const mailing = (server: Server): MailingStore => ({
  async read(path) {
    await server.settle();
    return (await server.call('GET', `${path}&waitFor=${await server.position()}`)).body;
  },
  async ask(method, path, body) {
    const reply = await server.call(method, path, body);
    return reply.body ?? reply.text;
  },
});

/** Removes the soft line breaks and escapes of quoted-printable (RFC 2045). */
export const readable = (mail: string): string =>
  mail
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** The newest mail of a kind to a customer, as it was sent. */
export async function copyOfMail(store: MailingStore, customerId: string, kind: MailKind): Promise<string> {
  const { items } = await store.read(`/api/mails?customerId=${customerId}&kind=${kind}`);
  return readable(await store.ask('GET', `/api/mails/${items[0].mailId}/copy`));
}

/** The token of the link in the newest mail of a kind. */
export const tokenInMail = async (store: MailingStore, customerId: string, kind: MailKind): Promise<string> =>
  /\?(?:token|link)=([\w.-]+)/.exec(await copyOfMail(store, customerId, kind))?.[1] ?? '';

/** Opens the link that proves the address of an account (ACC-6), as its owner does. */
export async function proveAddress(store: MailingStore, customerId: string): Promise<void> {
  const token = await tokenInMail(store, customerId, 'address-confirmation');
  await store.ask('POST', `/api/customers/${customerId}/email/confirm`, { token });
}
