import { catalogueStream, type Store } from '#domain/catalogue/catalogue';
import { refuse } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { mailDomainOf } from '#domain/kernel/web-address';
import type { CommandOf } from '#domain/ledger';
import { mailStream } from '#domain/notifications/mail';
import { policyAt, policyStream, ticketsByMailADayOf } from '#domain/policy/policy';
import { lettersStream, tooMany } from '#domain/support/letters';
import { type AsideReason, ticketStream } from '#domain/support/ticket';
import type { SupportLetter, SupportMail } from '#gateways/support-mail';
import { PersonErased } from '#vault/vault';
import { seal } from './account-seals.ts';
import { customerErased } from './erased-customers.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { answerPolicy } from './support.ts';
import { type Writer, writerOf } from './writers.ts';

/** What became of a mail. The sender is told nothing of it: an answer would tell who is a customer, and begin loops. */
export interface LetterTaken {
  readonly ticketId: string;
  readonly result: 'opened' | 'added' | 'repeated' | AsideReason;
}

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

/** A person may be erased while a mail of theirs is taken. */
const MOST_TRIES = 3;

/**
 * Makes a ticket of a mail, or a message of the ticket that it answers, or sets it aside (SUP-3). A mail that is taken again,
 * also at the same time by another program, has the same command and the same ticket, and changes nothing.
 * @throws NoStoreYet, and other errors when it cannot be recorded now: the mail waits
 */
export async function takeLetter(
  tools: RequestTools,
  letter: SupportLetter,
  supportMail: SupportMail,
  tries = MOST_TRIES,
): Promise<LetterTaken> {
  const context = contextOf(tools, letter);
  const ticketId = deriveId('ticket', context.commandId);
  const { status } = await tools.stateOf<'ticket'>(ticketStream(ticketId));
  if (status !== 'unknown') return { ticketId, result: 'repeated' };
  const { storeId, reason } = await placeOf(tools, letter, supportMail);
  const writer = await writerOf(tools, letter.from ?? context.commandId, storeId);
  const taking: Taking = { letter, writer, context, ticketId };
  try {
    return await (reason ? setAside(tools, taking, reason) : record(tools, taking));
  } catch (error) {
    if (!(error instanceof PersonErased) || tries <= 1) throw error;
    return takeLetter(tools, letter, supportMail, tries - 1);
  }
}

interface Taking {
  readonly letter: SupportLetter;
  readonly writer: Writer;
  readonly context: RequestContext;
  /** Of the ticket that it opens, unless it belongs to another one. */
  readonly ticketId: string;
}

/** Some programs give all their mails one id: what a mail says is part of what it is known by. */
function contextOf({ vault }: RequestTools, { from = '', messageId, subject, text }: SupportLetter): RequestContext {
  const what = vault.personKey('letter', [from, messageId, subject, text].join('\n'));
  return { ...mailbox, commandId: deriveId('letter', what), requestHash: what };
}

export class NoStoreYet extends LeadgerError {
  constructor() {
    super('no-store-yet', 'mails to support are taken once there is a store');
  }
}

/** Which store it came to, and why it is no ticket there. What belongs to no store waits at the first one. */
async function placeOf(tools: RequestTools, letter: SupportLetter, supportMail: SupportMail) {
  const stores = [...(await tools.stateOf<'catalogue'>(catalogueStream)).stores];
  const first = stores[0]?.[0];
  if (first === undefined) throw new NoStoreYet();
  const storeId = storeOf(letter, stores, supportMail);
  const isOurs = (await isOwn(tools, letter, stores, supportMail)) ? 'own-mail' : undefined;
  return { storeId: storeId ?? first, reason: isOurs ?? letter.setAside ?? (storeId ? undefined : 'no-store') };
}

async function record(tools: RequestTools, taking: Taking): Promise<LetterTaken> {
  const { letter, writer, context, ticketId } = taking;
  const named = await ticketsNamed(tools, letter);
  const known = await ticketOf(tools, named, writer);
  if (known === undefined) {
    for (const other of named) if (await hasMail(tools, other, context)) return { ticketId: other, result: 'repeated' };
  } else {
    const command = await added(tools, letter, known.customerId);
    const sent = await tools.send(known.ticketId, ticketStream(known.ticketId), command, context);
    if (isRefused(sent, 'ticket-full')) return setAside(tools, taking, 'ticket-full');
    if (!isRefused(sent, 'ticket-closed')) return taken(sent, 'added');
  }
  if (!(await isAdmitted(tools, taking))) return setAside(tools, taking, 'too-many');
  const command = await opening(tools, letter, writer);
  return taken(await tools.send(ticketId, ticketStream(ticketId), command, context), 'opened');
}

/** The loop of two machines ends here, or a flood: each address opens only so many tickets a day. */
async function isAdmitted(tools: RequestTools, { writer, ticketId, context }: Taking): Promise<boolean> {
  const { customerId } = writer;
  const at = tools.now();
  const policy = policyAt(await tools.stateOf<'policy'>(policyStream), at)?.policy;
  const command = {
    type: 'AdmitLetter',
    at,
    customerId,
    ticketId,
    mostADay: ticketsByMailADayOf(policy ?? {}),
  } as const;
  const { requestHash: _, ...unremembered } = context;
  const sent = await tools.send(customerId, lettersStream(customerId), command, unremembered);
  if (isRefused(sent, tooMany.code)) return false;
  taken(sent, 'opened');
  return true;
}

