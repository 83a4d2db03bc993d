import { z } from 'zod';
import type { Fact } from '#domain/codec';
import { authentications } from '#domain/kernel/caller';
import { instant } from '#domain/kernel/events';
import type { FamilyName } from '#domain/ledger';
import { StreamDamaged } from '#event-store/damage';
import { forReaders, type Vault } from '#vault/vault';
import { type OpenedText, openBoxes } from './opened.ts';
import { type Readable, type ReplayOptions, readFact, replayOrRest } from './replay.ts';

/** One event as people read it: what happened, when, by whom and why. Personal data is opened, or marked. */
export const historyEvent = z
  .object({
    revision: z.int().describe('The place of the event in the history of this thing, from 0.'),
    type: z.string().describe('The type of the event, e.g. OrderPaused.'),
    at: instant.describe('When it happened.'),
    data: z
      .record(z.string(), z.unknown())
      .describe(
        'Its data. Personal data is opened, or {"erased": true}, {"keyMissing": true}, {"damaged": true} or {"hidden": true}.',
      ),
    actor: z.string().describe('Who asked for it: customer:ID, staff:ID, system:ID or process:ID.'),
    authenticated: z.enum(authentications).optional().describe('How it is known who asked.'),
    authenticatedAs: z.string().optional().describe('Who was authenticated, where the actor is another.'),
    reason: z
      .union([z.string(), z.record(z.string(), z.literal(true))])
      .optional()
      .describe(
        'Why, in the words of the actor; or {"erased": true}, {"keyMissing": true}, {"damaged": true} or {"hidden": true}.',
      ),
    commandId: z.string().describe('The command that led to it.'),
    correlationId: z.string().describe('The first command of the chain that led to it.'),
    causationId: z.string().optional().describe('The event that a process reacted to.'),
    basis: z
      .record(z.string(), z.int())
      .optional()
      .describe(
        'Other histories that were read for the decision, each with its last revision, e.g. that of the policy.',
      ),
    eventsSeen: z.int().optional().describe('How many events of the log a process had seen when it asked.'),
    effectiveAt: instant.optional().describe('For when it was decided, where that is not when it was recorded.'),
    policyVersion: z.int().optional().describe('The version of the policy by which it was decided.'),
    position: z.string().describe('The place of the event in the whole log.'),
    damaged: z.literal(true).optional().describe('Its stream is damaged: other events of it may be hidden or lost.'),
  })
  .meta({ id: 'HistoryEvent' });
export type HistoryEvent = z.infer<typeof historyEvent>;

export const history = z
  .object({
    events: z.array(historyEvent).describe('What happened, oldest first.'),
    state: z
      .unknown()
      .describe('The state after these events, as the next decision would see it. Null: it is damaged, and has none.'),
    damaged: z
      .string()
      .optional()
      .describe('Why this is not the whole history: the event store hides or lost events. What is left is shown.'),
  })
  .meta({ id: 'History' });
export type History = z.infer<typeof history>;

/**
 * All events of one stream up to an instant, replayed from the log and checked.
 * @returns undefined when there were no events yet. @throws DamagedEvent, UnreadableEvent
 */
export async function replayHistory<Name extends FamilyName>(
  { events, vault }: { events: Readable; vault: Pick<Vault, 'open'> },
  stream: `${Name}-${string}`,
  options: ReplayOptions,
): Promise<History | undefined> {
  const { facts, state, damaged } = await replayOrRest(events, stream, options);
  if (facts.length === 0 && damaged === undefined) return undefined;
  return {
    events: await Promise.all(facts.map((fact) => describeFact(fact, vault))),
    state: damaged === undefined ? await openBoxes(plain(state), forReaders(vault)) : null,
    ...(damaged !== undefined && { damaged }),
  };
}

/** The events of several streams, in the order of the log, checked. @throws DamagedEvent, UnreadableEvent */
export async function factsOf(
  events: Readable,
  streams: readonly string[],
  options: ReplayOptions,
): Promise<readonly (Fact & { readonly damaged?: true })[]> {
  const facts: (Fact & { readonly damaged?: true })[] = [];
  for (const stream of streams) {
    const { facts: found, damaged } = await replayOrRest(events, stream as `${FamilyName}-${string}`, options);
    facts.push(...(damaged === undefined ? found : found.map((fact) => ({ ...fact, damaged: true as const }))));
  }
  return facts.sort((a, b) => (a.position < b.position ? -1 : 1));
}

/**
 * Some events of streams of which most are about others, in the order of the log, checked. Of a damaged stream there are those that the log still
 * has. @throws DamagedEvent, UnreadableEvent
 */
export async function factsAt(
  events: Readable,
  places: readonly { readonly stream: string; readonly place: number }[],
  options: ReplayOptions,
): Promise<readonly (Fact & { readonly damaged?: true })[]> {
  const facts: (Fact & { readonly damaged?: true })[] = [];
  const damaged = new Map<string, readonly (Fact & { readonly damaged?: true })[]>();
  for (const { stream, place } of places) {
    try {
      const fact = damaged.has(stream) ? undefined : await readFact(events, stream, place, options);
      if (fact) facts.push(fact);
    } catch (error) {
      if (!(error instanceof StreamDamaged)) throw error;
      damaged.set(stream, await factsOf(events, [stream], options));
    }
    facts.push(...(damaged.get(stream) ?? []).filter(({ revision }) => revision === place));
  }
  return facts.sort((a, b) => (a.position < b.position ? -1 : 1));
}

export async function describeFact(
  { revision, type, data, cause, position, damaged }: Fact & { readonly damaged?: true },
  vault: Pick<Vault, 'open'>,
): Promise<HistoryEvent> {
  const { at, ...rest } = data;
  const { commandId, correlationId, causationId, actor } = cause;
  const { authenticated, authenticatedAs, basis, eventsSeen, effectiveAt } = cause;
  const { policyVersion } = { ...('decision' in rest ? rest.decision : rest) } as { policyVersion?: number };
  const shown = forReaders(vault);
  const opened = (await openBoxes(rest, shown)) as Record<string, unknown>;
  const reason = (await openBoxes(cause.reason, shown)) as OpenedText | undefined;
  const why = { actor, reason, commandId, correlationId, causationId, policyVersion };
  const known = { authenticated, authenticatedAs, basis, eventsSeen, effectiveAt };
  return { revision, type, at, data: opened, ...why, ...known, position, ...(damaged && { damaged }) };
}

/** States hold maps and sets, which JSON does not have. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  if (value instanceof Set) return [...value];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
