import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  applyDecorators,
  Controller,
  Inject,
  Logger,
  type MessageEvent,
  type OnModuleDestroy,
  Query,
  Req,
  Res,
  Sse,
} from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  catchError,
  defer,
  EMPTY,
  filter,
  finalize,
  from,
  fromEvent,
  interval,
  map,
  merge,
  type Observable,
  of,
  startWith,
  takeUntil,
} from 'rxjs';
import type { Position } from '#event-store/port';
import { exampleIds } from '#read-models/models/examples';
import type { Feed } from '#requests/feeds/feed';
import { type ChangeKind, type ChangeMessage, changeKinds } from '#requests/feeds/messages';
import { callsInTurn } from '#requests/in-turn';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Id, isPosition, OneOf } from './fields.ts';
import { malformed, Problem } from './problems.ts';
import { Problems } from './responses.ts';

class FeedQuery {
  @OneOf(changeKinds, { description: 'Changes of things of this kind only.', example: 'order', optional: true })
  kind?: ChangeKind;

  @Id({ description: 'Changes at this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @Id({ description: 'Changes of this customer only.', optional: true })
  customerId?: string;
}

/** Where the changes of a feed go. */
interface Reader {
  readonly raw: FastifyReply['raw'];
  readonly signal: AbortSignal;
  leave(): void;
}

const MILLISECONDS_BETWEEN_HEARTBEATS = 15_000;
const MOST_MILLISECONDS_WITHOUT_READING = 60_000;

/** For the most feeds that this program serves at a time. */
export const MOST_FEEDS = Symbol('MostFeeds');
export const DEFAULT_MOST_FEEDS = 2000;

const FeedRoute = () =>
  applyDecorators(
    Sse(),
    ApiOperation({
      summary:
        "Changes as they happen, as server-sent events: a customer's own, or all for staff. One feed is one connection",
      description:
        'Events `change` carry their position in the log as id. Send the last one as Last-Event-ID: the feed continues after it, and no change is lost or sent twice. Without it the feed begins now. Events `here` say how far the feed has come. Events `unreadable` are sent to staff only: they name the type and the stream of an event that this version cannot read, for example one of a newer version. A client that does not read, or reads so slowly that it falls far behind, is disconnected, and may connect again. A program serves a limited number of feeds; beyond it the answer is 503 with Retry-After.',
    }),
    ApiHeader({
      name: 'Last-Event-ID',
      description: 'The id of the last event that was received.',
      required: false,
      schema: { type: 'string' },
      example: '0000000000000042',
    }),
    ApiHeader({
      name: 'Leadger-Actor',
      description: 'Who asks: customer:ID, staff:ID or system:ID.',
      required: false,
    }),
    ApiResponse({
      status: 200,
      description: 'The feed.',
      content: { 'text/event-stream': { schema: { type: 'string' }, example: feedExample } },
    }),
    Problems(400, 503),
  );

const changeExample = {
  type: 'OrderPaused',
  at: '2026-03-01T09:30:00.000Z',
  kind: 'order',
  id: exampleIds.orderId,
  customerId: exampleIds.customerId,
  storeId: exampleIds.storeId,
};
const feedExample = `event: change\nid: 0000000000000042\ndata: ${JSON.stringify(changeExample)}\n\n`;

/**
 * Changes as they happen. A change names the event and the thing that it happened to, nothing else. A client that needs
 * more reads it from the API, with the id as waitFor, where its rights are checked.
 */
@ApiTags('feed')
@Controller('api/feed')
export class FeedController implements OnModuleDestroy {
  readonly #log = new Logger(FeedController.name);
  readonly #queries: Queries['changes'];
  readonly #over = new AbortController();
  readonly #inTurn = callsInTurn(1);
  readonly #mostFeeds: number;
  #feeds = 0;

  constructor(@Inject(QUERIES) queries: Queries, @Inject(MOST_FEEDS) mostFeeds: number) {
    this.#queries = queries.changes;
    this.#mostFeeds = mostFeeds;
  }

  /** A server that is closed waits for its answers to end, and these never would. */
  onModuleDestroy(): void {
    this.#over.abort();
  }

  @FeedRoute()
  async followFeed(
    @Query() query: FeedQuery,
    @Asking() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res() { raw }: FastifyReply,
  ): Promise<Observable<MessageEvent>> {
    const after = positionIn(request.headers['last-event-id']);
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, this.#over.signal]);
    const leave = this.#enter(left);
    // Nest does not begin an answer whose client has left meanwhile, so it would not end it, either.
    raw.once('close', leave);
    try {
      // A crowd that connects at once begins one by one, a turn of the event loop each: commands are answered in between.
      await this.#inTurn(() => nextTurn());
      const feed = await this.#queries.follow(context, { ...query, after, signal });
      if (!feed) throw unknownPosition();
      return this.#messages(feed, { raw, signal, leave });
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Counted before the log is asked: a crowd that is refused costs the event store nothing. */
  #enter(left: AbortController): () => void {
    if (this.#feeds >= this.#mostFeeds || this.#over.signal.aborted)
      throw new Problem('too-many-feeds', 'no more feeds can be opened now', { retryAfterSeconds: 5 });
    this.#feeds += 1;
    return () => {
      if (left.signal.aborted) return;
      this.#feeds -= 1;
      left.abort();
    };
  }

  #messages(feed: Feed, reader: Reader): Observable<MessageEvent> {
    const here = interval(MILLISECONDS_BETWEEN_HEARTBEATS).pipe(
      startWith(0),
      filter(() => !reader.raw.writableNeedDrain),
      map((): MessageEvent => ({ type: 'here', id: feed.reached, data: {} })),
    );
    return merge(here, from(eventsOf(feed, reader))).pipe(
      takeUntil(endOf(reader.signal)),
      // Nest would send the error as an event with an id of its own. A browser would come back with that id, and be refused.
      catchError((error) => {
        this.#log.error(`a feed broke off: ${error}`, error.stack);
        return EMPTY;
      }),
      finalize(reader.leave),
    );
  }
}

const endOf = (signal: AbortSignal): Observable<unknown> =>
  defer(() => (signal.aborted ? of(undefined) : fromEvent(signal, 'abort')));

/** @throws Problem for what cannot be a position */
function positionIn(lastEventId: string | string[] | undefined): Position | undefined {
  if (lastEventId === undefined || isPosition(lastEventId)) return lastEventId;
  throw unknownPosition();
}

const unknownPosition = (): Problem =>
  malformed([{ field: 'last-event-id', message: 'must be the id of an event of this feed' }]);

async function* eventsOf(feed: Feed, reader: Reader): AsyncGenerator<MessageEvent> {
  for await (const message of feed.changes()) {
    yield eventOf(message);
    await takenBy(reader);
  }
  // Also a feed that fell behind ends here: its client comes back with the id of the last event that it received.
  reader.leave();
}

function eventOf(message: ChangeMessage): MessageEvent {
  const { kind, position: id } = message;
  switch (kind) {
    case 'change':
      return { type: kind, id, data: message.change };
    case 'unreadable':
      return { type: kind, id, data: { stream: message.stream, type: message.type } };
  }
}

/** Nothing is read ahead for a slow client. A client that does not read at all is disconnected, and can come back. */
async function takenBy({ raw, signal }: Reader): Promise<void> {
  await nextTurn();
  if (!raw.writableNeedDrain || signal.aborted) return;
  const patience = AbortSignal.timeout(MOST_MILLISECONDS_WITHOUT_READING);
  await once(raw, 'drain', { signal: AbortSignal.any([signal, patience]) }).catch(() => raw.destroy());
}
