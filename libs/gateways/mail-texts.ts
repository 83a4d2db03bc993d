import Handlebars from 'handlebars';
import { counted, inDays } from '#domain/kernel/counted';
import { tellDecline } from '#domain/kernel/declines';
import { isTimeZone, localDayOf, tellLocalTime } from '#domain/kernel/local-days';
import { formatMoney } from '#domain/kernel/minor-units';
import { withEachText } from '#domain/kernel/text';
import type { Contact } from '#domain/leads/contact';
import type { AccountChange, MailKind } from '#domain/notifications/kinds';
import { linkTo } from './mail-links.ts';
import { unlinked } from './unlinked.ts';

interface Text {
  readonly subject: string;
  /** Handlebars templates. They become lines of the text part and paragraphs of the HTML part. */
  readonly paragraphs: readonly string[];
}

const recover = `If you cannot sign in to it, ask for a new password: ${linkTo('askForPassword')}`;
const descriptor = 'Your card statement shows {{statementDescriptor}}.';
const contact = '{{#each (linesOf contact)}}{{name}}: {{text}}\n{{/each}}';
const aboutOrder = `Order {{orderId}}, {{leadTypeId}}: ${linkTo('order')}{{#if orderLink}}?link={{orderLink}}{{/if}}`;

const leads = (fact: string) => `{{counted ${fact} "lead"}}`;
const bonusLeads = '{{counted bonusLeads "bonus lead"}}';
const renews = `{{#if cadenceDays}}Your order takes part in Loyalty Rewards: it renews every {{days cadenceDays}}{{#if renewsAt}}, first on {{day renewsAt}}{{/if}} for {{money renewalTotalCents currency}}, charged to your card. You can hold or cancel the programme at any time before: ${linkTo('programme')}{{/if}}`;

const renewsNext = `{{#if renewsAt}}It renews next on {{day renewsAt}} for {{money renewalTotalCents currency}}, charged to your card. If you do not want that, put the programme on hold before {{moment renewsAt}}: ${linkTo('programme')}{{/if}}`;

