import { refuseBusiness } from '#domain/accounts/business';
import { type CustomerCommand, customerStream, wrongPassword } from '#domain/accounts/customer';
import { linkIsGood } from '#domain/accounts/link';
import type { PersonName, PostalAddress } from '#domain/accounts/personal';
import { isStaff } from '#domain/kernel/caller';
import type { MailKind } from '#domain/notifications/kinds';
import type { CustomerRow } from '#read-models/models/customers';
import type { Marked } from '#read-models/queries/damaged';
import { addressKeyOf, changeSealed, hashOfToken, newLink, presentBusinessKeysOf, seal } from './account-seals.ts';
import { changesAccount, claimAddress, stepOfAddress } from './address-claim.ts';
import { type RegistrationRequest, register } from './new-accounts.ts';
import { isPasswordOf } from './passwords.ts';
import { listOpened, type OpenedRow, openColumns, type QueryTools } from './query-tools.ts';
import { type Receipt, type RequestContext, type RequestTools, whateverRevision } from './request-tools.ts';

/** Accounts of customers (ACC): names and addresses are sealed here. */
export function accountRequests(tools: RequestTools) {
  const { now } = tools;
  const send = (customerId: string, command: CustomerCommand, context: RequestContext) =>
    tools.send(customerId, customerStream(customerId), command, context);
  return {
    register: (request: RegistrationRequest, context: RequestContext) => register(tools, request, context),
    changeBusinessAssociation: (customerId: string, businessAssociation: string, context: RequestContext) =>
      changeBusinessAssociation(tools, customerId, businessAssociation, context),
    changeTimeZone: (customerId: string, timeZone: string, context: RequestContext) =>
      send(customerId, { type: 'ChangeTimeZone', at: now(), timeZone }, context),
    changeMailPreferences: (customerId: string, off: readonly MailKind[], context: RequestContext) =>
      send(customerId, { type: 'ChangeMailPreferences', at: now(), off }, context),
    changeName: (customerId: string, name: PersonName, context: RequestContext) =>
      changeName(tools, customerId, name, context),
    changePostalAddress: (customerId: string, postalAddress: PostalAddress, context: RequestContext) =>
      changePostalAddress(tools, customerId, postalAddress, context),
    requestEmailChange: (customerId: string, wish: AddressWish, context: RequestContext) =>
      requestEmailChange(tools, customerId, wish, context),
    confirmAddress: (customerId: string, token: string, context: RequestContext) =>
      confirmAddress(tools, customerId, token, context),
  };
}

/** ACC-4, ACC-5. The same name again stays in its box, so that nothing is recorded. */
const changeBusinessAssociation = (tools: RequestTools, customerId: string, name: string, context: RequestContext) =>
  changeSealed(tools, customerId, 'ChangeBusinessAssociation', context, async ({ businessAssociation: present }) => {
    const refusal = refuseBusiness(name);
    if (refusal) return refusal;
    const { vault, now } = tools;
    const isSame = (await vault.open(present)) === name;
    const businessAssociation = isSame ? present : await seal(vault, customerId, 'business-association', name);
    const keys = await presentBusinessKeysOf(tools, name);
    return { type: 'ChangeBusinessAssociation', at: now(), businessAssociation, ...keys };
  });

const changeName = (tools: RequestTools, customerId: string, name: PersonName, context: RequestContext) =>
  changeSealed(tools, customerId, 'ChangeName', context, async () => ({
    type: 'ChangeName',
    at: tools.now(),
    name: await seal(tools.vault, customerId, 'name', name),
  }));

const changePostalAddress = (
  tools: RequestTools,
  customerId: string,
  postalAddress: PostalAddress,
  context: RequestContext,
) =>
  changeSealed(tools, customerId, 'ChangePostalAddress', context, async () => ({
    type: 'ChangePostalAddress',
    at: tools.now(),
    postalAddress: await seal(tools.vault, customerId, 'postal-address', postalAddress),
  }));

interface AddressWish {
  readonly email: string;
  /** Of a customer who signed in. */
  readonly currentPassword?: string | undefined;
}

