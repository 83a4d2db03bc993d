import { address, addressEvents } from './accounts/address.ts';
import { customer, customerEvents } from './accounts/customer.ts';
import { catalogue, catalogueEvents } from './catalogue/catalogue.ts';
import { checkout, checkoutEvents } from './checkouts/checkout.ts';
import { coupon, couponEvents } from './coupons/coupon.ts';
import type { Decider } from './kernel/decider.ts';
import type { EventSchemas } from './kernel/events.ts';
import { contactBook, contactBookEvents } from './leads/contact-book.ts';
import { lead, leadEvents } from './leads/lead.ts';
import { programme, programmeEvents } from './loyalty/programme.ts';
import { mail, mailEvents } from './notifications/mail.ts';
import { webhook, webhookEvents } from './notifications/webhook.ts';
import { order, orderEvents } from './orders/order.ts';
import { policy, policyEvents, policyUpcasters } from './policy/policy.ts';
import { replacement, replacementEvents } from './replacements/replacement.ts';
import { lookEvents, looks } from './support/look.ts';
import { ticket, ticketEvents } from './support/ticket.ts';

/**
 * THE list of all stream families: family (the part of a stream's name before the first dash) → its decider, its event
 * schemas, and how older versions are read (`upcasters`: event type → one step for each old version).
 */
export const ledger = {
  catalogue: { decider: catalogue, events: catalogueEvents, upcasters: {} },
  policy: { decider: policy, events: policyEvents, upcasters: policyUpcasters },
  customer: { decider: customer, events: customerEvents, upcasters: {} },
  address: { decider: address, events: addressEvents, upcasters: {} },
  contacts: { decider: contactBook, events: contactBookEvents, upcasters: {} },
  lead: { decider: lead, events: leadEvents, upcasters: {} },
  coupon: { decider: coupon, events: couponEvents, upcasters: {} },
  checkout: { decider: checkout, events: checkoutEvents, upcasters: {} },
  order: { decider: order, events: orderEvents, upcasters: {} },
  programme: { decider: programme, events: programmeEvents, upcasters: {} },
  replacement: { decider: replacement, events: replacementEvents, upcasters: {} },
  mail: { decider: mail, events: mailEvents, upcasters: {} },
  webhook: { decider: webhook, events: webhookEvents, upcasters: {} },
  ticket: { decider: ticket, events: ticketEvents, upcasters: {} },
  looks: { decider: looks, events: lookEvents, upcasters: {} },
} satisfies Record<string, Family>;

// biome-ignore lint/suspicious/noExplicitAny: the list is read by name; each entry is checked in its own file
type AnyDecider = Decider<any, any, any>;

/** Takes the data of an event as version n wrote it and returns it as version n + 1 would have. */
type Upcaster = (data: Record<string, unknown>) => Record<string, unknown>;

export interface Family {
  readonly decider: AnyDecider;
  readonly events: EventSchemas;
  readonly upcasters: Readonly<Record<string, readonly Upcaster[]>>;
}

type Ledger = typeof ledger;
export type FamilyName = keyof Ledger;
export type StateOf<Name extends FamilyName> = ReturnType<Ledger[Name]['decider']['initialState']>;
export type CommandOf<Name extends FamilyName> = Parameters<Ledger[Name]['decider']['decide']>[0];
export type EventOf<Name extends FamilyName> = Parameters<Ledger[Name]['decider']['evolve']>[1];
export type AnyCommand = { [Name in FamilyName]: CommandOf<Name> }[FamilyName];
export type AnyEvent = { [Name in FamilyName]: EventOf<Name> }[FamilyName];
export type EventTypeName = AnyEvent['type'];

/** Whether a stream belongs to the ledger. A server's log may hold streams of others. */
export const isOfLedger = (stream: string): boolean => Object.hasOwn(ledger, stream.slice(0, stream.indexOf('-')));

/** The family that a stream belongs to. @throws RangeError for a stream of no family. */
export function familyOf(stream: string): FamilyName {
  const name = stream.slice(0, stream.indexOf('-'));
  if (!Object.hasOwn(ledger, name)) throw new RangeError(`stream ${stream} belongs to no family of the ledger`);
  return name as FamilyName;
}
