import { address, addressEvents, addressRights } from './accounts/address.ts';
import { addressUpcasters, customerUpcasters } from './accounts/business.ts';
import { businessMergeEvents, businessMergeRights, businessMerges } from './accounts/business-merges.ts';
import { customer, customerEvents, customerRights } from './accounts/customer.ts';
import { signInEvents, signInRights, signIns } from './accounts/sign-ins.ts';
import { catalogue, catalogueEvents, catalogueRights } from './catalogue/catalogue.ts';
import { checkout, checkoutEvents, checkoutRights, customerOfCheckout } from './checkouts/checkout.ts';
import { type CouponState, coupon, couponEvents, couponRights } from './coupons/coupon.ts';
import { factorEvents, factorRights, factors } from './factors/factors.ts';
import type { Decider } from './kernel/decider.ts';
import type { EventSchemas } from './kernel/events.ts';
import type { RightsOf, Rule } from './kernel/rights.ts';
import { contactBook, contactBookEvents, contactBookRights } from './leads/contact-book.ts';
import { lead, leadEvents, leadRights, leadUpcasters } from './leads/lead.ts';
import { personClaim, personClaimEvents, personClaimRights } from './leads/person-claim.ts';
import { logOrigin, logOriginEvents, logOriginRights } from './logs/log-origin.ts';
import {
  customerOfProgramme,
  programme,
  programmeEvents,
  programmeRights,
  programmeUpcasters,
} from './loyalty/programme.ts';
import { mail, mailEvents, mailRights } from './notifications/mail.ts';
import { mailWishUpcasters } from './notifications/mail-facts.ts';
import { mailUpcasters, webhookUpcasters } from './notifications/outcomes.ts';
import { customerOfWebhook, webhook, webhookEvents, webhookRights } from './notifications/webhook.ts';
import { customerOfOrder, order, orderEvents, orderRights, orderUpcasters } from './orders/order.ts';
import { paymentClaim, paymentClaimEvents, paymentClaimRights } from './orders/payment-claim.ts';
import { approvalEvents, approvalRights, approvals } from './persons/approvals.ts';
import { erasureEvents, erasureRights, erasures } from './persons/erasures.ts';
import { policy, policyEvents, policyRights, policyUpcasters } from './policy/policy.ts';
import { receiptEvents, receiptRights, receipts } from './receipts/receipts.ts';
import {
  customerOfReplacement,
  replacement,
  replacementEvents,
  replacementRights,
  replacementUpcasters,
} from './replacements/replacement.ts';
import { apiKeyEvents, apiKeyRights, apiKeys } from './staff/api-keys.ts';
import { staffEvents, staffList, staffRights } from './staff/staff.ts';
import { bulkReadEvents, bulkReadRights, bulkReads } from './support/bulk-reads.ts';
import { letters, lettersEvents, lettersRights } from './support/letters.ts';
import { lookEvents, lookRights, looks } from './support/look.ts';
import { readEvents, readRights, reads } from './support/reads.ts';
import { customerOfTicket, ticket, ticketEvents, ticketRights } from './support/ticket.ts';
import { vaultName, vaultNameEvents, vaultNameRights } from './vaults/vault-name.ts';

/** The owner of a stream that is named after its customer. */
const named = (_: unknown, customerId: string): string => customerId;

interface OfStore {
  readonly storeId?: string | undefined;
}
const inCommand = (_: unknown, { storeId }: OfStore): string | undefined => storeId;
/** A stream that has not begun is of the store of its first command. */
const inStateOrCommand = ({ storeId }: OfStore, command: OfStore): string | undefined => storeId || command.storeId;

/**
 * THE list of all stream families: family (the part of a stream's name before the first dash) → its decider, its event
 * schemas, how older versions are read (`upcasters`: event type → one step for each old version), and who may ask for each
 * command. `owner`: the customer to whom a stream belongs. `store`: the stores to which it belongs, or which the command is about.
 */
