import type { Discount } from '#domain/coupons/coupon';
import { counted, nounOf, thousands } from '#domain/kernel/counted';
import { tellDecline } from '#domain/kernel/declines';
import { isBox } from '#domain/kernel/events';
import { tellMoney } from '#domain/kernel/minor-units';
import type { AnyEvent, EventTypeName } from '#domain/ledger';
import { tellFailedCall, tellFailedMail, tellMailAnswer } from '#domain/notifications/outcomes';
import { endOf } from '#domain/notifications/webhook';
import { tellRefundFailure } from '#domain/orders/refunds';
import { customerErased } from '#domain/persons/erasures';

type DataOf<Type extends EventTypeName> = Extract<AnyEvent, { type: Type }>['data'];

const why = ({ cause }: { readonly cause?: typeof customerErased | undefined }): string =>
  cause === undefined ? '' : ': its customer was erased';

const whyCancelled: Readonly<Record<DataOf<'ProgrammeCancelled'>['cause'], string>> = {
  customer: '',
  'order-cancelled': ' with its order',
  'payment-failed': ': the order was not paid',
  [customerErased]: why({ cause: customerErased }),
};

const whatMoved = ({
  kind,
  chargeNumber,
  refundNumber,
}: Pick<DataOf<'ReceiptIssued'>, 'kind' | 'chargeNumber' | 'refundNumber'>): string => {
  if (kind === 'charge') return 'paid for';
  if (kind === 'refund') return `given back of receipt ${chargeNumber}, for`;
  return `came back, which takes back receipt ${refundNumber}, for`;
};

