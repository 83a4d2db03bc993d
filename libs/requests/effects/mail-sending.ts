import { addressStream } from '#domain/accounts/address';
import { type CustomerState, customerStream, isRegistered } from '#domain/accounts/customer';
import type { PersonName } from '#domain/accounts/personal';
import { type CatalogueState, catalogueStream, type Store, storeAt } from '#domain/catalogue/catalogue';
import { type Instant, isBox } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { DAY_MILLISECONDS } from '#domain/kernel/instants';
import { shownTexts } from '#domain/kernel/text';
import { beginningOfLinks, mailDomainOf } from '#domain/kernel/web-address';
import type { CommandOf } from '#domain/ledger';
import { alwaysSent, awaitedMails, type MailKind, mailsByPersons } from '#domain/notifications/kinds';
import type { Withholding } from '#domain/notifications/mail';
import { nextTry } from '#domain/notifications/mail-retries';
import { type StaffMember, staffStream } from '#domain/staff/staff';
import type { InTurn } from '#event-store/in-turn';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import { failureIn } from '#gateways/failures';
import type { MailGateway, Message } from '#gateways/mail';
import { failedMailIn, MailNotSent } from '#gateways/mail-failures';
import { mailLinks } from '#gateways/mail-links';
import { composeMail } from '#gateways/mail-texts';
import type { SupportMail } from '#gateways/support-mail';
import { type Effect, FailureToRecord, type Untimed } from '#processes/process';
import { forReaders, type Vault } from '#vault/vault';
import { addressKeyOf } from '../account-seals.ts';
import { isErased } from '../address-claim.ts';
import { orderLinkToken } from '../order-links.ts';
import type { StreamCache } from '../stream-cache.ts';
import { unsubscribeToken } from '../unsubscribing.ts';
import { GatewayFailed } from './mail-turns.ts';
import { attachedReceipt } from './receipt-attaching.ts';
import { receiptOf } from './webhook-calling.ts';

type SendMail = Extract<Effect, { kind: 'send-mail' }>;

interface MailDependencies {
  readonly streams: StreamCache;
  readonly events: EventStore;
  readonly vault: Vault;
  readonly mails: MailGateway;
  readonly inTurn: InTurn;
  readonly clock: Clock;
  /** Where customers write to support, by the web address of a store. Absent: this store takes no mails. */
  readonly supportMail?: SupportMail | undefined;
}

/** Older news is not sent: a ledger that is migrated must not mail its customers about its past. */
const DAYS_A_MAIL_IS_NEWS = 7;

type RecordMail = Untimed<CommandOf<'mail'>>;

/** Sends one mail, when its turn has come. @returns what is to be recorded of it. @throws FailureToRecord when it is tried again */
export async function sendMail(effect: SendMail, dependencies: MailDependencies): Promise<RecordMail> {
  try {
    return await dependencies.inTurn(() => sendNow(effect, dependencies), awaitedMails.has(effect.mail.kind));
  } catch (error) {
    if (!(error instanceof GatewayFailed)) throw error;
    return recordOfFailure(effect, error.cause, dependencies.clock.now());
  }
}

async function sendNow(effect: SendMail, dependencies: MailDependencies): Promise<RecordMail> {
  const message = await messageOf(effect, dependencies);
  if (typeof message === 'string') {
    // After a crash a copy may be there although nothing was recorded.
    if (message === 'erased') await dependencies.mails.forget?.(effect.mailId);
    return { type: 'RecordMailWithheld', reason: message };
  }
  const result = await dependencies.mails.send(message).catch((error: unknown) => {
    throw new GatewayFailed(error);
  });
  if (!result.accepted) return { type: 'RecordMailRefused', answer: result.answer };
  if (dependencies.mails.forget) await forgetIfErased(message, effect, dependencies);
  return { type: 'RecordMailSent', messageId: message.messageId, subject: message.subject };
}

/** NTF-4. @throws FailureToRecord unless the mail is given up */
function recordOfFailure({ mailId, failed, attemptsBefore = 0 }: SendMail, error: unknown, now: Instant): RecordMail {
  const failure = failedMailIn(error);
  const isConfirmed = failure.failure !== 'not-confirmed';
  const tries = {
    attempts: (failed?.attempts ?? 0) + 1,
    unconfirmed: (failed?.unconfirmed ?? 0) + (isConfirmed ? 0 : 1),
    since: failed?.since ?? now,
  };
  const attempt = attemptsBefore + tries.attempts;
  const retryAt = nextTry(tries, isConfirmed, now);
  if (retryAt === undefined) return { type: 'RecordMailGivenUp', attempt, ...failure };
  const record = { type: 'RecordMailFailed', attempt, retryAt, ...failure } as const;
  const commandId = deriveId('RecordMailFailed', mailId, String(attempt));
  const wasAnswered = error instanceof MailNotSent && error.isAboutMail;
  throw new FailureToRecord(`the mail server: ${failureIn(error)}`, commandId, record, wasAnswered);
}