/** The text of each kind of mail (NTF-1). Subjects contain no names, because they are recorded. */
const mailTexts: { readonly [Kind in MailKind]: Text } = {
  'order-confirmed': {
    subject: 'Your order is confirmed',
    paragraphs: [
      `Thank you for your order of ${leads('quantity')}{{#if bonusLeads}} and ${bonusLeads}{{/if}}.`,
      `It costs {{money totalCents currency}}. ${descriptor}`,
      'Your first leads arrive after the payment is captured.',
      renews,
      aboutOrder,
    ],
  },
  'order-cancelled': {
    subject: 'Your order is cancelled',
    paragraphs: [
      `As requested, your order is cancelled. What you have received stays yours{{#if undeliveredLeads}}; ${leads('undeliveredLeads')} will not be delivered{{/if}}.`,
      '{{#if cadenceDays}}It does not renew any more.{{/if}}',
      aboutOrder,
    ],
  },
  'payment-declined': {
    subject: 'Your payment was declined',
    paragraphs: [
      'The payment for your order was declined: {{decline declineReason}}.',
      '{{#if retriesNow}}We try again.{{else}}{{#if retryAt}}We will try again on {{day retryAt}}.{{else}}{{#if renewalNumber}}Your programme is on hold now: activate it when your card works again.{{else}}The order is closed. You are welcome to order again with another card.{{/if}}{{/if}}{{/if}}',
      aboutOrder,
    ],
  },
  'refund-made': {
    subject: 'We gave money back to you',
    paragraphs: [
      'We gave back {{money totalCents currency}} that you paid for your order{{#if renewalNumber}} (renewal {{renewalNumber}}){{/if}}. Your bank may need some days to show it.',
      aboutOrder,
    ],
  },
  'refund-returned': {
    subject: 'Your bank sent our refund back',
    paragraphs: [
      'We gave back {{money totalCents currency}} that you paid for your order{{#if renewalNumber}} (renewal {{renewalNumber}}){{/if}}, but the bank of your card sent the money back to us. We still owe it to you, and look for another way.',
      'Maybe the card was closed. Please tell us how we can reach you.',
      aboutOrder,
    ],
  },
  'receipt-issued': {
    subject: 'Your receipt',
    paragraphs: [
      `{{#if returned}}Your bank sent our refund of {{money totalCents currency}} back to us. The receipt of that is attached, as a PDF: it takes the receipt of the refund back.{{else if refunded}}The receipt for the {{money totalCents currency}} that we gave back to you is attached, as a PDF.{{else}}Thank you for your payment of {{money totalCents currency}}. Its receipt is attached, as a PDF.{{/if}} Its number is {{receiptNumber}}.`,
      `You can read it here, too: ${linkTo('receipt')}`,
      aboutOrder,
    ],
  },
  'payment-to-confirm': {
    subject: 'Please confirm your payment',
    paragraphs: [
      'Your bank wants you to confirm the payment for the renewal of your order. Please do so before {{moment until}}:',
      '{{confirmationLink}}',
      'Without your confirmation the payment is declined, and we try again.',
      descriptor,
      aboutOrder,
    ],
  },
  'leads-delivered': {
    subject: 'New leads for you',
    paragraphs: [
      `{{#if contact}}You have a new lead:{{else}}You have {{counted leads "new lead"}}.{{/if}}`,
      contact,
      `All your leads: ${linkTo('leads')}`,
      aboutOrder,
    ],
  },
  'order-restarted': {
    subject: 'Your order continues',
    paragraphs: ['The pause of your order is over: you receive leads again.', aboutOrder],
  },
  'renewal-coming': {
    subject: 'Your Loyalty Rewards order renews soon',
    paragraphs: [
      `On {{day dueAt}} your order re-opens with the same leads at the same price, and your bonus leads with them{{#if quantity}}: ${leads('quantity')} for {{money totalCents currency}}, charged to your card{{/if}}.`,
      `If you do not want this renewal, put the programme on hold before {{moment dueAt}}: ${linkTo('programme')}`,
      aboutOrder,
    ],
  },
  'renewal-done': {
    subject: 'Your Loyalty Rewards order is renewed',
    paragraphs: [
      `Your order is open again: ${leads('quantity')}{{#if bonusLeads}} and ${bonusLeads}{{/if}} for {{money totalCents currency}}. ` +
        descriptor,
      renewsNext,
      aboutOrder,
    ],
  },
  'renewal-skipped': {
    subject: 'Your Loyalty Rewards order was not renewed',
    paragraphs: [
      'Your order did not renew on {{day dueAt}}, because we could not do it in time. You were not charged, and you lose no step of your bonus.',
      renewsNext,
      aboutOrder,
    ],
  },
  'programme-held': {
    subject: 'Your Loyalty Rewards programme is on hold',
    paragraphs: [
      `{{#if declined}}The payment for the renewal was declined, so the programme is on hold.{{else}}The programme is on hold, as you requested.{{/if}} Your order does not re-open until you activate the programme: ${linkTo('programme')}`,
      aboutOrder,
    ],
  },
  'programme-cancelled': {
    subject: 'Your Loyalty Rewards programme is cancelled',
    paragraphs: [
      'As requested, the programme is cancelled: your order does not renew any more, and your card is not charged again. What is open is still delivered.',
      aboutOrder,
    ],
  },
  'chargeback-granted': {
    subject: 'Chargeback Granted',
    paragraphs: [
      '{{#if goodwill}}As goodwill, we replace the lead that you returned ({{returnReason}}), although our rules do not ask for it. You keep the lead.{{else}}We verified your return ({{returnReason}}) and accepted it.{{/if}} You will receive a replacement as soon as a lead is available. It is free and does not count against your daily maximum.',
      `The lead: ${linkTo('lead')}`,
    ],
  },
  'chargeback-denied': {
    subject: 'Chargeback Denied',
    paragraphs: ['We cannot replace the lead you returned: {{explanation}}', `The lead: ${linkTo('lead')}`],
  },
  'verdict-corrected': {
    subject: 'We corrected our decision about your return',
    paragraphs: [
      'We looked at your return ({{returnReason}}) again. {{#if explanation}}We cannot replace the lead after all: {{explanation}}{{else}}We accept it now. You will receive a replacement as soon as a lead is available. It is free and does not count against your daily maximum.{{/if}}',
      `The lead: ${linkTo('lead')}`,
    ],
  },
  'replacement-delivered': {
    subject: 'Your replacement is here',
    paragraphs: [`The lead that replaces the one you returned: ${linkTo('lead')}`, contact],
  },
  'person-suppressed': {
    subject: 'Please do not contact this person any more',
    paragraphs: [
      'The person of one of your leads {{#if optedOut}}asked not to be contacted any more{{else}}stands on a do-not-call list{{/if}}. Please do not call or write to the person, and remove the contact from your other programs.',
      `The lead: ${linkTo('lead')}`,
    ],
  },
  'password-recovery': {
    subject: 'Set a new password',
    paragraphs: [
      'A new password was requested for your account. This link works once, until {{moment expiresAt}}:',
      linkTo('passwordRecovery'),
      'If you did not request it, you can ignore this mail. Your password does not change.',
    ],
  },
  'address-confirmation': {
    subject: 'Confirm your e-mail address',
    paragraphs: [
      'An account at {{storeName}} was opened with this address. To sign in to it, confirm the address by {{moment expiresAt}}:',
      linkTo('addressConfirmation'),
      `Later, ask for a new password instead: its link confirms the address as well: ${linkTo('askForPassword')}`,
      'If you did not open the account, do not confirm the address: nobody can sign in then.',
    ],
  },
  'staff-invitation': {
    subject: 'You are invited to work with us',
    paragraphs: [
      'An administrator of {{storeName}} invites you to work there. Choose a password for your account; this link works once, until {{moment expiresAt}}:',
      linkTo('staffInvitation'),
      'If you do not expect it, you can ignore this mail.',
    ],
  },
  'account-changed': {
    subject: 'Your account: {{titleOf change}}',
    paragraphs: [
      '{{changed change}}',
      'It happened at {{moment happenedAt}}{{#if device}}, from {{device}}{{/if}}. Your account lists the latest sign-ins, your sessions and your second factors: there you end and remove them.',
      'If you know of it, nothing is to be done. If you do not, somebody else may use your account: please tell {{storeName}} at once.',
    ],
  },
  'address-change': {
    subject: 'Confirm your e-mail address',
    paragraphs: [
      '{{#if hasAccount}}Somebody wants to use this address for another account at {{storeName}}. It belongs to your account, and stays there: nothing has changed.{{else}}This address was entered for an account at {{storeName}}. To use it, confirm it by {{moment expiresAt}}:{{/if}}',
      `{{#if hasAccount}}${recover}{{else}}${linkTo('addressConfirmation')}{{/if}}`,
    ],
  },
  'address-changed': {
    subject: 'Your e-mail address was changed',
    paragraphs: [
      'Your account at {{storeName}} has another e-mail address now. You sign in with that one, and we write to it.',
      'If you did not change it, please write to us at once.',
    ],
  },
  'account-exists': {
    subject: 'You have an account already',
    paragraphs: [
      'Somebody entered this address at {{storeName}} to open an account or to order. You have an account with it already: nothing has changed in it.',
      recover,
      'If it was not you, you can ignore this mail.',
    ],
  },
  'ticket-answered': {
    subject: 'Our answer to your question',
    paragraphs: [
      '{{answer}}',
      '{{#if attachmentsRefused}}We do not take files by mail: we did not see what you attached.{{/if}}',
      `{{#unless stranger}}Your question: ${linkTo('ticket')}{{/unless}}`,
    ],
  },
};

