import type { Cause } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import type { AnyCommand, FamilyName, StateOf } from '#domain/ledger';
import type { Clock } from '#gateways/clock';
import type { Vault } from '#vault/vault';
import type { AddressedCommand, Outcome } from './command-handler.ts';
import type { StreamCache } from './stream-cache.ts';

/** Who asks, why, and under which command id: a repeat with the same id is the same request. */
export interface RequestContext {
  readonly caller: Caller;
  readonly commandId: string;
  readonly reason?: string;
  /** Of the whole request, where it came with an Idempotency-Key. */
  readonly requestHash?: string;
  /** The revision of the stream that the caller saw (If-Match). */
  readonly ifRevision?: number;
}

/** The id of what was asked for, and the outcome. */
export interface Receipt {
  readonly id: string;
  readonly outcome: Outcome;
}

/** Sends a command to the handler: over the command bus in an application. */
export type Dispatch = (command: AddressedCommand) => Promise<Outcome>;

export interface RequestDependencies {
  readonly streams: Pick<StreamCache, 'read'>;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly dispatch: Dispatch;
}

/** What all requests are made with. */
export interface RequestTools extends RequestDependencies {
  now(): Instant;
  stateOf<Name extends FamilyName>(stream: `${Name}-${string}`): Promise<StateOf<Name>>;
  /** Sends one command. A refusal is sent, too: a repeat of a request that was accepted gets its first outcome. */
  send(
    id: string,
    stream: string,
    command: AnyCommand | Refusal,
    context: RequestContext,
    hints?: { readonly likelyNew?: boolean },
  ): Promise<Receipt>;
  /** Sends the refusal of a caller who has no right to ask, whatever revision it saw. */
  refuse(id: string, stream: string, refusal: Refusal, context: RequestContext): Promise<Receipt>;
}

export function requestTools(dependencies: RequestDependencies): RequestTools {
  const { streams, clock, dispatch, vault } = dependencies;
  const send: RequestTools['send'] = async (id, stream, command, context, hints) => {
    const { caller, ifRevision, requestHash: unkeyedHash } = context;
    const seen = ifRevision === undefined ? {} : { ifRevision };
    const cause = causeOf(context, vault);
    return { id, outcome: await dispatch({ stream, command, caller, cause, unkeyedHash, ...seen, ...hints }) };
  };
  return {
    ...dependencies,
    now: () => clock.now(),
    stateOf: async (stream) => (await streams.read(stream)).state,
    send,
    refuse: (id, stream, refusal, context) => send(id, stream, refusal, whateverRevision(context)),
  };
}

/** The plain hash of a request could be found by guessing what it says, so it is stored with a key of the vault. */
const causeOf = ({ caller, commandId, reason, requestHash }: RequestContext, vault: Vault): Cause => ({
  actor: caller.actor,
  commandId,
  ...(reason !== undefined && { reason }),
  ...(requestHash !== undefined && { requestHash: vault.personKey('request', requestHash) }),
  correlationId: commandId,
});

export function whateverRevision({ ifRevision: _, ...context }: RequestContext): RequestContext {
  return context;
}
