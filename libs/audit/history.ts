import type { Fact } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import type { FamilyName } from '#domain/ledger';
import type { EventStore } from '#event-store/port';
import type { Vault } from '#vault/vault';
import { openBoxes } from './opened.ts';
import { type ReplayOptions, replay } from './replay.ts';

/** One event as people read it: what happened, when, by whom and why. Personal data is opened, or marked. */
export interface HistoryEntry {
  readonly revision: number;
  readonly type: Fact['type'];
  readonly at: Instant;
  readonly data: Readonly<Record<string, unknown>>;
  readonly actor: string;
  readonly reason: string | undefined;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string | undefined;
  /** The version of the policy that the decision used. */
  readonly policyVersion: number | undefined;
  readonly position: string;
}

export interface History {
  readonly events: readonly HistoryEntry[];
  /** The folded state: what the next decision would know. Maps and sets are objects and lists. */
  readonly state: unknown;
}

/**
 * All events of one stream up to an instant, replayed from the log and checked.
 * @returns undefined when there were no events yet. @throws DamagedEvent, UnreadableEvent
 */
export async function replayHistory<Name extends FamilyName>(
  { events, vault }: { events: Pick<EventStore, 'readStream'>; vault: Pick<Vault, 'open'> },
  stream: `${Name}-${string}`,
  options: ReplayOptions,
): Promise<History | undefined> {
  const { facts, state } = await replay(events, stream, options);
  if (facts.length === 0) return undefined;
  return {
    events: await Promise.all(facts.map((fact) => describeFact(fact, vault))),
    state: await openBoxes(plain(state), vault),
  };
}

/** The events of several streams, in the order of the log, checked. @throws DamagedEvent, UnreadableEvent */
export async function factsOf(
  events: Pick<EventStore, 'readStream'>,
  streams: readonly string[],
  options: ReplayOptions,
): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for (const stream of streams)
    facts.push(...(await replay(events, stream as `${FamilyName}-${string}`, options)).facts);
  return facts.sort((a, b) => (a.position < b.position ? -1 : 1));
}

export async function describeFact(
  { revision, type, data, cause, position }: Fact,
  vault: Pick<Vault, 'open'>,
): Promise<HistoryEntry> {
  const { at, ...rest } = data;
  const { commandId, correlationId, causationId, actor, reason } = cause;
  const { policyVersion } = { ...('decision' in rest ? rest.decision : rest) } as { policyVersion?: number };
  const opened = (await openBoxes(rest, vault)) as Record<string, unknown>;
  const why = { actor, reason, commandId, correlationId, causationId, policyVersion };
  return { revision, type, at, data: opened, ...why, position };
}

/** States hold maps and sets, which JSON does not have. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  if (value instanceof Set) return [...value];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
