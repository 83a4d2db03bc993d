import { addressStream } from '#domain/accounts/address';
import { refuseBusiness } from '#domain/accounts/business';
import {
  type CustomerCommand,
  customer,
  customerStream,
  isRegistered,
  type Registration,
} from '#domain/accounts/customer';
import { CONFIRMATION_MINUTES } from '#domain/accounts/link';
import type { PersonName, PostalAddress } from '#domain/accounts/personal';
import { catalogueStream, unknownStore } from '#domain/catalogue/catalogue';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import type { PromisedOrder } from '#domain/orders/order';
import { BEFORE_FIRST } from '#event-store/port';
import { addressKeyOf, newLink, presentBusinessKeysOf, seal, sealSecret } from './account-seals.ts';
import { changesAccount, claimAddress, stepOfAddress } from './address-claim.ts';
import { type Outcome, TooMuchContention } from './addressed-command.ts';
import { refuseGuessable } from './guessable-passwords.ts';
import { verifierOf } from './password-hash.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

export interface RegistrationRequest {
  readonly storeId: string;
  readonly businessAssociation: string;
  readonly timeZone: string;
  /** Absent for customers that the staff migrated from another system; they have no password. */
  readonly email?: string;
  readonly password?: string;
  readonly name?: PersonName;
  readonly postalAddress?: PostalAddress;
}

/** What somebody says of themselves who orders without sign-in (ACC-7). */
export interface AccountDetails extends RegistrationRequest {
  readonly email: string;
}

/**
 * ACC-1, ACC-2. With an address that has an account, the answer is the same, and names an account that there is not: only the
 * owner of the address is told, by mail.
 */
export async function register(
  tools: RequestTools,
  request: RegistrationRequest,
  context: RequestContext,
): Promise<Receipt> {
  const customerId = deriveId('customer', context.commandId);
  const refusal = await refuseAccount(tools, request);
  if (refusal) return tools.send(customerId, customerStream(customerId), refusal, context);
  const { email } = request;
  if (email !== undefined) return registerAddress(tools, { ...request, email }, context);
  const draft = { type: 'RegisterCustomer', storeId: request.storeId } as const;
  const noRight = checkRightEarly(customerStream(customerId), draft, customer.initialState(), context);
  if (noRight) return tools.refuse(customerId, customerStream(customerId), noRight, context);
  const registration = await sealedRegistration(tools, customerId, request);
  const verifier = await sealedVerifier(tools, customerId, request);
  const command = { type: 'RegisterCustomer', at: tools.now(), ...registration, ...verifier } as const;
  return tools.send(customerId, customerStream(customerId), command, context);
}

async function registerAddress(tools: RequestTools, details: AccountDetails, context: RequestContext) {
  const { receipt, isNew } = await openAccount(tools, details, context);
  if (!isNew) await warnHolder(tools, details, context);
  return receipt;
}

/** @returns why no account can be made of these details, whatever the address */
export async function refuseAccount(
  tools: RequestTools,
  { storeId, businessAssociation, email, password }: RegistrationRequest,
): Promise<Refusal | undefined> {
  const { stores } = await tools.stateOf<'catalogue'>(catalogueStream);
  const store = stores.get(storeId);
  if (!store) return unknownStore(storeId);
  return (
    refuseBusiness(businessAssociation) ??
    (password === undefined ? undefined : refuseGuessable(password, [email, store.name]))
  );
}

/** ACC-2: somebody else may have typed the address. */
export async function warnHolder(
  tools: RequestTools,
  { email }: AccountDetails,
  context: RequestContext,
): Promise<void> {
  const command = { type: 'WarnHolder', at: tools.now() } as const;
  await stepOfAddress(tools, addressKeyOf(tools.vault, email), 'warn-holder', command, context);
}

/** An order that is placed once its account is there: after a crash, the process `address-claims` places it (ACC-7). */
export interface OrderInClaim {
  readonly orderId: string;
  readonly order: PromisedOrder;
}

interface OpenedAccount {
  /** Of the address. */
  readonly customerId: string;
  readonly isNew: boolean;
  /** What is answered to a registration: that of a new account, in either case. */
  readonly receipt: Receipt;
}

/**
 * The account of an address, which is made if there is none. The address is claimed first, and the claim carries the whole
 * registration: after a crash between the two steps, the process `address-claims` finishes it.
 */