/** The customer, or the person of the lead, may have been erased while the mail was written. */
async function forgetIfErased(sent: Message, effect: SendMail, dependencies: MailDependencies): Promise<void> {
  const now = await messageOf(effect, dependencies);
  if (now === 'erased' || (typeof now !== 'string' && now.text !== sent.text))
    await dependencies.mails.forget?.(sent.messageId);
}

/** The mail with its present address and name, or why it is not sent. */
async function messageOf(effect: SendMail, dependencies: MailDependencies): Promise<Message | Withholding> {
  const { mail, mailId, wishedAt } = effect;
  const { streams, vault, clock } = dependencies;
  const [{ state: registered }, { state: catalogue }, { state: staff }] = await Promise.all([
    streams.read<'customer'>(customerStream(mail.customerId)),
    streams.read<'catalogue'>(catalogueStream),
    streams.read<'staff'>(staffStream),
  ]);
  const member = mail.facts.to ? undefined : staff.members.get(mail.customerId);
  const customer = member
    ? { ...registered, email: member.email, storeId: storeOfMember(member, catalogue) }
    : registered;
  const withheld = reasonToWithhold(effect, customer, clock.now());
  if (withheld) return withheld;
  // A mail to an address that is to be confirmed names it. Its customer may have no other one.
  const { to, thread, subject, ...facts } = await openFacts({ to: customer.email, ...mail.facts }, vault);
  if (typeof to !== 'string') return 'erased';
  const storeId = storeOf(mail, customer);
  const store = catalogue.stores.get(storeId);
  if (!store) throw new Error(`customer ${mail.customerId} belongs to a store that was never opened`);
  const from = { name: shownTexts(store.name), address: `no-reply@${mailDomainOf(store.webAddress)}` };
  // The address may be corrected between two attempts: a mail keeps its id.
  const { webAddress } = storeAt(catalogue, storeId, wishedAt) ?? store;
  const details = await detailsOf({ ...mail, to }, customer, store, dependencies);
  const text = composeMail(mail.kind, { ...withoutPastDates(facts, clock.now()), ...details });
  const receipt = mail.kind === 'receipt-issued' && (await attachedReceipt(mail.facts, dependencies));
  const attachments = receipt ? { attachments: [receipt] } : {};
  return {
    messageId: `${mailId}@${new URL(webAddress).hostname}`,
    from,
    to,
    date: new Date(wishedAt),
    ...text,
    ...attachments,
    ...(mailsByPersons.has(mail.kind) && { isByPerson: true }),
    ...(Array.isArray(thread) && { thread }),
    ...(typeof subject === 'string' && { threadSubject: `Re: ${subject.replace(/^(re: *)+/i, '')}` }),
    ...repliesTo(mail, store, dependencies),
    ...(!alwaysSent.has(mail.kind) && !thread && { unsubscribeLink: unsubscribeLink(vault, webAddress, mailId) }),
  };
}

const storeOfMember = ({ stores }: StaffMember, catalogue: CatalogueState): string =>
  (stores === 'all' ? [...catalogue.stores.keys()] : stores)[0] ?? '';

/** Somebody without an account wrote to a store. */
const storeOf = ({ facts }: SendMail['mail'], customer: CustomerState): string =>
  !isRegistered(customer) && typeof facts.storeId === 'string' ? facts.storeId : customer.storeId;

/** A reply to an answer names its ticket, also where a mail program leaves out the ids of mails. */
function repliesTo(
  { facts: { ticketId } }: SendMail['mail'],
  { webAddress }: Store,
  { supportMail }: MailDependencies,
) {
  if (!supportMail || typeof ticketId !== 'string') return {};
  const address = supportMail.addressOf(mailDomainOf(webAddress));
  return { replyTo: address.replace('@', `+${ticketId}@`) };
}