/** Sentences for people. An event without one is shown with its type and its fields. */
const words: { readonly [Type in EventTypeName]?: (data: DataOf<Type>) => string } = {
  StoreOpened: ({ name, webAddress }) => `store "${name}" opened at ${webAddress}`,
  StatementDescriptorSet: ({ descriptor }) => `card statements show "${descriptor}"`,
  LeadTypeDefined: ({ leadTypeId, exclusivity, freshness, agesInto }) =>
    `lead type ${leadTypeId}: ${exclusivity}, ${freshness}${agesInto ? `, ages into ${agesInto}` : ''}`,
  StoreRenamed: ({ storeId, name }) => `store ${storeId} is named "${name}" from now on`,
  WebAddressChanged: ({ storeId, webAddress }) => `store ${storeId} is at ${webAddress} from now on`,
  LeadTypeRenamed: ({ leadTypeId, name }) => `${leadTypeId} is named "${name}" from now on`,
  UsualDeliveryChanged: ({ leadTypeId, usualDelivery }) => `${leadTypeId} is usually delivered: ${usualDelivery}`,
  LoyaltyQualificationChanged: ({ leadTypeId, qualifiesForLoyaltyRewards: may }) =>
    `new orders of ${leadTypeId} ${may ? 'may' : 'may not'} join Loyalty Rewards`,
  LeadTypeRetired: ({ leadTypeId }) => `${leadTypeId} is retired: not sold any more`,
  LeadTypeReopened: ({ leadTypeId }) => `${leadTypeId} is sold again`,
  PriceSet: ({ storeId, leadTypeId, pricePerLeadCents, currency, smallestOrder, largestOrder, effectiveFrom }) =>
    `${leadTypeId} in store ${storeId}: ${tellMoney(pricePerLeadCents, currency)} a lead, ${smallestOrder} to ${largestOrder} an order, from ${effectiveFrom}`,
  PolicyPublished: ({ version, author, effectiveFrom, policy, changes = {} }) =>
    `policy ${version} by ${author}, from ${effectiveFrom}: ${policy ? 'a whole policy' : `changes ${Object.keys(changes).join(', ')}`}`,
  CustomerRegistered: ({ storeId, timeZone }) => `registered with store ${storeId}, lives in ${timeZone}`,
  BusinessAssociationChanged: () => 'changed the business association',
  BusinessAssociationSealed: () => 'the business association, stored plain by an older version, is sealed from now on',
  TimeZoneChanged: ({ timeZone }) => `lives in ${timeZone} from now on`,
  NameChanged: () => 'changed the name',
  PostalAddressChanged: () => 'changed the postal address',
  EmailChangeRequested: ({ expiresAt }) => `asked for another e-mail address, to be confirmed before ${expiresAt}`,
  AddressConfirmationRequested: ({ expiresAt }) => `was sent a link that proves the e-mail address until ${expiresAt}`,
  AddressConfirmed: () => 'proved the e-mail address by a link from a mail',
  EmailChanged: () => 'confirmed the new e-mail address',
  PasswordSet: ({ how }) => (how === 'recovered' ? 'set a new password by a link from a mail' : 'chose a password'),
  PasswordRecoveryRequested: ({ expiresAt }) => `asked for a new password: the link is valid until ${expiresAt}`,
  MailPreferencesChanged: ({ off }) => (off.length > 0 ? `wants no mails of: ${off.join(', ')}` : 'wants all mails'),
  LeadDeliveryChosen: ({ mails, webhook }) =>
    `wants ${mails === 'each' ? 'one mail for each lead' : 'one mail for several leads'}${webhook ? ', and leads sent to a program' : ''}`,
  AddressClaimed: ({ customerId, purpose }) =>
    `claimed by customer ${customerId} ${purpose.for === 'registration' ? 'to register' : 'as the new address'}`,
  AddressReleased: ({ customerId }) => `given up by customer ${customerId}`,
  HolderWarned: ({ customerId }) => `typed in to open another account: customer ${customerId} is told`,
  AddressWanted: ({ customerId }) => `wanted by customer ${customerId}, who was sent a link there`,
  ContactAdded: ({ leadId, orderId }) =>
    `lead ${leadId} noted for order ${orderId}: this person is not delivered again`,
  ContactRemoved: ({ leadId, reason }) => `lead ${leadId} removed again: ${reason}`,
  ContactRated: ({ leadId, rating }) => `lead ${leadId} rated ${rating} of 5`,
  LeadReceived: ({ leadTypeId, source, capturedAt, openPlaces, consentedAt }) =>
    `a lead of ${leadTypeId} from "${source}"${capturedAt ? `, captured ${capturedAt}` : ''}${consentedAt ? `, with consent of ${consentedAt}` : ''}, for ${customers(openPlaces)}`,
  LeadAssigned: ({ orderId, replacementFor, openPlaces, decision }) =>
    `assigned to order ${orderId}${replacementFor ? ` as replacement ${replacementFor}` : ''}: ${rankOf(decision)}; ${counted(openPlaces, 'place')} left`,
  LeadReleased: ({ orderId, reason, openPlaces }) =>
    `taken back from order ${orderId}: ${reason}; ${counted(openPlaces, 'place')} left`,
  LeadAged: ({ fromLeadTypeId, leadTypeId }) => `${fromLeadTypeId} became ${leadTypeId}`,
  ContactSuppressed: ({ leadId, suppression, isListed }) =>
    `the person of lead ${leadId} must not be contacted any more (${suppression})${isListed ? '' : ': it is not delivered'}`,
  LeadWithdrawn: ({ reason, supersededBy, suppression, buyers }) => {
    if (supersededBy) return `withdrawn: lead ${supersededBy} has the person from now on`;
    if (!suppression) return `withdrawn as bad: ${reason}`;
    return `withdrawn: the person is not sold any more (${suppression})${buyers ? `; ${counted(buyers.length, 'buyer')} to be told` : ''}`;
  },
  KnownReceived: ({ knownAs }) => `it is the lead ${knownAs}, which was received before`,
  DuplicateReceived: ({ leadTypeId, source, duplicateOf, match }) =>
    `a duplicate, as ${leadTypeId} from "${source}": lead ${duplicateOf} has the same ${match}`,
  ReceiptForfeited: ({ toLeadId }) =>
    toLeadId ? `not stored in time: lead ${toLeadId} takes the person` : 'not stored: the person is suppressed',
  PersonClaimed: ({ leadId, fromLeadId }) =>
    `the person of lead ${leadId} from now on${fromLeadId ? `, no longer of lead ${fromLeadId}` : ''}`,
  PersonSuppressed: ({ suppression, listId }) =>
    `not sold any more: ${suppression}${listId ? `, by the list ${listId}` : ''}`,
  SuppressionLifted: ({ listId }) =>
    listId ? `the list ${listId} says nothing of the person any more` : 'the person may be sold again',
  PersonLinked: ({ leadId }) => `lead ${leadId}, which was sold too, has the same person`,
  AllBusinessKeysRenewed: ({ customers }) => `${counted(customers, 'customer')} got new keys of their business names`,
  BusinessKeysRenewed: ({ names }) =>
    `${counted(names.length, 'name of a business has', 'names of businesses have')} a new key`,
  BusinessesMerged: ({ customerId, otherCustomerId }) =>
    `the businesses of customers ${customerId} and ${otherCustomerId} are one from now on`,
  BusinessMergeTakenBack: ({ customerId, otherCustomerId }) =>
    `the businesses of customers ${customerId} and ${otherCustomerId} are two again`,
  AllPersonsClaimed: ({ leads }) => `${counted(leads, 'lead')} of an older version claimed the person`,
  CouponDefined: ({ code, discount, validFrom, validUntil, totalLimit }) =>
    `coupon ${JSON.stringify(code)}: ${worth(discount)}, from ${validFrom}${validUntil ? ` to ${validUntil}` : ''}${totalLimit ? `, for ${counted(totalLimit, 'customer')}` : ''}`,
  AlternativeCouponGiven: ({ code, insteadOf, customerId }) =>
    `coupon ${JSON.stringify(code)} for customer ${customerId}, in place of ${JSON.stringify(insteadOf)}`,
  CouponUsed: ({ customerId, checkoutId, discount }) =>
    `used up by customer ${customerId} in checkout ${checkoutId}: ${worth(discount)}`,
  CouponReturned: ({ customerId, checkoutId }) =>
    `returned to customer ${customerId}: checkout ${checkoutId} did not take it`,
  CouponReplaced: ({ customerId, by }) =>
    `gives customer ${customerId} no discount any more: ${JSON.stringify(by)} was given in its place`,
  CouponRetired: ({ code }) => `coupon ${JSON.stringify(code)} is retired: nobody can use it any more`,
  CouponReopened: ({ code }) => `coupon ${JSON.stringify(code)} can be used again`,
  CouponRefused: ({ customerId, reason, triedAt }) =>
    `refused to customer ${customerId}: ${reason}${triedAt ? `, on ${triedAt}` : ''}`,
  CheckoutStarted: ({ quantity, leadTypeId, giveUpAt }) =>
    `${counted(quantity, 'lead')} of ${leadTypeId} chosen; abandoned ${giveUpAt} unless it is placed`,
  CheckoutQuoted: ({ quantity, totalCents, currency }) =>
    `shown: ${counted(quantity, 'lead')} for ${tellMoney(totalCents, currency)}`,
  CheckoutCouponTaken: ({ code, discount }) => `coupon ${JSON.stringify(code)} taken: ${worth(discount)}`,
  CheckoutCouponReplaced: ({ code, by }) =>
    `coupon ${JSON.stringify(code)} does not count any more: ${JSON.stringify(by)} was given in its place`,
  OrderCouponReplaced: ({ code, by }) =>
    `not placed with coupon ${JSON.stringify(code)}: ${JSON.stringify(by)} was given in its place`,
  CheckoutPlaced: ({ orderId }) => `placed as order ${orderId}`,
  CheckoutAbandoned: (ended) => `abandoned${why(ended)}`,
  OrderPlaced: (data) =>
    `${counted(data.quantity, 'lead')} of ${data.leadTypeId}${data.bonusLeads ? ` and ${counted(data.bonusLeads, 'bonus lead')}` : ''} for ${tellMoney(data.totalCents, data.currency)} (${tellMoney(data.pricePerLeadCents, data.currency)} each)${data.dailyMaximum ? `, at most ${data.dailyMaximum} a day in ${data.timeZone}` : ''}`,
  PaymentCaptured: ({ amountCents, currency, reference }) => `${tellMoney(amountCents, currency)} paid (${reference})`,
  PaymentDeclined: ({ reason }) => `payment declined: ${tellDecline(reason)}`,
  PaymentUnknown: ({ amountCents, currency, chargeKey }) =>
    `nobody knows whether ${tellMoney(amountCents, currency)} were paid (charge ${chargeKey})`,
  PaymentNotCaptured: ({ chargeKey }) => `found at the payment provider: charge ${chargeKey} was not captured`,
  PaymentClaimed: ({ reference, orderId, renewalNumber }) =>
    `${reference} was found to be ${renewalNumber === 0 ? 'the first payment' : `renewal ${renewalNumber}`} of order ${orderId}`,
  PayerForgotten: () => 'the payment provider has removed the customer and the card',
  PaymentCapturedTooLate: ({ amountCents, currency }) =>
    `${tellMoney(amountCents, currency)} paid, and the order had ended: to be refunded`,
  RefundWished: ({ amountCents, currency, reference, cause }) =>
    `${tellMoney(amountCents, currency)} of payment ${reference} are to be given back${cause === 'by-hand' ? '' : ': it came too late'}`,
  PaymentRefunded: ({ amountCents, currency, reference }) =>
    `${tellMoney(amountCents, currency)} given back (${reference})`,
  RefundFailed: ({ amountCents, currency, attempt, failure, retryAt }) =>
    `${tellMoney(amountCents, currency)} not given back at the ${ordinal(attempt)} attempt: ${tellRefundFailure(failure)}; ${retryAt ? `next attempt at ${retryAt}` : 'an operator must look at it'}`,
  RefundReturned: ({ amountCents, currency }) =>
    `${tellMoney(amountCents, currency)} came back: ${tellRefundFailure('returned-by-bank')}; an operator must look at it`,
  RefundRetried: () => 'the refund is to be tried again',
  RefundSettled: ({ amountCents, currency }) => `${tellMoney(amountCents, currency)} given back in another way`,
  PaymentDisputed: ({ amountCents, currency, stage, reason }) =>
    `a dispute about ${tellMoney(amountCents, currency)} (${reason.replaceAll('-', ' ')}) is ${stage}`,
  TaxesSet: ({ taxes, effectiveFrom }) =>
    `prices include ${taxes.map(({ name, percent }) => `${name} of ${percent} %`).join(' and ') || 'no tax'}, from ${effectiveFrom}`,
  ReceiptIssued: ({ number, orderId, amountCents, currency, ...issued }) =>
    `receipt ${number}: ${tellMoney(Math.abs(amountCents), currency)} ${whatMoved(issued)} order ${orderId}`,
  OrderPaused: ({ restartsAt }) => `paused: receives nothing${restartsAt ? `, restarts by itself ${restartsAt}` : ''}`,
  OrderRestarted: ({ automatic }) => (automatic ? 'restarted by itself' : 'restarted'),
  OrderReopened: ({ renewalNumber, quantity, bonusLeads, bonusPercent, rule, pausesCounted, totalCents, currency }) =>
    `re-opened by renewal ${renewalNumber}: ${counted(quantity, 'lead')} and ${counted(bonusLeads, 'bonus lead')} (${bonusPercent} %, ${rule}, ${counted(pausesCounted, 'pause')}) for ${tellMoney(totalCents, currency)}`,
  OrderTimeZoneCorrected: ({ timeZone }) => `its days are those of ${timeZone} from now on`,
  DailyMaximumChanged: ({ dailyMaximum }) => `at most ${counted(dailyMaximum, 'lead')} a day from now on`,
  PaymentCardChanged: () => 'the next charge goes to another card',
  OrderCancelled: ({ undeliveredLeads, ...ended }) =>
    `cancelled${why(ended)}, ${counted(undeliveredLeads, 'lead')} undelivered`,
  OrderFilled: ({ deliveredLeads }) =>
    `filled: ${nounOf(deliveredLeads, 'the one lead', `all ${thousands(deliveredLeads)} leads`)} delivered`,
  LeadDelivered: ({ leadId, localDay, replacementFor, decision }) =>
    `lead ${leadId} delivered, ${replacementFor ? `as replacement ${replacementFor}` : `on the local day ${localDay}`}: ${rankOf(decision)}`,
  DailyMaximumReached: ({ localDay, deliveredLeads }) =>
    `the daily maximum of ${deliveredLeads} is reached on ${localDay}`,
  ReplacementOwed: ({ leadId, owedSince }) => `a replacement for lead ${leadId} is owed since ${owedSince}`,
  ReplacementForgiven: ({ leadId, cause }) =>
    `the replacement for lead ${leadId} is not owed any more${cause === customerErased ? why({ cause }) : ': its verdict is corrected'}`,
  ProgrammeJoined: ({ cadence, dueAt }) => `joined Loyalty Rewards: ${cadence}, first on ${dueAt}`,
  RenewalAnnounced: ({ renewalNumber, dueAt }) => `renewal ${renewalNumber} announced for ${dueAt}`,
  RenewalBegun: ({ renewalNumber, dueAt, attempt, charge }) =>
    `renewal ${renewalNumber}, due ${dueAt}: ${tellMoney(charge.amountCents, charge.currency)} is charged, attempt ${attempt}`,
  RenewalConfirmationRequested: ({ renewalNumber, until }) =>
    `renewal ${renewalNumber}: the bank wants the customer to confirm the payment, before ${until}`,
  RenewalPaid: ({ renewalNumber, amountCents, currency, reference, nextDueAt, owedBack }) =>
    `renewal ${renewalNumber}: ${tellMoney(amountCents, currency)} paid (${reference})${owedBack ? `${why({ cause: customerErased })}: to be given back` : `; the next is due ${nextDueAt}`}`,
  RenewalDeclined: ({ renewalNumber, reason, retryAt }) =>
    `renewal ${renewalNumber} declined: ${tellDecline(reason)}${retryAt ? `; tried again ${retryAt}` : ''}`,
  RenewalUnknown: ({ renewalNumber, amountCents, currency, chargeKey }) =>
    `renewal ${renewalNumber}: nobody knows whether ${tellMoney(amountCents, currency)} were paid (charge ${chargeKey})${why({ cause: customerErased })}`,
  RenewalNotCaptured: ({ renewalNumber, chargeKey }) =>
    `renewal ${renewalNumber}, found at the payment provider: charge ${chargeKey} was not captured`,
  RenewalMissed: ({ renewalNumber, dueAt, cause }) =>
    `renewal ${renewalNumber}, due ${dueAt}, ${cause === undefined ? 'came too late' : 'could not be delivered, because the time zone of its order is not known'}: it waits for an operator`,
  RenewalReleased: ({ renewalNumber, dueAt }) => `renewal ${renewalNumber}, due ${dueAt}, released by an operator`,
  RenewalSkipped: ({ renewalNumber, dueAt, nextDueAt }) =>
    `renewal ${renewalNumber}, due ${dueAt}, skipped: nothing is charged for it; it is due ${nextDueAt} again`,
  ProgrammeHeld: ({ cause }) =>
    cause === 'customer' ? 'programme on hold' : 'programme on hold: its payment was declined',
  ProgrammeActivated: ({ renewalNumber, dueAt }) => `programme active again: renewal ${renewalNumber} is due ${dueAt}`,
  ProgrammeCancelled: ({ cause }) => `programme cancelled${whyCancelled[cause]}`,
  ReplacementRequested: ({ leadId, reason, reasonLabel = reason, deliveredAt, verifyBy }) =>
    `lead ${leadId}, delivered ${deliveredAt}, returned: ${reasonLabel}; to be verified by ${verifyBy}`,
  ChargebackGranted: ({ reason, reasonLabel = reason }) => `chargeback granted: ${reasonLabel}`,
  GoodwillGranted: ({ reason, reasonLabel = reason }) => `a replacement is granted as goodwill: ${reasonLabel}`,
  CorrectionRequested: ({ explanation }) => `the grant is to be taken back: ${opened(explanation)}`,
  VerdictCorrected: ({ verdict, reason, reasonLabel = reason, explanation }) =>
    `verdict corrected: ${verdict}, ${explanation ? opened(explanation) : reasonLabel}`,
  ChargebackDenied: ({ explanation }) => `chargeback denied: ${opened(explanation)}`,
  ReplacementEnded: (ended) => `the return ends${why(ended)}`,
  VerificationOverdue: ({ verifyBy }) => `not verified by ${verifyBy}: overdue`,
  MailWished: ({ kind, customerId }) => `a mail to customer ${customerId} is requested: ${kind}`,
  MailSent: ({ kind, subject }) => `sent, ${kind}: "${subject}"`,
  MailRefused: ({ kind, answer }) => `refused permanently, ${kind}: ${tellMailAnswer(answer)}`,
  MailWithheld: ({ kind, reason }) => `not sent, ${kind}: ${reason.replaceAll('-', ' ')}`,
  MailFailed: ({ kind, attempt, retryAt, ...failed }) =>
    `the ${ordinal(attempt)} attempt failed, ${kind}: ${tellFailedMail(failed)}; the next one is at ${retryAt}`,
  MailGivenUp: ({ kind, attempt, ...failed }) =>
    `given up at the ${ordinal(attempt)} attempt, ${kind}: ${tellFailedMail(failed)}`,
  MailRetried: ({ kind }) => `to be sent again, ${kind}`,
  MailFailureAcknowledged: ({ kind }) => `its failure is dealt with, ${kind}`,
  WebhookWished: ({ leadId, customerId }) => `lead ${leadId} is to be sent to the program of customer ${customerId}`,
  WebhookAccepted: ({ attempt, status }) => `accepted at the ${ordinal(attempt)} attempt, with ${status}`,
  WebhookFailed: ({ attempt, retryAt, ...failed }) =>
    `the ${ordinal(attempt)} attempt failed (${tellFailedCall(failed)}); next attempt at ${retryAt}`,
  WebhookParked: ({ attempt, ...failed }) =>
    `${endOf(failed)} after the ${ordinal(attempt)} attempt: ${tellFailedCall(failed)}`,
  WebhookReplayed: () => 'to be sent again',
  ReplacementDelivered: ({ replacementLeadId }) => `replaced by lead ${replacementLeadId}`,
  TicketOpened: ({ dueAt, callBackTelephone }) =>
    `the customer writes to support${callBackTelephone ? ' and asks to be called back' : ''}: to be answered by ${dueAt}`,
  LetterSetAside: ({ reason }) => `a mail to support is set aside: ${reason}`,
  LetterAdmitted: ({ ticketId }) => `a mail opens ticket ${ticketId}`,
  TicketAnswered: () => 'support answers',
  TicketOverdue: ({ dueAt }) => `not answered by ${dueAt}: overdue`,
  TicketAddedTo: () => 'the customer adds to it',
  TicketReopened: ({ dueAt }) => `the customer writes again: to be answered by ${dueAt}`,
  TicketClosed: (ended) => `closed${why(ended)}`,
  CustomerHistoryShown: () => 'the whole history of the customer was shown to staff',
  LogRewritten: ({ from }) =>
    `the beginning of a copy of log ${from}, with all its events in the forms of this version`,
  RewritingFinished: ({ events: count }) => `the copy is whole: it has the ${counted(count, 'event')} of the original`,
  VaultNamed: ({ fingerprint }) => `the personal data of this log is sealed with the keys of vault ${fingerprint}`,
  AllBusinessAssociationsSealed: ({ customers: count }) =>
    `all business associations are sealed; those of ${counted(count, 'customer')} were plain`,
};