async function setAside(tools: RequestTools, taking: Taking, reason: AsideReason): Promise<LetterTaken> {
  const { letter, writer, context, ticketId } = taking;
  const command: TicketCommand = {
    ...{ type: 'SetLetterAside', at: tools.now(), reason },
    ...(await sealedLetter(tools, letter, writer)),
    ...(letter.from === undefined && { noAddress: true }),
  };
  return taken(await tools.send(ticketId, ticketStream(ticketId), command, context), reason);
}

const isRefused = ({ outcome }: Receipt, code: string): boolean =>
  outcome.kind === 'refused' && outcome.refusal.code === code;

/** @throws when another refusal, of a store that is not set up, may be another one tomorrow: the mail waits */
function taken({ id: ticketId, outcome }: Receipt, result: LetterTaken['result']): LetterTaken {
  if (outcome.kind === 'accepted') return { ticketId, result: outcome.repeated ? 'repeated' : result };
  if (outcome.kind === 'refused' && outcome.refusal.code === customerErased.code) throw new PersonErased(ticketId);
  throw new Error(`a mail to support was answered ${outcome.kind}`);
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

async function opening(tools: RequestTools, letter: SupportLetter, writer: Writer) {
  const promised = await answerPolicy(tools, tools.now());
  if ('refused' in promised) return promised;
  const command: TicketCommand = {
    ...{ type: 'OpenTicket', at: tools.now() },
    ...{ ...(await sealedLetter(tools, letter, writer)), answerPolicy: promised },
  };
  return command;
}

const sealedLetter = async (
  tools: RequestTools,
  letter: SupportLetter,
  { customerId, storeId, isCustomer }: Writer,
) => ({
  ...{ customerId, storeId },
  subject: await seal(tools.vault, customerId, 'subject', letter.subject),
  message: await seal(tools.vault, customerId, 'message', letter.text),
  ...(!isCustomer && letter.from && { answerTo: await seal(tools.vault, customerId, 'email', letter.from) }),
  letter: await threadOf(tools, letter, customerId),
});

const threadOf = async (
  { vault }: RequestTools,
  { references, messageId, subject, files }: SupportLetter,
  customerId: string,
) => ({
  thread: await seal(vault, customerId, 'message-ids', [...new Set([...references, messageId])]),
  subject: await seal(vault, customerId, 'subject', subject),
  attachmentsRefused: files,
});

type Stores = readonly (readonly [string, Store])[];

/** Our own mails come back where a mailbox forwards to itself, also under another name: they would be answered for ever. */
async function isOwn(
  tools: RequestTools,
  { from = '', messageId }: SupportLetter,
  stores: Stores,
  supportMail: SupportMail,
): Promise<boolean> {
  const written = withoutTag(from);
  const domains = stores.map(([, { webAddress }]) => mailDomainOf(webAddress));
  const isOurAddress = domains.some((domain) =>
    [supportMail.addressOf(domain).toLowerCase(), `no-reply@${domain}`].includes(written),
  );
  return isOurAddress || (await mailWithId(tools, messageId)) !== undefined;
}

const withoutTag = (address: string): string => address.toLowerCase().replace(/\+[^@]*@/, '@');

/** The store that was written to. Where there is one only, an alias may have brought the mail here. */
function storeOf({ to }: SupportLetter, stores: Stores, supportMail: SupportMail): string | undefined {
  const written = to.map(withoutTag);
  const found = stores.find(([, { webAddress }]) =>
    written.includes(supportMail.addressOf(mailDomainOf(webAddress)).toLowerCase()),
  );
  return found?.[0] ?? (stores.length === 1 ? stores[0]?.[0] : undefined);
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** The ticket that a mail names, if its writer wrote that one, too: who knows the id of a ticket of others opens a new one. */
async function ticketOf(tools: RequestTools, named: ReadonlySet<string>, { ids }: Writer) {
  for (const ticketId of named) {
    const { status, customerId } = await tools.stateOf<'ticket'>(ticketStream(ticketId));
    if (status !== 'unknown' && status !== 'set-aside' && ids.includes(customerId)) return { ticketId, customerId };
  }
  return undefined;
}

/** Whether a ticket took this mail when it was still its writer's: who was erased since, or has another address, is not asked again. */
async function hasMail(tools: RequestTools, ticketId: string, context: RequestContext): Promise<boolean> {
  const { outcome } = await tools.send(ticketId, ticketStream(ticketId), ofAnother, context);
  return outcome.kind === 'accepted';
}

const ofAnother = refuse('ticket-of-another', 'somebody else wrote the ticket', 'SUP-3');

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
    const ticketId = (await mailWithId(tools, reference))?.facts.ticketId;
    if (typeof ticketId === 'string') found.add(ticketId);
  }
  return found;
}

/** The mail of ours that has a Message-ID. */
async function mailWithId(tools: RequestTools, messageId: string) {
  const mailId = new RegExp(`^(${UUID})@`, 'i').exec(messageId)?.[1]?.toLowerCase();
  return mailId === undefined ? undefined : (await tools.stateOf<'mail'>(mailStream(mailId))).wish;
}
