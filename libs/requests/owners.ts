import { customerStream } from '#domain/accounts/customer';
import { decode, type Fact, idOf } from '#domain/codec';
import type { Caller, Owner } from '#domain/kernel/caller';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { familyOf } from '#domain/ledger';
import { boundedCache } from '#event-store/bounded-cache';
import { callsInTurn } from '#event-store/in-turn';
import type { EventStore } from '#event-store/port';
import type { RowQueries } from '#read-models/queries';

type OwnedFamily = 'customer' | 'contacts' | 'checkout' | 'order' | 'programme' | 'replacement' | 'ticket';

/** A stream of a customer. Its owner never changes. */
export type OwnedStream = `${OwnedFamily}-${string}`;
export type StreamOwner = Required<Owner>;

/** Looks up the owner of a stream; undefined when the stream does not exist. It may throw UnreadableEvent. */
export type OwnerOf = (stream: OwnedStream) => Promise<StreamOwner | undefined>;

interface OwnerSource {
  readonly events: Pick<EventStore, 'readStream'>;
  readonly rows: Pick<RowQueries, 'owners'>;
}

const MOST_OWNERS = 10_000;
const MOST_READS_AT_ONCE = 3;

/** The rows are read for the program itself. What it reports is checked for each caller. */
const program: Caller = { kind: 'program', actor: 'system:feeds', roles: ['process'], stores: 'all' };

/** Who owns streams. The first event of each stream names its owner. A few streams are read at a time. */
export class Owners {
  readonly #source: OwnerSource;
  readonly #known = boundedCache<StreamOwner>(MOST_OWNERS);
  readonly #inTurn = callsInTurn(MOST_READS_AT_ONCE);

  constructor(source: OwnerSource) {
    this.#source = source;
  }

  /** For rights: as the log says. */
  readonly of: OwnerOf = async (stream) => {
    const named = namedBy(stream);
    const owner = this.#known.get(named) ?? (await this.#inTurn(() => readOwner(this.#source.events, named)));
    if (owner) this.#known.set(named, owner);
    return owner;
  };

  /**
   * For reports of many events: from the events themselves, else from the read models. Streams are read only where these
   * have no row yet, or do not answer.
   * @returns the owners by stream, without those of streams that have none
   */
  async ofFacts(facts: readonly Fact[]): Promise<ReadonlyMap<string, StreamOwner>> {
    for (const fact of facts) {
      const owner = fact.revision === 0 && namedBy(fact.stream) === fact.stream && ownerIn(fact);
      if (owner) this.#known.set(fact.stream, owner);
    }
    const streams = new Set(facts.map(({ stream }) => stream));
    await this.#learn([...new Set([...streams].map(namedBy))].filter((named) => !this.#known.has(named)));
    const found = await Promise.all([...streams].map(async (stream) => [stream, await this.#find(stream)] as const));
    return new Map(found.filter((entry): entry is [string, StreamOwner] => entry[1] !== undefined));
  }

  async #find(stream: string): Promise<StreamOwner | undefined> {
    return this.of(stream as OwnedStream).catch((error: unknown) => {
      if (error instanceof UnreadableEvent) return undefined;
      throw error;
    });
  }

  async #learn(streams: readonly string[]): Promise<void> {
    for (const [family, ids] of Map.groupBy(streams, familyOf)) {
      const rows = await this.#source.rows.owners.ofFamily(program, family, ids.map(idOf)).catch(() => []);
      for (const { id, customerId, storeId } of rows) this.#known.set(`${family}-${id}`, { customerId, storeId });
    }
  }
}

/** A contact book does not name the store of its customer: the account does. */
const namedBy = (stream: string): string => (familyOf(stream) === 'contacts' ? customerStream(idOf(stream)) : stream);

async function readOwner(events: OwnerSource['events'], stream: string): Promise<StreamOwner | undefined> {
  for await (const event of events.readStream(stream, { maxCount: 1 })) return ownerIn(decode(event));
  return undefined;
}

/** An account does not name its customer: its stream does. */
function ownerIn({ stream, data }: Fact): StreamOwner | undefined {
  const { customerId = idOf(stream), storeId } = data as Partial<Owner>;
  return storeId === undefined ? undefined : { customerId, storeId };
}
