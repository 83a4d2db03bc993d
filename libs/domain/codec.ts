import { z } from 'zod';
import { type Authentication, authentications } from './kernel/caller.ts';
import { type Instant, instant, type Sealed, unsealed } from './kernel/events.ts';
import { code, id, keyedHash, sealedFor } from './kernel/fields.ts';
import { UnreadableEvent } from './kernel/unreadable-event.ts';
import { type AnyEvent, type EventTypeName, type Family, familyOf, isOfLedger, ledger } from './ledger.ts';

/** Who caused an event, and by which request. Stored with the event. */
export interface Cause {
  /** Every event of one command carries its id; event ids are derived from it. */
  readonly commandId: string;
  /** The command or event that started the whole chain. */
  readonly correlationId: string;
  /** The event or command that directly led here; absent at the start of a chain. */
  readonly causationId?: string;
  /** `customer:…`, `staff:…`, `process:…`, `system:…`, each with an id. */
  readonly actor: string;
  /** How it is known who asked. Absent in events of older versions. */
  readonly authenticated?: Authentication;
  /** Who was authenticated, where that is another than the actor for whom it acted. */
  readonly authenticatedAs?: string;
  /** Why, in the actor's words. */
  readonly reason?: Sealed;
  /**
   * What the request had read when it asked, besides the stream itself: stream → its last revision. A stream that did not
   * exist is not named.
   */
  readonly basis?: Basis;
  /** What a process had read when it asked: the ordinal of the last event. */
  readonly eventsSeen?: number;
  /** The instant for which it was decided, where the clock of the store is not that of the machine. */
  readonly effectiveAt?: Instant;
  /**
   * When it was decided, by the clock of the machine that decided it. It survives a copy, unlike a store's own time of
   * recording. The business time is in the data. Absent in events of older versions.
   */
  readonly recordedAt?: Instant;
  /** With several workers: the unit for which this worker acted, and the token of its lease. */
  readonly lease?: { readonly unit: string; readonly token: number };
  /** Keyed hash of the request behind a client's Idempotency-Key. Older versions stored it without a key. */
  readonly requestHash?: string;
}

type Basis = Readonly<Record<string, number>>;

/** What is stored with every event. A new field of the cause does not compile without a line here. */
export const metadataFields = z.object({
  commandId: id,
  correlationId: id,
  causationId: id.optional(),
  actor: id,
  authenticated: z.enum(authentications).optional(),
  authenticatedAs: id.optional(),
  reason: sealedFor('subject', 'reason').optional(),
  basis: z.record(id, z.int().nonnegative()).optional(),
  eventsSeen: z.int().nonnegative().optional(),
  effectiveAt: instant.optional(),
  recordedAt: instant.optional(),
  lease: z.object({ unit: code, token: z.int() }).optional(),
  requestHash: keyedHash.optional(),
  schemaVersion: z.int().positive().optional(),
} satisfies Readonly<Record<keyof Cause | 'schemaVersion', z.ZodType>>);

/** A decoded event of the log: what happened, where, and why. */
export type Fact<Event extends AnyEvent = AnyEvent> = Event & {
  readonly eventId: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly cause: Cause;
};

/** The fact of one event type, or of several. */
export type FactOf<Type extends EventTypeName> = Fact<Extract<AnyEvent, { type: Type }>>;

interface EncodedEvent {
  readonly type: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

interface StoredEvent extends EncodedEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Checks an event against its schema and turns it into bytes.
 * @throws ZodError when data is not what the schema says: a defect of a decider, never of a caller.
 */
export function encode(stream: string, event: AnyEvent, cause: Cause): EncodedEvent {
  const family: Family = ledger[familyOf(stream)];
  const schema = family.events[event.type];
  if (!schema) throw new RangeError(`events of type ${event.type} do not belong into ${stream}`);
  const schemaVersion = 1 + (family.upcasters[event.type]?.length ?? 0);
  return {
    type: event.type,
    data: encoder.encode(JSON.stringify(schema.parse(event.data))),
    metadata: encoder.encode(JSON.stringify(schemaVersion === 1 ? cause : { ...cause, schemaVersion })),
  };
}

/**
 * Reads a stored event, an older version of it through its upcasters. Personal data stays sealed.
 * @throws UnreadableEvent
 */
export function decode(stored: StoredEvent): Fact {
  try {
    const { type, id: eventId, stream, revision, position } = stored;
    const { schemaVersion = 1, ...cause } = JSON.parse(decoder.decode(stored.metadata));
    const family: Family = ledger[familyOf(stream)];
    if (!family.events[type]) throw new RangeError(`there are no such events in ${stream}`);
    const steps = family.upcasters[type]?.slice(schemaVersion - 1) ?? [];
    const data = steps.reduce((older, step) => step(older), JSON.parse(decoder.decode(stored.data)));
    if (typeof data !== 'object' || data === null) throw new TypeError('its data is not an object');
    if (typeof cause.commandId !== 'string') throw new TypeError('the ledger did not write it: it names no command');
    return { type, data, eventId, stream, revision, position, cause: causeIn(cause) } as Fact;
  } catch (error) {
    throw new UnreadableEvent(stored, error as Error);
  }
}

const forgivingDecoder = new TextDecoder();

/**
 * Whether the ledger wrote an event, in any version. Others may have streams that are named like ours, in the log of a server;
 * their events do not say which command caused them, and who asked.
 */
export function isWrittenByLedger({ stream, metadata }: Pick<StoredEvent, 'stream' | 'metadata'>): boolean {
  if (!isOfLedger(stream)) return false;
  const cause = forgivingDecoder.decode(metadata);
  return cause.includes('"commandId":"') && cause.includes('"actor":"');
}

/** The newest version of events of a type in a stream: 0 for events that do not belong there. */
export function newestVersionOf(stream: string, type: string): number {
  if (!isOfLedger(stream)) return 0;
  const family: Family = ledger[familyOf(stream)];
  return family.events[type] ? 1 + (family.upcasters[type]?.length ?? 0) : 0;
}

/** The version in which an event is stored. @throws SyntaxError */
export const versionOf = ({ metadata }: Pick<StoredEvent, 'metadata'>): number =>
  JSON.parse(decoder.decode(metadata)).schemaVersion ?? 1;

/** Older versions stored the reason as it was typed. */
const causeIn = ({ reason, ...cause }: Cause | (Omit<Cause, 'reason'> & { readonly reason?: string })): Cause => ({
  ...cause,
  ...(reason !== undefined && { reason: typeof reason === 'string' ? unsealed(reason) : reason }),
});

/** The id within its family: `order-123` → `123`. */
export const idOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1);