interface ComposedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

type Facts = Readonly<Record<string, unknown>>;

/** The mail of a kind about these facts. Times are in the zone of the order; of mails without one, in UTC. */
export function composeMail(kind: MailKind, given: Facts): ComposedMail {
  const { paragraphs, ...heading } = compiled[kind];
  const facts = { ...given, ...ofStrangers(given) };
  const subject = heading.subject(facts);
  const { storeName, firstName } = facts as { storeName: string; firstName?: string };
  const greeting = firstName === undefined ? 'Hello,' : `Hello ${firstName},`;
  const text = [greeting, ...paragraphs.text.map((paragraph) => paragraph(facts).trim()), storeName];
  const html = paragraphs.html.map((paragraph) => linked(paragraph(facts).trim())).filter((one) => one !== '');
  const body = [escaped(greeting), ...html, escaped(storeName)].map((one) => `<p>${one.replaceAll('\n', '<br>')}</p>`);
  return {
    subject,
    text: `${text.filter((paragraph) => paragraph !== '').join('\n\n')}\n`,
    html: `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${escaped(subject)}</title>\n<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em">\n${body.join('\n')}\n</body></html>\n`,
  };
}

/** What customers and leads write. Our mails would bring their links under our name, also to people who never asked for a mail. */
const ofStrangers = ({ firstName, contact, returnReason }: Facts): Facts =>
  Object.fromEntries(
    Object.entries({ firstName, contact, returnReason })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, withEachText(value, unlinked)]),
  );

