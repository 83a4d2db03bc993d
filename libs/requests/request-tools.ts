import { customerStream } from '#domain/accounts/customer';
import type { Cause } from '#domain/codec';
import type { ActivityKey } from '#domain/kernel/activities';
import type { Caller } from '#domain/kernel/caller';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import type { AnyCommand, FamilyName, StateOf } from '#domain/ledger';
import type { Patience } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { ProviderLimits } from '#gateways/payments';
import type { Vault } from '#vault/vault';
import type { AddressedCommand, Outcome } from './addressed-command.ts';
import { refuseForErased } from './erased-customers.ts';
import { sealedReason } from './reasons.ts';
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
  /** When the caller gives up, as `performance.now()` counts. Default: after a time of the store's. */
  readonly until?: number;
  /** The query that is answered: subject and name. */
  readonly asked?: string;
  /** The request that it is part of, for traces. */
  readonly parent?: ActivityKey;
  /** Personal data is shown, whatever the roles: the log says who looked and why, or it is about the caller's own work. */
  readonly opensBoxes?: true;
}

/** The id of what was asked for, and the outcome. */
export interface Receipt {
  readonly id: string;
  readonly outcome: Outcome;
}

/** Sends a command to the handler: over the command bus in an application. */
export type Dispatch = (command: AddressedCommand) => Promise<Outcome>;

type Streams = Pick<StreamCache, 'read' | 'head'>;

export interface RequestDependencies {
  readonly streams: Streams;
  readonly vault: Vault;
  readonly clock: Clock;
  /** What the payment provider cannot charge or show. Default: it takes every amount and text. */
  readonly providerLimits?: ProviderLimits | undefined;
  /** Whether no webhook is called at this address. Default: it may be. */
  readonly refusesWebhook?: ((url: string) => boolean) | undefined;
  readonly dispatch: Dispatch;
}

/** What one request is made with. It remembers which streams the request read: they are the basis of its commands. */
export interface RequestTools extends RequestDependencies {
  now(): Instant;
  stateOf<Name extends FamilyName>(stream: `${Name}-${string}`): Promise<StateOf<Name>>;
  /** Sends one command. A refusal is sent, too: a repeat of a request that was accepted gets its first outcome. */
  send(id: string, stream: string, command: AnyCommand | Refusal, context: RequestContext): Promise<Receipt>;
  /** What `send` dispatches. For requests that send many commands in a fixed order. */
  addressed(
    stream: string,
    command: AnyCommand | Refusal,
    context: RequestContext,
    hints?: { readonly likelyNew?: boolean },
  ): Promise<AddressedCommand>;
  /** Sends the refusal of a caller who has no right to ask, whatever revision it saw. */
  refuse(id: string, stream: string, refusal: Refusal, context: RequestContext): Promise<Receipt>;
}

/** The store of a customer, for a command of a stream that does not name it. */
export async function ofStore(
  { stateOf }: Pick<RequestTools, 'stateOf'>,
  customerId: string | undefined,
): Promise<{ readonly storeId?: string }> {
  const { storeId } = customerId === undefined ? {} : await stateOf<'customer'>(customerStream(customerId));
  return storeId ? { storeId } : {};
}

/** Reads states, and remembers the revisions that it read. */
export function requestTools(dependencies: RequestDependencies, patience?: Patience): RequestTools {
  const { clock, dispatch } = dependencies;
  const streams = whileWaitedFor(dependencies.streams, patience);
  const basis = new Map<string, number>();
  const addressed: RequestTools['addressed'] = async (stream, asked, context, hints) => {
    const { caller, ifRevision, reason, requestHash: unkeyedHash, until, parent } = context;
    const command = await refuseForErased(streams, stream, asked, { caller, reason });
    const seen = ifRevision === undefined ? {} : { ifRevision };
    const known = basisOf(basis, stream);
    const box =
      reason && (await sealedReason({ ...dependencies, streams }, stream, command, context, hints?.likelyNew ?? false));
    const cause = { ...causeOf(context, dependencies.vault), ...(box && { reason: box }), ...known };
    return { stream, command, caller, cause, reason, unkeyedHash, until, parent, ...seen, ...hints };
  };
  const send: RequestTools['send'] = async (id, stream, command, context) => {
    return { id, outcome: await dispatch(await addressed(stream, command, context)) };
  };
  return {
    ...dependencies,
    streams,
    now: () => clock.now(),
    async stateOf(stream) {
      const { state, revision } = await streams.read(stream);
      basis.set(stream, revision);
      return state;
    },
    addressed,
    send,
    refuse: (id, stream, refusal, context) => send(id, stream, refusal, whateverRevision(context)),
  };
}

/** What is read for a request waits for the store as long as its caller does. */
const whileWaitedFor = (streams: Streams, usual: Patience | undefined): Streams => ({
  read: (stream, patience = usual) => streams.read(stream, patience),
  head: () => streams.head(),
});

/** The stream itself is not part of it: its expected revision says what was read. Nor is a stream that does not exist. */
function basisOf(read: ReadonlyMap<string, number>, stream: string): Pick<Cause, 'basis'> {
  const others = [...read].filter(([name, revision]) => name !== stream && revision >= 0);
  return others.length > 0 ? { basis: Object.fromEntries(others) } : {};
}

/** The plain hash of a request could be found by guessing what it says, so it is stored with a key of the vault. */
const causeOf = ({ caller, commandId, requestHash }: RequestContext, vault: Vault): Cause => ({
  actor: caller.actor,
  authenticated: caller.authenticated ?? 'process',
  ...(caller.authenticatedAs !== undefined && { authenticatedAs: caller.authenticatedAs }),
  commandId,
  ...(requestHash !== undefined && { requestHash: vault.personKey('request', requestHash) }),
  correlationId: commandId,
});

export function whateverRevision({ ifRevision: _, ...context }: RequestContext): RequestContext {
  return context;
}

/** For a step that is decided anew each time, also where the request is repeated with its key. */
export function withoutRequestHash({ requestHash: _, ...context }: RequestContext): RequestContext {
  return context;
}
