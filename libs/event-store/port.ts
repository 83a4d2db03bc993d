/**
 * The event store, as the rest of Leadger sees it. Adapters: `embedded/` (one machine, SQLite) and `eventstoredb/` (a
 * cluster of EventStoreDB or KurrentDB). The tests in `contract/` say what every adapter promises.
 */

import { LeadgerError } from '#domain/kernel/leadger-error';
import type { Outages } from '#domain/kernel/outages';
import type { Damages } from './damage.ts';

/** The place of an event in the whole log: an opaque token. Tokens of one store compare with `<`; tokens of two stores do not. */
export type Position = string & { readonly __position: unique symbol };

/** Sorts before every position of every store. Reading "after" it yields the log from its first event. */
export const BEFORE_FIRST = '' as Position;

export interface NewEvent {
  /** UUID, derived from the command that caused the event: appending it twice is one append. */
  readonly id: string;
  readonly type: string;
  /** Stored byte for byte; the codec knows their meaning. */
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /** Whether its writer called the data JSON; undefined: nobody said so. Not part of what the event is, nor of its hash. */
  readonly json?: boolean;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  /** 0 for the first event of its stream, 1 for the second, and so on. */
  readonly revision: number;
  readonly position: Position;
  /** When the store wrote it, by the store's own clock (ISO 8601 UTC). Business time is part of the event's data. */
  readonly recordedAt: string;
  /** Over all that is above but the position, if the adapter keeps one: see `event-hash.ts`. `verify` checks it. */
  readonly hash?: Uint8Array;
}

export type ExpectedRevision = number | 'no-stream' | 'stream-exists' | 'any';

export interface AppendResult {
  /** Revision and position of the last event of this append (for a repeated append: those of the first time). */
  readonly revision: number;
  readonly position: Position;
}

/** How long a caller waits for a store that cannot be reached. A store on the same machine has no use for it. */
export interface Patience {
  /** When it gives up, as `performance.now()` counts; Infinity: never. Default: after a time of the store's. */
  readonly until?: number | undefined;
}

export interface AppendOptions extends Patience {
  /** An event of a copy is written as it is in the original, also where its stream has its id already. */
  readonly isCopy?: boolean;
}

export interface ReadStreamOptions extends Patience {
  /** First revision to yield; default 0 forwards, the last one backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly maxCount?: number;
  readonly signal?: AbortSignal;
}

/** An event and where it is. A log that was replaced, as by an older copy, has another event there, or none. */
export interface Landmark {
  readonly position: Position;
  readonly id: string;
}

/**
 * What a log has at a position. `removed`: the log goes on there, but the event was removed. `none`: no event begins there, as
 * with positions of another log, or of one that was restored from an older copy.
 */
export type Place = { readonly kind: 'event'; readonly id: string } | { readonly kind: 'removed' | 'none' };

/** An event passes when its type is one of `types` (if given) and its stream starts with one of `streamPrefixes` (if given). */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly streamPrefixes?: readonly string[];
}

export interface ReadAllOptions {
  /** Forwards: events after this position. Backwards: events before it. Default: from the respective end. */
  readonly after?: Position;
  readonly direction?: 'forwards' | 'backwards';
  readonly filter?: EventFilter;
  readonly maxCount?: number;
  readonly signal?: AbortSignal;
}

export interface SubscribeOptions {
  /** The last position already handled; `BEFORE_FIRST` for the whole log. */
  readonly after: Position;
  readonly filter?: EventFilter;
  readonly signal?: AbortSignal;
}

/**
 * `checkpoint`: every event up to this position was yielded or filtered out, so it may be stored as handled.
 * `caught-up`: there were no newer events when it was yielded; it comes each time the subscriber has caught up again.
 */
export type SubscriptionMessage =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'checkpoint'; readonly position: Position }
  | { readonly kind: 'caught-up'; readonly position: Position };

/**
 * What somebody else did to a stream: `cut`, its metadata hides events ($maxCount, $maxAge, $tb); `deleted`, it shows nothing
 * and can begin again; `tombstoned`, it has ended for ever; `uncut`, its metadata hides nothing, or nothing any more.
 */
