import { type CustomerState, customerStream } from '#domain/accounts/customer';
import type { PersonName } from '#domain/accounts/personal';
import { catalogueStream } from '#domain/catalogue/catalogue';
import { isBox } from '#domain/kernel/events';
import type { CommandOf } from '#domain/ledger';
import { alwaysSent, type MailKind } from '#domain/notifications/kinds';
import type { Withholding } from '#domain/notifications/mail';
import type { EventStore } from '#event-store/port';
import type { MailGateway, Message } from '#gateways/mail';
import { composeMail } from '#gateways/mail-texts';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';
import type { Vault } from '#vault/vault';
import type { Ledger } from './ledger.ts';
import { receiptOf } from './webhook-calling.ts';

type SendMail = Extract<Effect, { kind: 'send-mail' }>;

interface Needs {
  readonly ledger: Ledger;
  readonly events: EventStore;
  readonly vault: Vault;
  readonly mails: MailGateway;
}

/** What happened longer ago is not told any more: a ledger that is taken over must not write to everybody about its past. */
const DAYS_A_MAIL_IS_NEWS = 7;
const MILLISECONDS_A_DAY = 86_400_000;

/** Sends one mail that was wished. @returns what is to be recorded of it */
export async function sendMail(effect: SendMail, needs: Needs): Promise<Untimed<CommandOf<'mail'>>> {
  const message = await messageOf(effect, needs);
  if (typeof message === 'string') return { type: 'RecordMailWithheld', reason: message };
  const result = await needs.mails.send(message).catch((error: Error) => {
    throw new OutOfReach(`the mail server: ${error.message}`);
  });
  if (!result.accepted) return { type: 'RecordMailRefused', reason: result.reason };
  return { type: 'RecordMailSent', messageId: message.messageId, subject: message.subject };
}

async function messageOf({ mailId, mail, wishedAt }: SendMail, needs: Needs): Promise<Message | Withholding> {
  const { kind, customerId, facts, happenedAt } = mail;
  const { ledger, vault } = needs;
  const [{ state: customer }, { state: catalogue }] = await Promise.all([
    ledger.read<'customer'>(customerStream(customerId)),
    ledger.read<'catalogue'>(catalogueStream),
  ]);
  if (Date.parse(wishedAt) - Date.parse(happenedAt) > DAYS_A_MAIL_IS_NEWS * MILLISECONDS_A_DAY) return 'too-late';
  if (!alwaysSent.has(kind) && customer.mailsOff.includes(kind)) return 'switched-off';
  if (!customer.email) return 'no-address';
  const opened = await openFacts({ to: customer.email, ...facts }, vault);
  const { to, ...told } = opened;
  if (typeof to !== 'string') return 'erased';
  const name = customer.name && ((await vault.open(customer.name)) as PersonName | undefined);
  const store = catalogue.stores.get(customer.storeId);
  if (!store) throw new Error(`customer ${customerId} belongs to a store that was never opened`);
  const { hostname } = new URL(store.webAddress);
  return {
    messageId: `${mailId}@${hostname}`,
    from: { name: store.name, address: `no-reply@${hostname}` },
    to,
    date: new Date(wishedAt),
    ...composeMail(kind, {
      ...told,
      ...(typeof facts.leadId === 'string' &&
        hasContact(kind, customer) && { contact: await contactOf(facts.leadId, needs) }),
      several: facts.leads !== 1,
      declined: facts.cause === 'declined-payment',
      storeName: store.name,
      webAddress: store.webAddress.replace(/\/$/, ''),
      ...(name?.firstName !== undefined && { firstName: name.firstName }),
    }),
  };
}

/** DLV-9: a mail about one new lead has its contact in it; the one about a replacement for who wants each lead so. */
const hasContact = (kind: MailKind, { leadDelivery }: CustomerState): boolean =>
  kind === 'leads-delivered' || (kind === 'replacement-delivered' && leadDelivery.mails === 'each');

const openFacts = async (facts: SendMail['mail']['facts'], vault: Vault): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(facts).map(async ([name, value]) => [name, isBox(value) ? await vault.open(value) : value]),
    ),
  );

const contactOf = async (leadId: string, { events, vault }: Needs): Promise<unknown> =>
  vault.open((await receiptOf(leadId, events)).contact);