export const ledger = {
  catalogue: {
    decider: catalogue,
    events: catalogueEvents,
    upcasters: {},
    rights: catalogueRights,
    store: inCommand,
  },
  policy: { decider: policy, events: policyEvents, upcasters: policyUpcasters, rights: policyRights },
  customer: {
    decider: customer,
    events: customerEvents,
    upcasters: customerUpcasters,
    rights: customerRights,
    owner: named,
    store: inStateOrCommand,
  },
  businesses: { decider: businessMerges, events: businessMergeEvents, upcasters: {}, rights: businessMergeRights },
  address: { decider: address, events: addressEvents, upcasters: addressUpcasters, rights: addressRights },
  contacts: { decider: contactBook, events: contactBookEvents, upcasters: {}, rights: contactBookRights, owner: named },
  lead: { decider: lead, events: leadEvents, upcasters: leadUpcasters, rights: leadRights },
  person: { decider: personClaim, events: personClaimEvents, upcasters: {}, rights: personClaimRights },
  coupon: {
    decider: coupon,
    events: couponEvents,
    upcasters: {},
    rights: couponRights,
    // For one customer it is about the customer's store; else about all where it is valid.
    store: ({ defined }: CouponState, { storeId, storeIds }: OfStore & { readonly storeIds?: readonly string[] }) =>
      storeId ?? defined?.storeIds ?? storeIds,
  },
  checkout: {
    decider: checkout,
    events: checkoutEvents,
    upcasters: {},
    rights: checkoutRights,
    owner: customerOfCheckout,
    store: ({ wishes }: { wishes?: OfStore }, command: OfStore) => (wishes ?? command).storeId,
  },
  order: {
    decider: order,
    events: orderEvents,
    upcasters: orderUpcasters,
    rights: orderRights,
    owner: customerOfOrder,
    store: ({ terms }: { terms?: OfStore }, command: OfStore) => (terms ?? command).storeId,
  },
  payment: { decider: paymentClaim, events: paymentClaimEvents, upcasters: {}, rights: paymentClaimRights },
  programme: {
    decider: programme,
    events: programmeEvents,
    upcasters: programmeUpcasters,
    rights: programmeRights,
    owner: customerOfProgramme,
    store: inStateOrCommand,
  },
  replacement: {
    decider: replacement,
    events: replacementEvents,
    upcasters: replacementUpcasters,
    rights: replacementRights,
    owner: customerOfReplacement,
    store: inStateOrCommand,
  },
  receipts: {
    decider: receipts,
    events: receiptEvents,
    upcasters: {},
    rights: receiptRights,
    store: (_: unknown, __: unknown, storeId: string) => storeId,
  },
  mail: {
    decider: mail,
    events: mailEvents,
    upcasters: { ...mailUpcasters, ...mailWishUpcasters },
    rights: mailRights,
    store: inCommand,
  },
  webhook: {
    decider: webhook,
    events: webhookEvents,
    upcasters: webhookUpcasters,
    rights: webhookRights,
    owner: customerOfWebhook,
    store: inCommand,
  },
  ticket: {
    decider: ticket,
    events: ticketEvents,
    upcasters: {},
    rights: ticketRights,
    owner: customerOfTicket,
    store: inStateOrCommand,
  },
  letters: { decider: letters, events: lettersEvents, upcasters: {}, rights: lettersRights, owner: named },
  looks: { decider: looks, events: lookEvents, upcasters: {}, rights: lookRights, owner: named },
  reads: { decider: reads, events: readEvents, upcasters: {}, rights: readRights },
  bulkreads: { decider: bulkReads, events: bulkReadEvents, upcasters: {}, rights: bulkReadRights },
  staff: { decider: staffList, events: staffEvents, upcasters: {}, rights: staffRights },
  factors: {
    decider: factors,
    events: factorEvents,
    upcasters: {},
    rights: factorRights,
    owner: ({ customerId }: { customerId?: string }) => customerId,
    store: inCommand,
  },
  signins: {
    decider: signIns,
    events: signInEvents,
    upcasters: {},
    rights: signInRights,
    owner: ({ customerId }: { customerId?: string }) => customerId,
  },
  apikeys: { decider: apiKeys, events: apiKeyEvents, upcasters: {}, rights: apiKeyRights },
  erasures: { decider: erasures, events: erasureEvents, upcasters: {}, rights: erasureRights },
  approvals: { decider: approvals, events: approvalEvents, upcasters: {}, rights: approvalRights },
  log: { decider: logOrigin, events: logOriginEvents, upcasters: {}, rights: logOriginRights },
  vault: { decider: vaultName, events: vaultNameEvents, upcasters: {}, rights: vaultNameRights },
} satisfies Record<string, Family>;

// biome-ignore lint/suspicious/noExplicitAny: the list is read by name; each entry is checked in its own file
type AnyDecider = Decider<any, any, any>;

/** Takes the data of an event as version n wrote it and returns it as version n + 1 would have. */
type Upcaster = (data: Record<string, unknown>) => Record<string, unknown>;

export interface Family {
  readonly decider: AnyDecider;
  readonly events: EventSchemas;
  readonly upcasters: Readonly<Record<string, readonly Upcaster[]>>;
  readonly rights: Readonly<Record<string, Rule<never, never>>>;
  readonly owner?: (state: never, id: string) => string | undefined;
  readonly store?: (state: never, command: never, id: string) => string | readonly string[] | undefined;
}

type Ledger = typeof ledger;
export type FamilyName = keyof Ledger;
export type StateOf<Name extends FamilyName> = ReturnType<Ledger[Name]['decider']['initialState']>;
export type CommandOf<Name extends FamilyName> = Parameters<Ledger[Name]['decider']['decide']>[0];
export type EventOf<Name extends FamilyName> = Parameters<Ledger[Name]['decider']['evolve']>[1];
export type AnyCommand = { [Name in FamilyName]: CommandOf<Name> }[FamilyName];
export type AnyEvent = { [Name in FamilyName]: EventOf<Name> }[FamilyName];
export type EventTypeName = AnyEvent['type'];

// A command without a line in the rights of its family does not compile.
ledger satisfies { readonly [Name in FamilyName]: { readonly rights: RightsOf<CommandOf<Name>, StateOf<Name>> } };

/** Whether a stream belongs to the ledger. A server's log may hold streams of others. */
export const isOfLedger = (stream: string): boolean => Object.hasOwn(ledger, stream.slice(0, stream.indexOf('-')));

export const families = Object.keys(ledger) as readonly FamilyName[];

/** The families that have events of one of these types. */
export const familiesWith = (types: readonly string[]): readonly FamilyName[] =>
  families.filter((name) => types.some((type) => Object.hasOwn(ledger[name].events, type)));

/** The family that a stream belongs to. @throws RangeError for a stream of no family. */
export function familyOf(stream: string): FamilyName {
  const name = stream.slice(0, stream.indexOf('-'));
  if (!Object.hasOwn(ledger, name)) throw new RangeError(`stream ${stream} belongs to no family of the ledger`);
  return name as FamilyName;
}