export interface StreamCut {
  readonly kind: 'cut';
  readonly stream: string;
  readonly how: 'cut' | 'deleted' | 'tombstoned' | 'uncut';
}

export type CutMessage = StreamCut | Extract<SubscriptionMessage, { kind: 'checkpoint' | 'caught-up' }>;

/** A store whose streams can be cut and deleted by others. */
export interface FollowsCuts {
  /** What was done to streams, also to those of others, and what is being done. It ends as `subscribe` does. */
  followCuts(options: Pick<SubscribeOptions, 'after' | 'signal'>): AsyncIterable<CutMessage>;
}

/** An event of another program in a stream that is named like ours; the first one that was noticed there. */
export interface ForeignStream extends Landmark {
  readonly stream: string;
  readonly revision: number;
  /** When a program of ours noticed (ISO 8601 UTC). */
  readonly noticedAt: string;
}

/** The streams named like ours to which others write, as far as this program knows. */
export interface ForeignStreams {
  all(): readonly ForeignStream[];
  of(stream: string): ForeignStream | undefined;
  /** Notes one that another program noticed, or this one before it was restarted. */
  note(found: ForeignStream): void;
  forget(stream: string): void;
  /** @param found called for each one that is noticed @returns ends that */
  onFound(found: () => void): () => void;
}

/** Undefined: at once. @throws why not */
export type AskBeforeAppend = () => Promise<void> | undefined;

export interface EventStore {
  /**
   * Appends all events or none. A repeated append (the same ids in the same order, already written after the
   * expected revision) succeeds with the first result; a part of it, or its ids in another order, is a conflict. An id that
   * is in the stream up to the expected revision is no repeat. A store with an index of ids refuses it; a server writes it,
   * so whoever appends gives each event an id that its stream cannot have.
   * @throws WrongExpectedRevision, EventIdTaken, AppendTooLarge, BadEvent, StoreFull, StoreUnavailable, OutcomeUnknown
   */
  append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /**
   * For a node that serves the programs of others, if the store can: like `append`, but a stream or a type may begin with $
   * or be of any length, and an append may have any number of events and bytes, and ids twice or of the stream before it.
   */
  appendAsServer?(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  /** Yields nothing for a stream that does not exist. Aborting ends the iteration without an error. */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;
  /**
   * Never ends by itself. Aborting the signal or leaving the loop ends it and frees its resources.
   * @throws NoSuchPosition when the log does not have the position, LogReplaced when it loses it later
   */
  subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionMessage>;
  /** Position of the last event, `BEFORE_FIRST` while the log is empty. */
  head(patience?: Patience): Promise<Position>;
  /**
   * Resolves when the server has answered a read of the log. Absent where no server is asked.
   * @throws AccessRefused, StoreUnavailable
   */
  answers?(patience?: Patience): Promise<void>;
  /** What is at a position, whichever program gave it. */
  placeAt(position: Position): Promise<Place>;
  /** A text that no other log has. */
  identity(): Promise<string>;
  /** Undefined: nobody else can touch the streams. */
  readonly damages?: Damages;
  /** Undefined: nobody else writes to this log. */
  readonly foreignStreams?: ForeignStreams | undefined;
  /**
   * Why nothing can be appended now; undefined when nothing is known against it. Absent where that is known only by appending,
   * on a server.
   */
  whyNotWritable?(): Promise<EventStoreError | undefined>;
  /** How often a connection to its server broke: after that, the log may be another one. Absent where there is no server. */
  breaks?(): number;
  /** @param ask called before each append is sent, also again: it resolves when the append may be sent. Absent with `breaks`. */
  askBeforeAppends?(ask: AskBeforeAppend): void;
  /** Since the store was opened. Undefined where there is no server that could be away. */
  outages?(): Outages | undefined;
  /**
   * What contradicts itself in the records of this store, each in a few words that begin with its place. It reads all of them.
   * Absent where a server keeps them.
   */
  faults?(): Promise<readonly string[]>;
  readonly limits: StoreLimits;
  close(): Promise<void>;
}

export interface StoreLimits {
  /** Bytes of data and metadata that one append may have in all. */
  readonly maxAppendBytes: number;
  /** Events that one append may have. */
  readonly maxAppendEvents: number;
  /** Characters of a stream name or an event type. */
  readonly maxNameLength: number;
}

export const DEFAULT_LIMITS: StoreLimits = { maxAppendBytes: 1024 * 1024, maxAppendEvents: 4096, maxNameLength: 500 };

/** The base of everything that an event store refuses or fails with. */
export class EventStoreError extends LeadgerError {}

/** The stream is not at the expected revision; nothing was written. */
export class WrongExpectedRevision extends EventStoreError {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly actual: number | 'no-stream';
  constructor(stream: string, expected: ExpectedRevision, actual: number | 'no-stream') {
    super('wrong-expected-revision', `stream ${stream} is at ${actual}, not at ${expected}`);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The stream has an event with this id already, and the append is no repeat of its append; nothing was written. */
export class EventIdTaken extends EventStoreError {
  constructor(stream: string, id: string) {
    super('event-id-taken', `stream ${stream} has an event ${id} already, and this append is no repeat of it`);
  }
}

/** The append has too many bytes or events; nothing was written. */
export class AppendTooLarge extends EventStoreError {
  constructor(message: string) {
    super('append-too-large', message);
  }
}

/** An event, a name or an option that no store accepts; nothing was written. */
export class BadEvent extends EventStoreError {
  constructor(message: string) {
    super('bad-event', message);
  }
}

/** The disk is full; nothing was written. Reading still works. */
export class StoreFull extends EventStoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('store-full', message, options);
  }
}

/** The store cannot be reached or was closed; nothing was written. */
export class StoreUnavailable extends EventStoreError {
  constructor(message: string, options?: ErrorOptions, code = 'store-unavailable') {
    super(code, message, options);
  }
}

/** The account may not do that, or does not exist: trying again helps only when somebody changes that on the server. */
export class AccessRefused extends StoreUnavailable {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options, 'access-refused');
  }
}

