import { customerStream, isRegistered } from '#domain/accounts/customer';
import { catalogueStream, type Store } from '#domain/catalogue/catalogue';
import { deriveId } from '#domain/kernel/ids';
import { mailDomainOf } from '#domain/kernel/web-address';
import type { CommandOf } from '#domain/ledger';
import { mailStream } from '#domain/notifications/mail';
import { ticketStream } from '#domain/support/ticket';
import type { SupportLetter, SupportMail } from '#gateways/support-mail';
import { PersonErased } from '#vault/vault';
import { addressKeyOf, seal } from './account-seals.ts';
import { holderOf, isErased } from './address-claim.ts';
import { customerErased } from './erased-customers.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { answerPolicy } from './support.ts';

/** What became of a mail. The sender is told nothing of it: an answer would tell who is a customer, and begin loops. */
export type LetterTaken =
  | { readonly ticketId: string; readonly opened: boolean }
  | { readonly setAside: 'no-store' | 'own-mail' | 'erased' | 'ticket-full' };

/** Mails come from everywhere: what one says is recorded by the store itself. */
const mailbox = {
  caller: {
    kind: 'program',
    actor: 'system:mailbox',
    roles: ['process'],
    stores: 'all',
    authenticated: 'process',
  },
} as const satisfies Partial<RequestContext>;

interface Writer {
  /** Of the account with this address, else an id that is made from the address. */
  readonly customerId: string;
  readonly isCustomer: boolean;
  readonly storeId: string;
  /** All ids under which somebody with this address has written. */
  readonly ids: readonly string[];
}

/**
 * Makes a ticket of a mail, or a message of the ticket that it answers (SUP-3). A mail that is taken again, also at the same
 * time by another program, has the same command and the same ticket, and changes nothing.
 */
export async function takeLetter(
  tools: RequestTools,
  letter: SupportLetter,
  supportMail: SupportMail,
): Promise<LetterTaken> {
  const stores = [...(await tools.stateOf<'catalogue'>(catalogueStream)).stores];
  const domains = stores.map(([, { webAddress }]) => mailDomainOf(webAddress));
  if (isOwn(letter.from, domains, supportMail)) return { setAside: 'own-mail' };
  const storeId = storeOf(letter, stores, supportMail);
  if (storeId === undefined) return { setAside: 'no-store' };
  const writer = await writerOf(tools, letter.from, storeId);
  const commandId = deriveId('letter', tools.vault.personKey('letter', `${letter.from} ${letter.messageId}`));
  const context: RequestContext = { ...mailbox, commandId };
  try {
    return await record(tools, letter, writer, context);
  } catch (error) {
    if (error instanceof PersonErased) return { setAside: 'erased' };
    throw error;
  }
}

async function record(
  tools: RequestTools,
  letter: SupportLetter,
  writer: Writer,
  context: RequestContext,
): Promise<LetterTaken> {
  const known = await ticketOf(tools, letter, writer);
  if (known !== undefined) {
    const { ticketId, customerId } = known;
    const sent = await tools.send(ticketId, ticketStream(ticketId), await added(tools, letter, customerId), context);
    if (!isRefused(sent, 'ticket-closed')) return taken(sent, false);
  }
  const ticketId = deriveId('ticket', context.commandId);
  const sent = await tools.send(ticketId, ticketStream(ticketId), await opening(tools, letter, writer), context);
  return taken(sent, true);
}

const isRefused = ({ outcome }: Receipt, code: string): boolean =>
  outcome.kind === 'refused' && outcome.refusal.code === code;

/** @throws Error when another refusal, of a store that is not set up, may be another one tomorrow: the mail waits */
function taken(sent: Receipt, opened: boolean): LetterTaken {
  if (sent.outcome.kind === 'accepted') return { ticketId: sent.id, opened };
  if (isRefused(sent, 'ticket-full')) return { setAside: 'ticket-full' };
  if (isRefused(sent, customerErased.code)) return { setAside: 'erased' };
  throw new Error(`a mail to support was answered ${sent.outcome.kind}`);
}

type TicketCommand = CommandOf<'ticket'>;

async function added(tools: RequestTools, letter: SupportLetter, customerId: string) {
  const promised = await answerPolicy(tools, tools.now());
  if ('refused' in promised) return promised;
  const message = await seal(tools.vault, customerId, 'message', letter.text);
  const command: TicketCommand = {
    ...{ type: 'WriteAgain', at: tools.now(), message },
    ...{ letter: await threadOf(tools, letter, customerId), answerPolicy: promised },
  };
  return command;
}

