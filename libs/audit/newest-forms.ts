import { decode, encode, type Fact, idOf, versionOf } from '#domain/codec';
import { isActorId } from '#domain/kernel/caller';
import { type Family, familyOf, ledger } from '#domain/ledger';
import type { RecordedEvent } from '#event-store/port';
import type { Vault } from '#vault/vault';
import { NoCopy } from './copy-log.ts';
import { EventsSeen } from './laws/events-seen.ts';

type Data = Readonly<Record<string, unknown>>;

/** One event comes before all others in a rewritten log: the one that says so. */
const EVENTS_BEFORE = 1;

/** In version 1 their key of a business was the normal form of its name. */
const plainKeyed: ReadonlySet<string> = new Set([
  'CustomerRegistered',
  'BusinessAssociationChanged',
  'AddressClaimed',
  'LeadAssigned',
  'LeadDelivered',
]);

/** All hashes of the vault have this form. Hashes that older versions made without a key have others. */
const KEYED_HASH = /^[A-Za-z0-9_-]{22}$/;

export interface NewestForm {
  readonly fact: Fact;
  /** The customer whom it is about. */
  readonly customerId: string | undefined;
}

/**
 * Reads the events of a log, in their order, as the present version would have recorded them: in the newest version, with
 * keyed hashes, with ids in place of names, and with ordinals in place of positions. Boxes stay as they are. The same log
 * gives the same facts each time.
 */
export class NewestForms {
  readonly #vault: Pick<Vault, 'personKey'>;
  /** Streams of coupons that the store defined. */
  readonly #coupons: ReadonlySet<string>;
  readonly #eventsSeen = new EventsSeen();
  readonly #owners = new StreamOwners();
  readonly #renamed = new Map<string, string>();

  constructor(vault: Pick<Vault, 'personKey'>, coupons: ReadonlySet<string>) {
    this.#vault = vault;
    this.#coupons = coupons;
  }

  /** Actors that were names or addresses, each with the id that it has now. */
  get renamed(): ReadonlyMap<string, string> {
    return this.#renamed;
  }

  /** Must be called for all events in the order of the log. @throws UnreadableEvent, NoCopy */
  of(stored: RecordedEvent): NewestForm {
    this.#eventsSeen.count(stored.position);
    const older = decode(stored);
    const customerId = this.#owners.of(older);
    const data = this.#dataOf(older, plainKeyed.has(older.type) && versionOf(stored) === 1);
    const fact = { ...older, data, cause: this.#causeOf(older.cause) } as Fact;
    return { fact: decode({ ...stored, ...encodedAgain(fact) }), customerId };
  }

  #dataOf(fact: Fact, hasPlainKey: boolean): Data {
    const data = hasPlainKey ? this.#withKeyedHash(fact.data as Data) : (fact.data as Data);
    if (fact.type === 'PolicyPublished') return { ...data, author: this.#idOf(fact.data.author) };
    // What somebody typed in place of a code. The stream is named by its hash.
    if (fact.type === 'CouponRefused' && !this.#coupons.has(fact.stream)) return { ...data, code: idOf(fact.stream) };
    return 'decision' in data ? { ...data, decision: this.#withEventsSeen(data.decision as Data) } : data;
  }

  #causeOf({ requestHash, eventsSeen, ...cause }: Fact['cause']): Fact['cause'] {
    const { actor, authenticatedAs } = cause;
    return {
      ...cause,
      actor: this.#idOf(actor),
      ...(authenticatedAs !== undefined && { authenticatedAs: this.#idOf(authenticatedAs) }),
      ...(requestHash !== undefined && { requestHash: this.#keyedRequest(requestHash) }),
      ...(eventsSeen !== undefined && { eventsSeen: eventsSeen + EVENTS_BEFORE }),
    };
  }

  /** A claim of an address has the business in the registration that it is for. */
  #withKeyedHash(data: Data): Data {
    const { businessKey, purpose } = data as { businessKey?: string; purpose?: { registration?: Data } };
    if (businessKey !== undefined) return { ...data, businessKey: this.#vault.personKey('business', businessKey) };
    if (!purpose?.registration) return data;
    return { ...data, purpose: { ...purpose, registration: this.#withKeyedHash(purpose.registration) } };
  }

  /** A position is of one log only. One that this log does not know either is left out: such a decision is passed over. */
  #withEventsSeen({ decidedOn, eventsSeen, ...decision }: { decidedOn?: string; eventsSeen?: number } & Data): Data {
    const seen = eventsSeen ?? (decidedOn === undefined ? undefined : this.#eventsSeen.by({ decidedOn }));
    return { ...decision, ...(seen !== undefined && { eventsSeen: seen + EVENTS_BEFORE }) };
  }

  #keyedRequest(requestHash: string): string {
    return KEYED_HASH.test(requestHash) ? requestHash : this.#vault.personKey('request', requestHash);
  }

  #idOf(actor: string): string {
    if (isActorId(actor)) return actor;
    const [, kind = 'staff'] = /^(customer|staff|system):/.exec(actor) ?? [];
    const id = `${kind}:former-${this.#vault.personKey('actor', actor)}`;
    this.#renamed.set(actor, id);
    return id;
  }
}

/** @throws NoCopy for an event that the present version would not store. The message repeats nothing of it. */
export function encodedAgain(fact: Fact) {
  try {
    return encode(fact.stream, fact, fact.cause);
  } catch (error) {
    throw new NoCopy(`${fact.type} at ${fact.stream}@${fact.revision} has not the form that this version stores`, {
      cause: error,
    });
  }
}

/** The customer to whom a stream belongs, by its first event, where later events do not name it. */
export class StreamOwners {
  readonly #owners = new Map<string, string>();

  /** Must be called for all events in the order of the log. */
  of({ stream, revision, data }: Fact): string | undefined {
    const family = familyOf(stream);
    if (family === 'customer' || family === 'contacts' || family === 'looks') return idOf(stream);
    const { customerId } = data as { customerId?: string };
    const { owner }: Family = ledger[family];
    if (customerId !== undefined && revision === 0 && owner) this.#owners.set(stream, customerId);
    return customerId ?? this.#owners.get(stream);
  }
}
