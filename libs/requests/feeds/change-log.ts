import { askedTogether, callsInTurn, callsInTurnOfEach } from '#event-store/in-turn';
import { BEFORE_FIRST, type EventStore, type Position, type RecordedEvent } from '#event-store/port';
import type { Owners } from '../owners.ts';
import { takingTurns } from '../turns.ts';
import { type ChangeMessage, messagesOf, reportedEvents } from './messages.ts';
import { RecentChanges } from './recent-changes.ts';

const MOST_READS_AT_ONCE = 3;
const MOST_CHECKS_AT_ONCE = 2;
const EVENTS_A_PAGE = 500;
const BYTES_A_PAGE = 4 * 1024 * 1024;

/** What happened after one position, up to another one. */
interface ChangePage {
  readonly after: Position;
  readonly reached: Position;
  readonly messages: readonly ChangeMessage[];
}

interface ChangeSource {
  readonly events: EventStore;
  readonly owners: Owners;
}

interface AskedPage {
  readonly after: Position;
  page?: ChangePage;
}

/**
 * The log, as all feeds of a program read it together: one subscription for what is new, and a few reads at a time for what is
 * older, in turn, a page each. However many feeds there are, they keep less than ten calls open on the event store.
 */
export class ChangeLog {
  readonly #source: ChangeSource;
  readonly #inTurn = callsInTurn(MOST_READS_AT_ONCE);
  readonly #checks = callsInTurnOfEach(MOST_CHECKS_AT_ONCE);
  readonly #asked = new Set<AskedPage>();
  /** The end of the log. */
  readonly head: () => Promise<Position>;
  readonly #begin: () => Promise<RecentChanges>;
  #recent: RecentChanges | undefined;

  constructor(source: ChangeSource) {
    this.#source = source;
    this.head = askedTogether(() => source.events.head());
    this.#begin = askedTogether(async () => this.#running() ?? this.#follow(await this.head()));
  }

  /** The newest changes, which are followed from the first time on that somebody asks. */
  async recent(): Promise<RecentChanges> {
    return this.#running() ?? this.#begin();
  }

  #running(): RecentChanges | undefined {
    return this.#recent?.hasEnded ? undefined : this.#recent;
  }

  #follow(head: Position): RecentChanges {
    const recent = new RecentChanges(head);
    this.#recent = recent;
    void this.#keepUp(recent).then(
      () => recent.end(),
      (error: unknown) => recent.end({ error }),
    );
    return recent;
  }

  /** Ends when the event store is closed. */
  async #keepUp(recent: RecentChanges): Promise<void> {
    const { events, owners } = this.#source;
    const pause = takingTurns();
    for await (const message of events.subscribe({ after: recent.upTo, filter: reportedEvents })) {
      if (message.kind === 'event') recent.add(await messagesOf([message.event], owners), message.event.position);
      else recent.add([], message.position);
      await pause();
    }
  }

  /** Whether the log has a position. That of another log may not be there. @param actor whose checks wait for each other */
  async has(position: Position, actor: string): Promise<boolean> {
    if (position === BEFORE_FIRST || (await this.recent()).knows(position)) return true;
    return this.#checks(actor, async () => (await this.#source.events.placeAt(position)).kind !== 'none');
  }

  /**
   * Some changes after a position, and how far they go. Feeds that wait for pages which begin within one that was read get that.
   * @param upTo a position that the log certainly has reached
   */
  async pageAfter(after: Position, upTo: Position, signal: AbortSignal): Promise<ChangePage> {
    const asked: AskedPage = { after };
    this.#asked.add(asked);
    try {
      return await this.#inTurn(async () => {
        if (signal.aborted) return { after, reached: after, messages: [] };
        return asked.page ?? this.#share(await this.#read(after, upTo));
      });
    } finally {
      this.#asked.delete(asked);
    }
  }

  #share(page: ChangePage): ChangePage {
    for (const other of this.#asked) if (page.after <= other.after && other.after < page.reached) other.page ??= page;
    return page;
  }

  async #read(after: Position, upTo: Position): Promise<ChangePage> {
    const { events, owners } = this.#source;
    const page: RecordedEvent[] = [];
    let bytes = 0;
    for await (const event of events.readAll({ after, filter: reportedEvents, maxCount: EVENTS_A_PAGE })) {
      page.push(event);
      bytes += event.data.length + event.metadata.length;
      if (bytes >= BYTES_A_PAGE) break;
    }
    const isWhole = page.length < EVENTS_A_PAGE && bytes < BYTES_A_PAGE;
    const last = page.at(-1)?.position ?? after;
    const reached = isWhole && upTo > last ? upTo : last;
    return { after, reached, messages: await messagesOf(page, owners) };
  }
}