export function tellEvent(type: string, data: object): string {
  const sentence = (words as Readonly<Record<string, (data: object) => string>>)[type];
  return sentence ? sentence(data) : inWords(type, data);
}

/** What is in a box that was opened for a reader. */
function opened(text: unknown): string {
  if (typeof text === 'string') return text;
  if (isBox(text)) return 'sealed';
  if ('damaged' in (text as object)) return 'damaged';
  return 'keyMissing' in (text as object) ? 'its key is missing' : 'erased';
}

/** `OrderNoted {at, note}` → `order noted; note: sealed` */
function inWords(type: string, { at: _, ...fields }: { readonly at?: unknown }): string {
  const name = type.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
  return [name, ...Object.entries(fields).map(([field, value]) => `${field}: ${shown(value)}`)].join('; ');
}

function shown(value: unknown): string {
  if (isBox(value)) return 'sealed';
  return typeof value === 'object'
    ? JSON.stringify(value, (_, member) => (isBox(member) ? 'sealed' : member))
    : `${value}`;
}

/** Why it was this order's turn (DLV-7). */
function rankOf({ rule, rank, decidedOn, eventsSeen }: DataOf<'LeadAssigned'>['decision']): string {
  const why =
    rule === 'replacement-owed-longest'
      ? `owed a replacement since ${rank.owedSince}`
      : rank.lastServedAt
        ? `served longest ago, ${rank.lastServedAt}`
        : `never served since it was placed, ${rank.placedAt}`;
  return `${why} (decided after ${eventsSeen === undefined ? `log position ${decidedOn}` : `event ${eventsSeen}`})`;
}

const worth = (discount: Discount): string => {
  if ('percent' in discount) return `${discount.percent} % off`;
  const { amountCents, currency } = discount;
  // A coupon of an older version.
  return `${currency === undefined ? counted(amountCents, 'minor unit') : tellMoney(amountCents, currency)} off`;
};
const ordinal = (number: number): string =>
  `${number}${{ one: 'st', two: 'nd', few: 'rd' }[ordinals.select(number) as string] ?? 'th'}`;
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
const customers = (count: number): string => nounOf(count, 'one customer', `up to ${count} customers`);