/**
 * ACC-4: a link goes to the new address, which becomes the customer's once the link is followed. ACC-2: all is the same where
 * another account has the address, but for what the mail says.
 */
const requestEmailChange = (
  tools: RequestTools,
  customerId: string,
  { email, currentPassword = '' }: AddressWish,
  context: RequestContext,
) =>
  changeSealed(tools, customerId, 'RequestEmailChange', context, async () => {
    // A session alone moves no account: whoever found it open would get the next link for a new password.
    const { authenticated } = context.caller;
    const isSignedIn = authenticated === 'session' && context.caller.actor === `customer:${customerId}`;
    if (isSignedIn && !(await isPasswordOf(tools, customerId, currentPassword))) return wrongPassword;
    const addressKey = addressKeyOf(tools.vault, email);
    const wanted = { type: 'WantAddress', at: tools.now(), customerId } as const;
    const tooOften = await stepOfAddress(tools, addressKey, 'want-address', wanted, context);
    if (tooOften) return tooOften;
    const sealed = await seal(tools.vault, customerId, 'email', email);
    const link = await newLink(tools, customerId);
    return { type: 'RequestEmailChange', at: tools.now(), email: sealed, addressKey, ...link };
  });

/** The link in a mail proves the address of an account (ACC-6), or gives it another one (ACC-4). */
async function confirmAddress(
  tools: RequestTools,
  customerId: string,
  token: string,
  context: RequestContext,
): Promise<Receipt> {
  const stream = customerStream(customerId);
  const { confirmation } = await tools.stateOf<'customer'>(stream);
  const tokenHash = hashOfToken(token);
  return confirmation?.tokenHash === tokenHash
    ? tools.send(customerId, stream, { type: 'ConfirmAddress', at: tools.now(), tokenHash }, context)
    : confirmEmailChange(tools, customerId, tokenHash, context);
}

/** Anyone with the link may use it. The process `address-claims` releases the old address. */
async function confirmEmailChange(
  tools: RequestTools,
  customerId: string,
  tokenHash: string,
  context: RequestContext,
): Promise<Receipt> {
  const at = tools.now();
  const stream = customerStream(customerId);
  const command = { type: 'ConfirmEmailChange', at, tokenHash, claimedAt: at } as const;
  const { emailChange } = await tools.stateOf<'customer'>(stream);
  // Others may name any revision: that there is none would tell, too.
  if (!linkIsGood(emailChange, tokenHash, at))
    return tools.send(customerId, stream, command, mayRead(context, customerId) ? context : whateverRevision(context));
  if (!emailChange || !(await changesAccount(tools, customerId, command, context)))
    return tools.send(customerId, stream, command, context);
  const claim = { type: 'ClaimAddress', at, customerId, purpose: { for: 'change', tokenHash } } as const;
  const refusal = await claimAddress(tools, emailChange.addressKey, claim, context);
  // A claim that was made must be completed: it is too late to compare revisions.
  return tools.send(customerId, stream, refusal ?? command, whateverRevision(context));
}

const mayRead = ({ caller: { actor, roles } }: RequestContext, customerId: string): boolean =>
  isStaff(roles) || actor === `customer:${customerId}`;

interface PersonalColumns {
  readonly businessAssociation: string;
  readonly email: string;
  readonly newEmail: string;
  readonly name: PersonName;
  readonly postalAddress: PostalAddress;
}
const personalColumns = ['businessAssociation', 'email', 'newEmail', 'name', 'postalAddress'] as const;

type CustomerDetails = OpenedRow<Marked<CustomerRow>, PersonalColumns>;

/** Accounts with their personal data opened. */
export function accountQueries(tools: QueryTools) {
  const { customers } = tools.rows;
  const open = (context: RequestContext, row: Marked<CustomerRow>) =>
    openColumns<Marked<CustomerRow>, PersonalColumns>(tools, context, row, personalColumns);
  return {
    list: listOpened(customers.list, open),
    async get(context: RequestContext, { customerId }: { customerId: string }): Promise<CustomerDetails | undefined> {
      const row = await customers.find(context.caller, customerId);
      return row && open(context, row);
    },
  };
}
