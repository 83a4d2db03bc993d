import { hash } from 'node:crypto';
import { type Caller, isStaff } from '#domain/kernel/caller';
import type { Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { bulkReadsStream, MANY_PERSONS } from '#domain/support/bulk-reads';
import { customerOfLookKey } from '#domain/support/look';
import { readsStream } from '#domain/support/reads';
import { boundedCache } from '#event-store/bounded-cache';
import { type RequestContext, type RequestDependencies, requestTools } from './request-tools.ts';

/** A record has at most so many persons, so that it is never too large for the log. */
const MOST_PERSONS = 1000;
/** Of readers and hours, not to be asked for again. */
const REMEMBERED = 100_000;

/** In a trial nobody is known, so nothing could be said of them. The store itself, customers and programs of lead sources are no readers. */
const isReader = ({ roles, authenticated }: Caller): boolean => isStaff(roles) && authenticated !== 'trial-header';

/** Keys of persons. Others seal what is said about things of the store. */
const OF_PERSONS = /^(customer|lead|letters|person|staff|reasons-about-erased)(?=[-/])/;

interface Waiting {
  readonly persons: Set<string>;
  readonly written: Promise<void>;
}

/**
 * THE record of who was shown whose personal data (ADR 62): one for each reader, person and hour. What is asked for together is
 * recorded together.
 */
export class RecordedReads {
  readonly #dependencies: RequestDependencies;
  readonly #waiting = new Map<string, Waiting>();
  readonly #known = boundedCache<true>(REMEMBERED);

  constructor(dependencies: RequestDependencies) {
    this.#dependencies = dependencies;
  }

  /** Resolves when it is in the log that the caller is shown what is in a box. @throws when it cannot be recorded */
  async before(context: RequestContext, box: Sealed): Promise<void> {
    const { caller, asked = 'unknown' } = context;
    if (!isReader(caller)) return;
    const person = await this.#personOf(box);
    const stream = readsStream(caller.actor, this.#dependencies.clock.now());
    if (person === undefined || person === ownKey(caller) || this.#known.has(`${stream} ${person}`)) return;
    const together = `${stream} ${asked} ${context.commandId}`;
    const waiting = this.#waiting.get(together) ?? this.#begin(together, stream, asked, context);
    waiting.persons.add(person);
    await waiting.written;
    this.#known.set(`${stream} ${person}`, true);
  }

  async #personOf(box: Sealed): Promise<string | undefined> {
    const subject = await this.#dependencies.vault.subjectOf(box);
    if (subject === undefined) return UNKNOWN;
    const customerId = customerOfLookKey(subject);
    if (customerId !== undefined) return `customer-${customerId}`;
    return OF_PERSONS.test(subject) ? subject : undefined;
  }

  #begin(together: string, stream: ReturnType<typeof readsStream>, asked: string, context: RequestContext): Waiting {
    const persons = new Set<string>();
    const written = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
      this.#waiting.delete(together);
      const all = [...persons].sort();
      for (let from = 0; from < all.length; from += MOST_PERSONS)
        await this.#record(stream, all.slice(from, from + MOST_PERSONS), asked, context);
    });
    const waiting = { persons, written };
    this.#waiting.set(together, waiting);
    return waiting;
  }

  async #record(
    stream: ReturnType<typeof readsStream>,
    persons: readonly string[],
    asked: string,
    context: RequestContext,
  ): Promise<void> {
    const at = this.#dependencies.clock.now();
    const shown = (await this.#dependencies.streams.read<'reads'>(stream)).state;
    const inAll = new Set([...shown, ...persons]).size;
    // First: a crash between the two leaves one that was noticed too early, and none that was not.
    if (inAll > MANY_PERSONS && shown.size <= MANY_PERSONS) {
      const noticed = { at, reads: stream, reader: context.caller.actor, persons: inAll, asked };
      await this.#send(bulkReadsStream, { type: 'NoticeManyPersons', ...noticed }, stream, context);
    }
    await this.#send(stream, { type: 'RecordRead', at, persons, asked }, persons.join(' '), context);
  }

  async #send(
    stream: string,
    command: CommandOf<'reads'> | CommandOf<'bulkreads'>,
    about: string,
    { caller, commandId, parent, until }: RequestContext,
  ): Promise<void> {
    const { outcome } = await requestTools(this.#dependencies).send(stream, stream, command, {
      caller,
      commandId: deriveId('read', commandId, command.type, hash('sha256', about)),
      ...(until !== undefined && { until }),
      ...(parent && { parent }),
    });
    if (outcome.kind !== 'accepted') throw new Error(`a read was not recorded: ${outcome.kind}`);
  }
}

/** Of a text that an older version stored without a key. */
const UNKNOWN = 'unknown';

/** What members of staff read of themselves is not recorded. */
const ownKey = ({ actor }: Caller): string => actor.replace(':', '-');