const { escapeExpression: escaped } = Handlebars;

/** The text is escaped already, so an address contains no quotes or brackets. */
const linked = (html: string): string => html.replace(/https?:\/\/[^\s<>"]+/g, (url) => `<a href="${url}">${url}</a>`);

/** @param data of the template, which knows all facts */
function zoneIn(data: { readonly root: { readonly timeZone?: string } }): string {
  const { timeZone = 'UTC' } = data.root;
  // Older versions took names that this one does not know.
  return isTimeZone(timeZone) ? timeZone : 'UTC';
}

const changes: Readonly<Record<AccountChange, string>> = {
  'factor-added':
    'An authenticator app was added to your account: whoever has it can sign in with it and your password.',
  'factor-removed': 'An authenticator app was removed from your account.',
  'factors-reset':
    'Your second factors were reset by the staff of the store. All your sessions ended. Sign in with your password, and add another factor.',
  'passkey-added': 'A passkey was added to your account: whoever has it, and can unlock it, can sign in with it.',
  'passkey-removed': 'A passkey was removed from your account: it does not sign in any more.',
  'recovery-codes-issued': 'New recovery codes were made for your account. Those of before do not work any more.',
  'recovery-code-used': 'A recovery code of your account was used in place of a second factor.',
  'password-changed': 'Your password was changed. All other sessions ended.',
  'roles-changed': 'What you may do was changed by an administrator: your roles, or the stores in which they hold.',
  'new-browser':
    'Somebody signed in to your account from a browser, or a program, from which nobody had signed in before.',
  'sessions-ended': 'An administrator ended all your sessions. You can sign in again.',
  'api-key-issued': 'A new API key was issued for a program. The list of keys shows its name, and what it may do.',
};

const titles: Readonly<Record<AccountChange, string>> = {
  'factor-added': 'an authenticator app was added',
  'factor-removed': 'an authenticator app was removed',
  'factors-reset': 'your second factors were reset',
  'passkey-added': 'a passkey was added',
  'passkey-removed': 'a passkey was removed',
  'recovery-codes-issued': 'new recovery codes were made',
  'recovery-code-used': 'a recovery code was used',
  'password-changed': 'your password was changed',
  'roles-changed': 'your roles were changed',
  'new-browser': 'a sign-in from a new browser',
  'sessions-ended': 'your sessions were ended',
  'api-key-issued': 'a new API key was issued',
};

const handlebars = Handlebars.create();
handlebars.registerHelper({
  money: formatMoney,
  counted: (count: number, one: string) => counted(count, one),
  days: inDays,
  decline: tellDecline,
  changed: (change: AccountChange) => changes[change],
  titleOf: (change: AccountChange) => titles[change],
  day: (at: string, { data }: Handlebars.HelperOptions) => localDayOf(at, zoneIn(data)),
  moment: (at: string, { data }: Handlebars.HelperOptions) => tellLocalTime(at, zoneIn(data)),
  linesOf,
});

/** The fields of a contact. Extra fields have the names that a file gave them. */
function linesOf({ extraFields = {}, ...own }: Contact = {}): readonly { name: string; text: string | undefined }[] {
  return [
    ...Object.entries(own).map(([name, text]) => ({ name: label(name), text })),
    ...Object.entries(extraFields).map(([name, text]) => ({ name, text })),
  ];
}

const label = (name: string): string =>
  name.charAt(0).toUpperCase() + name.slice(1).replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);

const compile = (paragraphs: readonly string[], noEscape: boolean) =>
  paragraphs.map((paragraph) => handlebars.compile(paragraph, { noEscape, strict: false }));

const compiled = Object.fromEntries(
  Object.entries(mailTexts).map(([kind, { subject, paragraphs }]) => [
    kind,
    {
      subject: handlebars.compile(subject, { noEscape: true }),
      paragraphs: { text: compile(paragraphs, true), html: compile(paragraphs, false) },
    },
  ]),
) as Record<
  MailKind,
  {
    subject: Handlebars.TemplateDelegate;
    paragraphs: { text: Handlebars.TemplateDelegate[]; html: Handlebars.TemplateDelegate[] };
  }
>;