export async function openAccount(
  tools: RequestTools,
  details: AccountDetails,
  context: RequestContext,
  orderOf: (customerId: string) => Promise<OrderInClaim | undefined> = async () => undefined,
): Promise<OpenedAccount> {
  const customerId = await newCustomerId(tools, context);
  const command = await registering(tools, customerId, details);
  const asked = { tools, context, customerId, command };
  if (!(await changesAccount(tools, customerId, command, context))) return registered(asked);
  const { type: _, at, verifier, confirmation, ...registration } = command;
  const order = await orderOf(customerId);
  const proofs = { ...(verifier && { verifier }), confirmation };
  const purpose = { for: 'registration', registration, ...proofs, ...(order && { order }) } as const;
  const claim = { type: 'ClaimAddress', at, customerId, purpose } as const;
  const refusal = await claimAddress(tools, command.addressKey, claim, context);
  return refusal ? accountOfHolder(asked) : registered(asked);
}

type Registering = Awaited<ReturnType<typeof registering>>;

interface Asked {
  readonly tools: RequestTools;
  readonly context: RequestContext;
  readonly customerId: string;
  readonly command: Registering;
}

async function registered({ tools, context, customerId, command }: Asked): Promise<OpenedAccount> {
  const receipt = await tools.send(customerId, customerStream(customerId), command, context);
  return { customerId, isNew: true, receipt: { ...receipt, outcome: asOfNew(receipt.outcome, command) } };
}

/** The request of the holder may be between its two steps. */
async function accountOfHolder({ tools, context, customerId, command }: Asked): Promise<OpenedAccount> {
  const { customerId: holder, purpose } = await tools.stateOf<'address'>(addressStream(command.addressKey));
  if (holder === undefined) throw new TooMuchContention();
  const stream = customerStream(holder);
  if (purpose?.for === 'registration' && !isRegistered(await tools.stateOf<'customer'>(stream))) {
    const { registration, verifier, confirmation } = purpose;
    const step = { caller: context.caller, commandId: deriveId('finish-registration', context.commandId) };
    const finish = { type: 'RegisterCustomer', at: tools.now(), ...registration, verifier, confirmation } as const;
    await tools.send(holder, stream, finish, step);
  }
  const receipt = { id: customerId, outcome: asOfNew(nothingRecorded, command) };
  return { customerId: holder, isNew: false, receipt };
}

const nothingRecorded: Outcome = {
  kind: 'accepted',
  events: [],
  revision: -1,
  position: BEFORE_FIRST,
  repeated: false,
};

/** What was recorded would tell whether the address has an account: the answer has what a new account records. */
function asOfNew(outcome: Outcome, command: CustomerCommand): Outcome {
  const events = customer.decide(command, customer.initialState());
  return outcome.kind === 'accepted' && !isRefusal(events) ? { ...outcome, events } : outcome;
}

/**
 * Who knows the key of a request cannot compute the id, and so cannot recognise it. A key that comes with other details names
 * another account: that it was used would tell that the first details made one.
 */
async function newCustomerId({ vault, stateOf }: RequestTools, { commandId, requestHash }: RequestContext) {
  // As versions before made it: their requests may be repeated.
  const former = deriveId('customer', commandId);
  if (requestHash === undefined || isRegistered(await stateOf<'customer'>(customerStream(former)))) return former;
  return deriveId('customer', commandId, vault.personKey('request', requestHash));
}

async function registering(tools: RequestTools, customerId: string, details: AccountDetails) {
  return {
    type: 'RegisterCustomer' as const,
    at: tools.now(),
    ...(await sealedRegistration(tools, customerId, details)),
    email: await seal(tools.vault, customerId, 'email', details.email),
    addressKey: addressKeyOf(tools.vault, details.email),
    ...(await sealedVerifier(tools, customerId, details)),
    confirmation: await newLink(tools, customerId, CONFIRMATION_MINUTES),
  };
}

async function sealedRegistration(
  tools: RequestTools,
  customerId: string,
  { businessAssociation, email: _, password: __, name, postalAddress, ...plain }: RegistrationRequest,
): Promise<Registration> {
  const { vault } = tools;
  return {
    ...plain,
    businessAssociation: await seal(vault, customerId, 'business-association', businessAssociation),
    ...(await presentBusinessKeysOf(tools, businessAssociation)),
    ...(name && { name: await seal(vault, customerId, 'name', name) }),
    ...(postalAddress && { postalAddress: await seal(vault, customerId, 'postal-address', postalAddress) }),
  };
}

const sealedVerifier = async ({ vault }: RequestTools, customerId: string, { password }: RegistrationRequest) =>
  password === undefined
    ? {}
    : { verifier: await sealSecret(vault, customerId, 'password-verifier', await verifierOf(password)) };
