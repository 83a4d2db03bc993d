import { hash, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type AddressCommand, addressStream, addressTaken } from '#domain/accounts/address';
import {
  type CustomerCommand,
  type CustomerState,
  customer,
  customerStream,
  isRegistered,
  type LeadDelivery,
  LINK_MINUTES,
  linkDead,
  linkIsGood,
  notRegistered,
  type Registration,
} from '#domain/accounts/customer';
import type { PersonName, PostalAddress } from '#domain/accounts/personal';
import { catalogueStream, unknownStore } from '#domain/catalogue/catalogue';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant, Sealed, Secret } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import { normaliseEmail } from '#domain/leads/contact';
import type { MailKind } from '#domain/notifications/kinds';
import type { Clock } from '#gateways/clock';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, notOwner, type Send } from './caller.ts';
import type { Ledger } from './ledger.ts';
import { matches, type Verifier, verifierOf } from './passwords.ts';

export interface RegisterCustomer {
  readonly storeId: string;
  readonly businessAssociation: string;
  readonly timeZone: string;
  /** Absent for customers whom the staff took over from elsewhere; they have no password then. */
  readonly email?: string;
  readonly password?: string;
  readonly name?: PersonName;
  readonly postalAddress?: PostalAddress;
}

export interface OpenedLeadDelivery {
  readonly mails: LeadDelivery['mails'];
  readonly webhookUrl: string | null;
  readonly signingSecret: string | null;
}

interface Needs {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** Every answer to "I forgot my password" takes at least so long, whether there is such an account or not (ACC-3). */
const RECOVERY_MILLISECONDS = 300;

/**
 * What customers ask about their accounts (ACC). Names, addresses, passwords and links are sealed here; what opens doors
 * as a secret, which no history shows. Chance comes in here, too: salts and tokens.
 */
export class Accounts {
  readonly #needs: Needs;
  readonly #send: Send;

  constructor(needs: Needs, send: Send) {
    this.#needs = needs;
    this.#send = send;
  }

  /**
   * ACC-1, ACC-2. The address is claimed first, and the claim says all about the registration: after a crash between
   * the two, `address-claims` brings it to its end.
   */
  async register(request: RegisterCustomer, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const { email, password, name, postalAddress, ...plain } = request;
    const customerId = deriveId('customer', caller.commandId);
    const send = (command: CustomerCommand | Refusal) =>
      this.#send(customerId, customerStream(customerId), command, this.#guarded(caller));

    const { state: catalogue } = await this.#needs.ledger.read<'catalogue'>(catalogueStream);
    if (!catalogue.stores.has(request.storeId)) return send(unknownStore(request.storeId));

    const registration: Registration = {
      ...plain,
      ...(email !== undefined && { email: await this.#seal(customerId, email), addressKey: this.#addressKey(email) }),
      ...(name && { name: await this.#seal(customerId, name) }),
      ...(postalAddress && { postalAddress: await this.#seal(customerId, postalAddress) }),
    };
    const verifier =
      password === undefined ? {} : { verifier: await this.#secret(customerId, await verifierOf(password)) };
    const command = { type: 'RegisterCustomer', at, ...registration, ...verifier } as const;
    const { addressKey } = registration;
    // No address is claimed for what would be refused, or is done already.
    if (addressKey === undefined || !(await this.#leadsToSomething(customerId, command, caller))) return send(command);
    const purpose = { for: 'registration', registration, ...verifier } as const;
    const refusal = await this.#claim(addressKey, { type: 'ClaimAddress', at, customerId, purpose }, caller);
    return send(refusal ?? command);
  }

  changeBusinessAssociation(customerId: string, businessAssociation: string, caller: Caller): Promise<Answer> {
    return this.#change(
      customerId,
      { type: 'ChangeBusinessAssociation', at: this.#now(), businessAssociation },
      caller,
    );
  }

  changeTimeZone(customerId: string, timeZone: string, caller: Caller): Promise<Answer> {
    return this.#change(customerId, { type: 'ChangeTimeZone', at: this.#now(), timeZone }, caller);
  }

  async changeName(customerId: string, name: PersonName, caller: Caller): Promise<Answer> {
    return this.#changeSealed(customerId, caller, async () => ({
      type: 'ChangeName',
      at: this.#now(),
      name: await this.#seal(customerId, name),
    }));
  }

  async changePostalAddress(customerId: string, postalAddress: PostalAddress, caller: Caller): Promise<Answer> {
    return this.#changeSealed(customerId, caller, async () => ({
      type: 'ChangePostalAddress',
      at: this.#now(),
      postalAddress: await this.#seal(customerId, postalAddress),
    }));
  }

  changeMailPreferences(customerId: string, off: readonly MailKind[], caller: Caller): Promise<Answer> {
    return this.#change(customerId, { type: 'ChangeMailPreferences', at: this.#now(), off }, caller);
  }

  /** DLV-9. A repeat of the request makes the same signing secret of it. */
  chooseLeadDelivery(
    customerId: string,
    { mails, webhookUrl }: { mails: LeadDelivery['mails']; webhookUrl?: string },
    caller: Caller,
  ): Promise<Answer> {
    return this.#changeSealed(customerId, caller, async () => ({
      type: 'ChooseLeadDelivery',
      at: this.#now(),
      mails,
      ...(webhookUrl !== undefined && {
        webhook: {
          url: await this.#seal(customerId, webhookUrl),
          signingSecret: await this.#secret(customerId, this.#signingSecret(caller.commandId)),
        },
      }),
    }));
  }