async function opening(tools: RequestTools, letter: SupportLetter, { customerId, storeId, isCustomer }: Writer) {
  const promised = await answerPolicy(tools, tools.now());
  if ('refused' in promised) return promised;
  const command: TicketCommand = {
    ...{ type: 'OpenTicket', at: tools.now(), customerId, storeId },
    subject: await seal(tools.vault, customerId, 'subject', letter.subject),
    message: await seal(tools.vault, customerId, 'message', letter.text),
    ...(!isCustomer && { answerTo: await seal(tools.vault, customerId, 'email', letter.from) }),
    ...{ letter: await threadOf(tools, letter, customerId), answerPolicy: promised },
  };
  return command;
}

const threadOf = async (
  { vault }: RequestTools,
  { references, messageId, subject, files }: SupportLetter,
  customerId: string,
) => ({
  thread: await seal(vault, customerId, 'message-ids', [...new Set([...references, messageId])]),
  subject: await seal(vault, customerId, 'subject', subject),
  attachmentsRefused: files,
});

/** Our own mails come back where a mailbox forwards to itself: they would be answered for ever. */
const isOwn = (from: string, domains: readonly string[], supportMail: SupportMail): boolean =>
  domains.some((domain) =>
    [supportMail.addressOf(domain), `no-reply@${domain}`].includes(from.toLowerCase().replace(/\+[^@]*@/, '@')),
  );

/** The store that was written to. Where there is one only, an alias may have brought the mail here. */
function storeOf(
  { to }: SupportLetter,
  stores: readonly (readonly [string, Store])[],
  supportMail: SupportMail,
): string | undefined {
  const written = to.map((address) => address.toLowerCase().replace(/\+[^@]*@/, '@'));
  const found = stores.find(([, { webAddress }]) =>
    written.includes(supportMail.addressOf(mailDomainOf(webAddress)).toLowerCase()),
  );
  return found?.[0] ?? (stores.length === 1 ? stores[0]?.[0] : undefined);
}

/** A customer of another store is unknown in this one. */
async function writerOf(tools: RequestTools, from: string, storeId: string): Promise<Writer> {
  const unknown = deriveId('unknown-writer', addressKeyOf(tools.vault, from));
  const holder = await holderOf(tools, from);
  const ids = [unknown, ...(holder === undefined ? [] : [holder])];
  if (holder !== undefined && !(await isErased(tools, holder))) {
    const customer = await tools.stateOf<'customer'>(customerStream(holder));
    if (isRegistered(customer) && customer.storeId === storeId)
      return { customerId: holder, isCustomer: true, storeId, ids };
  }
  return { customerId: unknown, isCustomer: false, storeId, ids };
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** The ticket that a mail names, if its writer wrote that one, too: who knows the id of a ticket of others opens a new one. */
async function ticketOf(tools: RequestTools, letter: SupportLetter, writer: Writer) {
  for (const ticketId of await ticketsNamed(tools, letter)) {
    const { status, customerId } = await tools.stateOf<'ticket'>(ticketStream(ticketId));
    if (status !== 'unknown' && writer.ids.includes(customerId)) return { ticketId, customerId };
  }
  return undefined;
}

/** By the address, the subject, and the ids of our mails before it. */
async function ticketsNamed(tools: RequestTools, { to, subject, references }: SupportLetter): Promise<Set<string>> {
  const found = new Set<string>();
  const note = (text: string, pattern: RegExp) => {
    const ticketId = pattern.exec(text)?.[1]?.toLowerCase();
    if (ticketId !== undefined) found.add(ticketId);
  };
  for (const address of to.slice(0, 50)) note(address, new RegExp(`\\+(${UUID})@`, 'i'));
  note(subject, new RegExp(`\\b(${UUID})\\b`, 'i'));
  for (const reference of references) {
    const mailId = new RegExp(`^(${UUID})@`, 'i').exec(reference)?.[1]?.toLowerCase();
    const ticketId = mailId && (await tools.stateOf<'mail'>(mailStream(mailId))).wish?.facts.ticketId;
    if (ticketId) found.add(ticketId);
  }
  return found;
}
