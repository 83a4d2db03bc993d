import { customerStream, isRegistered } from '#domain/accounts/customer';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant, Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { policyAt, policyStream } from '#domain/policy/policy';
import { looksStream } from '#domain/support/look';
import { type AnswerPolicy, ticketStream, unknownTicket } from '#domain/support/ticket';
import { type Answer, type Caller, notSupport } from './caller.ts';
import { type Needs, noPolicy, sendFor, unknownCustomer } from './requests.ts';

export interface OpenTicket {
  readonly customerId: string;
  readonly subject: string;
  readonly message: string;
  /** There when the customer asks to be called back. */
  readonly callBack?: { readonly telephone: string };
}

type TicketCommand = CommandOf<'ticket'>;

/** What customers ask of support, and how support answers (SUP-1). What they write is sealed under the customer's key. */
export class SupportRequests {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async openTicket(letter: OpenTicket, caller: Caller): Promise<Answer> {
    const id = deriveId('ticket', caller.commandId);
    return this.#send(id, await this.#opening(letter), caller);
  }

  async #opening({ customerId, subject, message, callBack }: OpenTicket): Promise<TicketCommand | Refusal> {
    const at = this.#now();
    const [{ state: customer }, answerPolicy] = await Promise.all([
      this.#needs.ledger.read<'customer'>(customerStream(customerId)),
      this.#answerPolicy(at),
    ]);
    if (!isRegistered(customer)) return unknownCustomer(customerId);
    if ('refused' in answerPolicy) return answerPolicy;
    return {
      type: 'OpenTicket',
      at,
      customerId,
      storeId: customer.storeId,
      subject: await this.#seal(customerId, subject),
      message: await this.#seal(customerId, message),
      ...(callBack && { callBackTelephone: await this.#seal(customerId, callBack.telephone) }),
      answerPolicy,
    };
  }

  /** SUP-2. */
  async answerTicket(ticketId: string, answer: string, caller: Caller): Promise<Answer> {
    const refusal = notSupport(caller, 'SUP-2');
    const customerId = await this.#customerOf(ticketId);
    if (refusal || customerId === undefined) return this.#send(ticketId, refusal ?? unknownTicket, caller);
    const sealed = await this.#seal(customerId, answer);
    return this.#send(ticketId, { type: 'AnswerTicket', at: this.#now(), answer: sealed }, caller);
  }

  async writeAgain(ticketId: string, message: string, caller: Caller): Promise<Answer> {
    const at = this.#now();
    const [customerId, answerPolicy] = await Promise.all([this.#customerOf(ticketId), this.#answerPolicy(at)]);
    if (customerId === undefined) return this.#send(ticketId, unknownTicket, caller);
    if ('refused' in answerPolicy) return this.#send(ticketId, answerPolicy, caller);
    const sealed = await this.#seal(customerId, message);
    return this.#send(ticketId, { type: 'WriteAgain', at, message: sealed, answerPolicy }, caller);
  }

  closeTicket(ticketId: string, caller: Caller): Promise<Answer> {
    return this.#send(ticketId, { type: 'CloseTicket', at: this.#now() }, caller);
  }

  /** SUP-2: to look is an act, too. Nothing may be shown unless this was accepted. */
  async showHistory(customerId: string, caller: Caller): Promise<Answer> {
    const { state: customer } = await this.#needs.ledger.read<'customer'>(customerStream(customerId));
    const refusal = notSupport(caller, 'SUP-2') ?? (isRegistered(customer) ? undefined : unknownCustomer(customerId));
    const command = { type: 'ShowCustomerHistory', at: this.#now(), customerId } as const;
    return sendFor(this.#needs, customerId, looksStream(customerId), refusal ?? command, caller);
  }

  async #customerOf(ticketId: string): Promise<string | undefined> {
    const { state } = await this.#needs.ledger.read<'ticket'>(ticketStream(ticketId));
    return state.status === 'unknown' ? undefined : state.customerId;
  }

  /** What was promised when the customer wrote. */
  async #answerPolicy(at: Instant): Promise<AnswerPolicy | Refusal> {
    const { state } = await this.#needs.ledger.read<'policy'>(policyStream);
    const inForce = policyAt(state, at);
    return inForce ? { policyVersion: inForce.version, ...inForce.policy } : noPolicy;
  }

  #seal(customerId: string, text: string): Promise<Sealed> {
    return this.#needs.vault.seal(customerStream(customerId), text);
  }

  #now(): Instant {
    return this.#needs.clock.now();
  }

  #send(ticketId: string, command: TicketCommand | Refusal, caller: Caller): Promise<Answer> {
    return sendFor(this.#needs, ticketId, ticketStream(ticketId), command, caller);
  }
}