  /** What the customer chose, opened: the signing secret is the customer's own. */
  async leadDelivery(customerId: string): Promise<OpenedLeadDelivery> {
    const { mails, webhook } = (await this.#customer(customerId)).leadDelivery;
    const open = async (box: Sealed | undefined) => box && ((await this.#needs.vault.open(box)) as string | undefined);
    const [webhookUrl = null, signingSecret = null] = await Promise.all([
      open(webhook?.url),
      open(webhook?.signingSecret),
    ]);
    return { mails, webhookUrl, signingSecret };
  }

  /** As Standard Webhooks writes one. */
  #signingSecret(commandId: string): string {
    const halves = ['1', '2'].map((half) => this.#needs.vault.personKey('webhook-secret', `${commandId}/${half}`));
    return `whsec_${Buffer.from(halves.join(''), 'base64url').toString('base64')}`;
  }

  /** ACC-4: a link goes to the new address, which becomes the customer's once the link is followed. */
  requestEmailChange(customerId: string, email: string, caller: Caller): Promise<Answer> {
    return this.#changeSealed(customerId, caller, async () => {
      const addressKey = this.#addressKey(email);
      const { state } = await this.#needs.ledger.read<'address'>(addressStream(addressKey));
      const { customerId: holder = customerId } = state;
      if (holder !== customerId && !(await this.#isErased(holder))) return addressTaken;
      const sealed = await this.#seal(customerId, email);
      return {
        type: 'RequestEmailChange',
        at: this.#now(),
        email: sealed,
        addressKey,
        ...(await this.#link(customerId)),
      };
    });
  }

  /** Whoever holds the link may follow it. The former address is given up by `address-claims`. */
  async confirmEmailChange(customerId: string, token: string, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const tokenHash = hashOfToken(token);
    const command = { type: 'ConfirmEmailChange', at, tokenHash, claimedAt: at } as const;
    const send = (asked: CustomerCommand | Refusal, by = caller) =>
      this.#send(customerId, customerStream(customerId), asked, this.#guarded(by));
    const { emailChange } = await this.#customer(customerId);
    if (!emailChange || !(await this.#leadsToSomething(customerId, command, caller))) return send(command);
    const claim = { type: 'ClaimAddress', at, customerId, purpose: { for: 'change', tokenHash } } as const;
    const refusal = await this.#claim(emailChange.addressKey, claim, caller);
    // What was claimed will be brought to its end: it is too late to ask for a revision.
    const { ifRevision: _, ...whatever } = caller;
    return send(refusal ?? command, whatever);
  }

  /** ACC-4. Who has a password already gives it, too; a first one is chosen freely (ACC-1). */
  async setPassword(
    customerId: string,
    { password, currentPassword }: { password: string; currentPassword?: string },
    caller: Caller,
  ): Promise<Answer> {
    const { verifier } = await this.#customer(customerId);
    return this.#changeSealed(customerId, caller, async () => {
      if (verifier && !(await this.#isRight(verifier, currentPassword ?? ''))) return wrongPassword;
      const secret = await this.#secret(customerId, await verifierOf(password));
      return { type: 'SetPassword', at: this.#now(), verifier: secret };
    });
  }

  /** ACC-3. What comes of it is told to the address alone: the mail goes to the registered one, in whichever case it was asked for. */
  async requestPasswordRecovery(email: string, caller: Caller): Promise<void> {
    const record = async () => {
      const customerId = await this.#holderOf(email);
      if (customerId === undefined || !isRegistered(await this.#customer(customerId))) return;
      const command = { type: 'RequestPasswordRecovery', at: this.#now(), ...(await this.#link(customerId)) } as const;
      await this.#send(customerId, customerStream(customerId), command, this.#guarded(caller));
    };
    await Promise.all([record(), wait(RECOVERY_MILLISECONDS)]);
  }

  async recoverPassword(token: string, password: string, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const customerId = token.slice(0, Math.max(token.lastIndexOf('.'), 0));
    const tokenHash = hashOfToken(token);
    const stream = customerStream(customerId);
    const { state } = await this.#needs.ledger.read<'customer'>(stream);
    // A repeat of the same request finds its first outcome in the stream, whatever it brings along.
    if (!linkIsGood(state.recovery, tokenHash, at))
      return this.#send(customerId, stream, linkDead, this.#guarded(caller));
    const verifier = await this.#secret(customerId, await verifierOf(password));
    const command = { type: 'RecoverPassword', at, tokenHash, verifier } as const;
    return this.#send(customerId, stream, command, this.#guarded(caller));
  }

  /** ACC-2: both compared with exact case. As much work where there is no such account. @returns the customer's id */
  async signIn(email: string, password: string): Promise<string | undefined> {
    const customerId = await this.#holderOf(email);
    const { email: sealed, verifier } = customerId === undefined ? {} : await this.#customer(customerId);
    const isHis = sealed !== undefined && (await this.#needs.vault.open(sealed)) === email;
    const isRight = await this.#isRight(isHis ? verifier : undefined, password);
    return isRight ? customerId : undefined;
  }

  /** What the account is changed by is made only for those who may change it, and for an account that there is. */
  async #changeSealed(
    customerId: string,
    caller: Caller,
    make: () => Promise<CustomerCommand | Refusal>,
  ): Promise<Answer> {
    const exists = isRegistered(await this.#customer(customerId));
    const command = notOwner(customerId, caller) ?? (exists ? await make() : notRegistered);
    return this.#change(customerId, command, this.#guarded(caller));
  }

  #change(customerId: string, command: CustomerCommand | Refusal, caller: Caller): Promise<Answer> {
    const asked = notOwner(customerId, caller) ?? command;
    return this.#send(customerId, customerStream(customerId), asked, caller);
  }

  /** @returns why the address cannot be had; undefined when it is claimed for the customer */
  async #claim(
    addressKey: string,
    command: Extract<AddressCommand, { type: 'ClaimAddress' }>,
    caller: Caller,
  ): Promise<Refusal | undefined> {
    const stream = addressStream(addressKey);
    const { actor, commandId } = caller;
    const claim = async () => {
      const { outcome } = await this.#send(addressKey, stream, command, {
        actor,
        commandId: deriveId('claim-address', commandId, addressKey),
      });
      return outcome.kind === 'refused' ? outcome.refusal : undefined;
    };
    const refusal = await claim();
    const { customerId } = (await this.#needs.ledger.read<'address'>(stream)).state;
    if (!refusal || customerId === undefined || !(await this.#isErased(customerId))) return refusal;
    // Whoever was forgotten holds nothing any more.
    const release = { type: 'ReleaseAddress', at: command.at, customerId } as const;
    await this.#send(addressKey, stream, release, {
      actor,
      commandId: deriveId('release-address', commandId, addressKey),
    });
    return claim();
  }

  async #leadsToSomething(customerId: string, command: CustomerCommand, { ifRevision }: Caller): Promise<boolean> {
    const { state, revision } = await this.#needs.ledger.read<'customer'>(customerStream(customerId));
    const decision = customer.decide(command, state);
    return !isRefusal(decision) && decision.length > 0 && (ifRevision ?? revision) === revision;
  }

  async #isErased(customerId: string): Promise<boolean> {
    const { email } = await this.#customer(customerId);
    return email !== undefined && (await this.#needs.vault.open(email)) === undefined;
  }

  async #holderOf(email: string): Promise<string | undefined> {
    const { state } = await this.#needs.ledger.read<'address'>(addressStream(this.#addressKey(email)));
    return state.customerId;
  }

  async #isRight(verifier: Secret | undefined, password: string): Promise<boolean> {
    const opened = verifier && (await this.#needs.vault.open(verifier));
    return matches(password, opened as Verifier | undefined);
  }

  async #customer(customerId: string): Promise<CustomerState> {
    return (await this.#needs.ledger.read<'customer'>(customerStream(customerId))).state;
  }

  /** Single use, for a while; the log knows it by its hash. It names its account, so that nothing else need be looked up. */
  async #link(customerId: string): Promise<{ token: Secret; tokenHash: string; expiresAt: Instant }> {
    const token = `${customerId}.${randomBytes(24).toString('base64url')}`;
    const expiresAt = addSeconds(this.#now(), LINK_MINUTES * 60);
    return { token: await this.#secret(customerId, token), tokenHash: hashOfToken(token), expiresAt };
  }

  #addressKey(email: string): string {
    return this.#needs.vault.personKey('account-address', normaliseEmail(email));
  }

  #seal(customerId: string, value: unknown): Promise<Sealed> {
    return this.#needs.vault.seal(customerStream(customerId), value);
  }

  async #secret(customerId: string, value: unknown): Promise<Secret> {
    return { ...(await this.#seal(customerId, value)), secret: true };
  }

  /** The hash of a request with a password in it would be a way to guess the password: the vault's own key goes in. */
  #guarded({ requestHash, ...caller }: Caller): Caller {
    return requestHash === undefined
      ? caller
      : { ...caller, requestHash: this.#needs.vault.personKey('request', requestHash) };
  }

  #now(): Instant {
    return this.#needs.clock.now();
  }
}

const hashOfToken = (token: string): string => hash('sha256', token, 'base64url');

const wrongPassword = refuse('password-wrong', 'the current password is another one', 'ACC-2');