/** NTF-6. */
const unsubscribeLink = (vault: Vault, webAddress: string, mailId: string): string =>
  `${beginningOfLinks(webAddress)}${mailLinks.unsubscribe.path.replace('{token}', unsubscribeToken(vault, mailId))}`;

function reasonToWithhold(
  { mail, wishedAt }: SendMail,
  customer: CustomerState,
  now: Instant,
): Withholding | undefined {
  const { kind, happenedAt, facts } = mail;
  // LOY-7, LOY-10: after a stand-still it would name a date that is over, and offer a hold that comes too late.
  if (kind === 'renewal-coming' && typeof facts.dueAt === 'string' && facts.dueAt <= now) return 'too-late';
  // The bank's page, or its own link, does not work any more.
  if (kind === 'payment-to-confirm' && typeof facts.until === 'string' && facts.until <= now) return 'too-late';
  if (facts.expiresAt !== undefined && facts.expiresAt <= now) return 'too-late';
  if (Date.parse(wishedAt) - Date.parse(happenedAt) > DAYS_A_MAIL_IS_NEWS * DAY_MILLISECONDS) return 'too-late';
  if (!alwaysSent.has(kind) && !facts.thread && customer.mailsOff.includes(kind)) return 'switched-off';
  return customer.email || facts.to ? undefined : 'no-address';
}

/** NTF-5: a mail may be sent days after it was wished, and a renewal paid after its next date has come. What is past is not announced. */
function withoutPastDates({ renewsAt, retryAt, ...facts }: Record<string, unknown>, now: Instant) {
  return {
    ...facts,
    ...(isAhead(renewsAt, now) && { renewsAt }),
    ...(isAhead(retryAt, now) ? { retryAt } : { retriesNow: retryAt !== undefined }),
  };
}

const isAhead = (at: unknown, now: Instant): boolean => typeof at === 'string' && at > now;

/** Data for the texts of mails in addition to the facts of the event. */
async function detailsOf(
  { kind, happenedAt, facts, customerId, to }: SendMail['mail'] & { readonly to: string },
  customer: CustomerState,
  store: Store,
  { events, streams, vault }: MailDependencies,
) {
  const shown = forReaders(vault);
  const hasAccount = kind === 'address-change' && (await isOfAnother(customerId, to, { streams, vault }));
  const name = customer.name && ((await shown.open(customer.name)) as PersonName | undefined);
  const leadId = hasContact(kind, customer) && typeof facts.leadId === 'string' ? facts.leadId : undefined;
  const { withoutSignIn, orderId } = facts;
  return {
    ...(withoutSignIn && { orderLink: orderLinkToken(vault, orderId as string, customer) }),
    ...(leadId !== undefined && { contact: await shown.open((await receiptOf(leadId, events)).contact) }),
    refunded: facts.receiptKind === 'refund',
    returned: facts.receiptKind === 'refund-returned',
    declined: facts.cause === 'declined-payment',
    stranger: !isRegistered(customer),
    optedOut: facts.suppression === 'opt-out',
    // Where no order names a zone, the customer's own is used.
    ...(customer.timeZone && facts.timeZone === undefined && { timeZone: customer.timeZone }),
    happenedAt,
    storeName: shownTexts(store.name),
    webAddress: beginningOfLinks(store.webAddress),
    hasAccount,
    // The owner of the address is not told who wants it.
    ...(name?.firstName !== undefined && !hasAccount && { firstName: name.firstName }),
  };
}

/** ACC-2: nothing but the mail to the owner of an address shows that it has an account. */
async function isOfAnother(
  customerId: string,
  email: string,
  { streams, vault }: Pick<MailDependencies, 'streams' | 'vault'>,
): Promise<boolean> {
  const { state } = await streams.read<'address'>(addressStream(addressKeyOf(vault, email)));
  const { customerId: holder = customerId } = state;
  return holder !== customerId && !(await isErased({ streams, vault }, holder));
}

/** DLV-9: a mail about one new lead contains its contact; one about a replacement does for customers who get each lead by mail. */
const hasContact = (kind: MailKind, { leadDelivery }: CustomerState): boolean =>
  kind === 'leads-delivered' || (kind === 'replacement-delivered' && leadDelivery.mails === 'each');

const openFacts = async (facts: Readonly<Record<string, unknown>>, vault: Vault): Promise<Record<string, unknown>> =>
  shownTexts(
    Object.fromEntries(
      await Promise.all(
        Object.entries(facts).map(async ([name, value]) => [name, isBox(value) ? await vault.open(value) : value]),
      ),
    ),
  );
