import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant, Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { noPolicy, policyAt, policyStream } from '#domain/policy/policy';
import { looksStream } from '#domain/support/look';
import { type AnswerPolicy, ticketStream, unknownTicket } from '#domain/support/ticket';
import type { Clock } from '#gateways/clock';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, notOwner, notSupport, type Send } from './caller.ts';
import type { Ledger } from './ledger.ts';

export interface OpenTicket {
  readonly customerId: string;
  readonly subject: string;
  readonly message: string;
  /** There when the customer asks to be called back. */
  readonly callBack?: { readonly telephone: string };
}

interface Needs {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly clock: Clock;
}

type TicketCommand = CommandOf<'ticket'>;

/** What customers ask of support, and how support answers (SUP). All that they write is sealed under the customer's key. */
export class Support {
  readonly #needs: Needs;
  readonly #send: Send;

  constructor(needs: Needs, send: Send) {
    this.#needs = needs;
    this.#send = send;
  }

  async openTicket(letter: OpenTicket, caller: Caller): Promise<Answer> {
    const id = deriveId('ticket', caller.commandId);
    const command = notOwner(letter.customerId, caller, 'SUP-1') ?? (await this.#opening(letter));
    return this.#send(id, ticketStream(id), command, caller);
  }

  async #opening({ customerId, subject, message, callBack }: OpenTicket): Promise<TicketCommand | Refusal> {
    const at = this.#now();
    const [{ state: customer }, answerPolicy] = await Promise.all([
      this.#needs.ledger.read<'customer'>(customerStream(customerId)),
      this.#answerPolicy(at),
    ]);
    if (!isRegistered(customer)) return notRegistered;
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
  answerTicket(ticketId: string, answer: string, caller: Caller): Promise<Answer> {
    return this.#onTicket(
      ticketId,
      caller,
      () => notSupport(caller, 'SUP-2'),
      async (customerId, at) => ({ type: 'AnswerTicket', at, answer: await this.#seal(customerId, answer) }),
    );
  }

  writeAgain(ticketId: string, message: string, caller: Caller): Promise<Answer> {
    return this.#onTicket(
      ticketId,
      caller,
      (customerId) => notOwner(customerId, caller, 'SUP-1'),
      async (customerId, at) => {
        const answerPolicy = await this.#answerPolicy(at);
        if ('refused' in answerPolicy) return answerPolicy;
        return { type: 'WriteAgain', at, message: await this.#seal(customerId, message), answerPolicy };
      },
    );
  }

  closeTicket(ticketId: string, caller: Caller): Promise<Answer> {
    return this.#onTicket(
      ticketId,
      caller,
      (customerId) => notOwner(customerId, caller, 'SUP-1'),
      async (_, at) => ({ type: 'CloseTicket', at }),
    );
  }

  /** SUP-2: to look is an act, too. Nothing may be shown unless this was accepted. */
  async showHistory(customerId: string, caller: Caller): Promise<Answer> {
    const { state: customer } = await this.#needs.ledger.read<'customer'>(customerStream(customerId));
    const refusal = notSupport(caller, 'SUP-2') ?? (isRegistered(customer) ? undefined : notRegistered);
    const command = { type: 'ShowCustomerHistory', at: this.#now(), customerId } as const;
    return this.#send(customerId, looksStream(customerId), refusal ?? command, caller);
  }

  /** Nothing is sealed for a ticket that is not there, nor for whom it is not open to. */
  async #onTicket(
    ticketId: string,
    caller: Caller,
    refuse: (customerId: string) => Refusal | undefined,
    commandFor: (customerId: string, at: Instant) => Promise<TicketCommand | Refusal>,
  ): Promise<Answer> {
    const stream = ticketStream(ticketId);
    const { state } = await this.#needs.ledger.read<'ticket'>(stream);
    const refusal = state.status === 'unknown' ? unknownTicket : refuse(state.customerId);
    return this.#send(ticketId, stream, refusal ?? (await commandFor(state.customerId, this.#now())), caller);
  }

  /** What is promised to whoever writes at that moment. */
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
}