/** The server has another log than the one that this program was started on, or an empty one. The message says what to do. */
export class LogLost extends StoreUnavailable {}

/** The append may or may not have been written. Repeat it with the same ids: it is written once. */
export class OutcomeUnknown extends EventStoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('outcome-unknown', message, options);
  }
}

export const STREAM_ACCESS_REFUSED = 'stream-access-refused';

/** The account may not read one stream, or not write to it: the access list of that stream does not let it. */
export class StreamAccessRefused extends EventStoreError {
  constructor(stream: string, options?: ErrorOptions) {
    super(STREAM_ACCESS_REFUSED, `the event store refuses this account the stream ${stream}`, options);
  }
}

/** The bytes of an event are not those that were written, so nothing may be made of them. */
export class DamagedEvent extends EventStoreError {
  constructor({ stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>) {
    super('damaged-event', `${stream}@${revision} is damaged: it is not what was written`);
  }
}

/** No event begins at a position: it is made up, or of another log, or of this one before an older copy was restored. */
export class NoSuchPosition extends EventStoreError {
  constructor(position: Position, options?: ErrorOptions) {
    super('no-such-position', `this log has no event at position ${position}`, options);
  }
}

/** The log lost its end while it was followed: it was restored from an older copy. What was read of it must be read anew. */
export class LogReplaced extends EventStoreError {
  constructor({ position, id }: Landmark) {
    super('log-replaced', `the log was restored from an older copy: it has no event ${id} at ${position} any more`);
  }
}

/** A data directory or database that cannot be used as it is: locked, read-only, of a newer format, damaged, open to others. */
export class CannotOpenStore extends EventStoreError {
  constructor(
    code:
      | 'locked'
      | 'read-only'
      | 'newer-format'
      | 'damaged'
      | 'full'
      | 'unsafe-settings'
      | 'wrong-key'
      | 'not-private',
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}
