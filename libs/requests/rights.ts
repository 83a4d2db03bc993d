import { idOf } from '#domain/codec';
import type { Refusal } from '#domain/kernel/decider';
import { type CommandOf, type FamilyName, familyOf, type StateOf } from '#domain/ledger';
import {
  type Asked,
  type AskedBy,
  anyone,
  customerIn,
  processOnly,
  type Rule,
  refuseOtherAccount,
  refuseStranger,
  staff,
  support,
} from './rules.ts';

const customerOfCommand =
  (rule: string): Rule<{ readonly customerId: string }> =>
  (asked) =>
    refuseStranger(asked.command.customerId, asked, rule);

const accountOfCommand =
  (rule: string): Rule<{ readonly customerId: string }> =>
  (asked) =>
    refuseOtherAccount(asked.command.customerId, asked, rule);

const ownerOfAccount: Rule = (asked) => refuseOtherAccount(asked.id, asked, 'ACC-4');
const ownerOfContactBook: Rule = (asked) => refuseStranger(asked.id, asked, 'RPL-1');

const ownerOfCheckout: Rule<unknown, StateOf<'checkout'>> = (asked) =>
  refuseStranger(customerIn.checkout(asked.state), asked, 'CHK-1');

const ownerOfOrder: Rule<unknown, StateOf<'order'>> = (asked) =>
  refuseStranger(customerIn.order(asked.state), asked, 'BCK-2');

const ownerOfProgramme: Rule<unknown, StateOf<'programme'>> = (asked) =>
  refuseStranger(customerIn.programme(asked.state), asked, 'BCK-2');

const ownerOfTicket: Rule<unknown, StateOf<'ticket'>> = (asked) =>
  refuseOtherAccount(customerIn.ticket(asked.state), asked, 'SUP-1');

const ownerOfWebhook: Rule<unknown, StateOf<'webhook'>> = (asked) =>
  refuseOtherAccount(asked.state.wish?.customerId, asked, 'ACC-4');

export type Rights = {
  readonly [Name in FamilyName]: {
    readonly [Type in CommandOf<Name>['type']]: Rule<Extract<CommandOf<Name>, { type: Type }>, StateOf<Name>>;
  };
};

/** THE table: who may ask for which command. A command without a line here does not compile. */
export const rights = {
  catalogue: {
    OpenStore: staff('STO-1'),
    SetStatementDescriptor: staff('STO-2'),
    DefineLeadType: staff('CAT-1'),
    SetPrice: staff('CAT-3'),
  },
  policy: { PublishPolicy: staff('POL-1') },
  customer: {
    RegisterCustomer: anyone,
    ChangeBusinessAssociation: ownerOfAccount,
    ChangeTimeZone: ownerOfAccount,
    ChangeName: ownerOfAccount,
    ChangePostalAddress: ownerOfAccount,
    ChangeMailPreferences: ownerOfAccount,
    ChooseLeadDelivery: ownerOfAccount,
    SetPassword: ownerOfAccount,
    RequestEmailChange: ownerOfAccount,
    // The link gives the right: it was sent only to that address.
    ConfirmEmailChange: anyone,
    RequestPasswordRecovery: anyone,
    RecoverPassword: anyone,
  },
  // Steps of a registration or of a change of address. No route leads here.
  address: { ClaimAddress: anyone, ReleaseAddress: anyone },
  contacts: { AddContact: processOnly, RemoveContact: processOnly, RateContact: ownerOfContactBook },
  lead: {
    ReceiveLead: anyone,
    AssignLead: processOnly,
    ReleaseLead: processOnly,
    AgeLead: processOnly,
    WithdrawLead: processOnly,
  },
  coupon: {
    DefineCoupon: staff('CPN-3'),
    GiveAlternativeCoupon: support('CPN-4'),
    TryCoupon: customerOfCommand('CHK-1'),
  },
  checkout: {
    StartCheckout: customerOfCommand('CHK-1'),
    TakeCoupon: ownerOfCheckout,
    RecordPlaced: processOnly,
    AbandonCheckout: processOnly,
  },
  order: {
    PlaceOrder: customerOfCommand('CHK-1'),
    CapturePayment: processOnly,
    DeclinePayment: processOnly,
    PauseOrder: ownerOfOrder,
    RestartOrder: ownerOfOrder,
    RestartAutomatically: processOnly,
    ReopenOrder: processOnly,
    ChangeDailyMaximum: support('ORD-4'),
    ChangePaymentCard: support('ORD-4'),
    CancelOrder: ownerOfOrder,
    DeliverLead: processOnly,
    OweReplacement: processOnly,
  },
  programme: {
    JoinProgramme: processOnly,
    AnnounceRenewal: processOnly,
    BeginRenewal: processOnly,
    RecordRenewalPaid: processOnly,
    RecordRenewalDeclined: processOnly,
    HoldProgramme: ownerOfProgramme,
    ActivateProgramme: ownerOfProgramme,
    CancelProgramme: ownerOfProgramme,
  },
  replacement: {
    RequestReplacement: customerOfCommand('RPL-1'),
    GrantChargeback: support('SUP-2'),
    DenyChargeback: support('SUP-2'),
    RecordOverdue: processOnly,
    RecordReplacementDelivered: processOnly,
  },
  mail: {
    WishMail: processOnly,
    RecordMailSent: processOnly,
    RecordMailRefused: processOnly,
    RecordMailWithheld: processOnly,
  },
  webhook: {
    WishWebhook: processOnly,
    RecordWebhookAccepted: processOnly,
    RecordWebhookFailed: processOnly,
    ReplayWebhook: ownerOfWebhook,
  },
  ticket: {
    OpenTicket: accountOfCommand('SUP-1'),
    AnswerTicket: support('SUP-2'),
    WriteAgain: ownerOfTicket,
    CloseTicket: ownerOfTicket,
    RecordTicketOverdue: processOnly,
  },
  looks: { ShowCustomerHistory: support('SUP-2') },
} satisfies Rights;

type Table = typeof rights;
// biome-ignore lint/suspicious/noExplicitAny: each rule knows its own state
type CommandOfRule<AnyRule> = AnyRule extends Rule<infer Command, any> ? Command : never;

/** A command that is still to be made: its type, and of its data what the rule needs. */
type DraftOf<Name extends FamilyName> = {
  [Type in keyof Table[Name]]: { readonly type: Type } & CommandOfRule<Table[Name][Type]>;
}[keyof Table[Name]];

/**
 * For a request that must know before it seals data, or takes a first step: may the caller ask for this command?
 * @returns why not; undefined when it may
 */
export const checkRightEarly = <Name extends FamilyName>(
  stream: `${Name}-${string}`,
  draft: DraftOf<Name>,
  state: StateOf<Name>,
  by: AskedBy,
): Refusal | undefined => checkRight(stream, draft as { type: string }, state, by);

/**
 * May the caller ask for this command, by the state that the stream has now?
 * @returns why not; undefined when it may
 * @throws RangeError for a command that the stream does not know
 */
export function checkRight(
  stream: string,
  command: { readonly type: string },
  state: unknown,
  { caller, reason }: AskedBy,
): Refusal | undefined {
  const rules: Readonly<Record<string, Rule<never, never>>> = rights[familyOf(stream)];
  const rule = Object.hasOwn(rules, command.type) ? rules[command.type] : undefined;
  if (!rule) throw new RangeError(`${command.type} is no command of ${stream}`);
  return rule({ caller, reason, command, state, id: idOf(stream) } as Asked<never, never>);
}
