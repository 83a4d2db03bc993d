import { once } from 'node:events';
import {
  applyDecorators,
  type CanActivate,
  Controller,
  Get,
  Inject,
  Injectable,
  Logger,
  type OnModuleDestroy,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorTextOf, messageWithoutValues } from '#domain/kernel/error-texts';
import type { Position } from '#event-store/port';
import { isPosition } from '#event-store/position-text';
import { exampleIds } from '#read-models/models/examples';
import type { Feed } from '#requests/feeds/feed';
import { type ChangeKind, type ChangeMessage, changeKinds } from '#requests/feeds/messages';
import type { Identity } from '#requests/identities';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { halfOfTheTime } from '#requests/turns';
import { QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Id, OneOf } from './fields.ts';
import { malformed, Problem, problemOf } from './problems.ts';
import { QUOTAS, type Quotas, UnderWay } from './quotas.ts';
import { Problems } from './responses.ts';

class FeedQuery {
  @OneOf(changeKinds, { description: 'Changes of things of this kind only.', example: 'order', optional: true })
  kind?: ChangeKind;

  @Id({ description: 'Changes at this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @Id({ description: 'Changes of this customer only.', optional: true })
  customerId?: string;
}

const MILLISECONDS_BETWEEN_HEARTBEATS = 15_000;
/** How long a feed may outlive its session. */
const MILLISECONDS_BETWEEN_LOOKS = 500;
const MOST_MILLISECONDS_WITHOUT_READING = 60_000;

/** For the most feeds that this program serves at a time. */
export const MOST_FEEDS = Symbol('MostFeeds');
export const DEFAULT_MOST_FEEDS = 2000;

/** The feeds of a program share its time, so that commands are answered in between, whatever crowd connects at once. */
@Injectable()
export class FeedTurns implements CanActivate {
  readonly turn = halfOfTheTime();

  /** Before the request is looked at: that takes as long as anything that follows. */
  async canActivate(): Promise<boolean> {
    await this.turn();
    return true;
  }
}

const FeedRoute = () =>
  applyDecorators(
    Get(),
    UseGuards(FeedTurns),
    ApiOperation({
      summary:
        "Changes as they happen, as server-sent events: a customer's own, or all for staff. One feed is one connection",
      description:
        'Events `change` carry their position in the log as id. Send the last one as Last-Event-ID: the feed continues after it, and no change is lost or sent twice. Without it the feed begins now. Events `here` say how far the feed has come. Events `unreadable` are sent to staff only: they name the type and the stream of an event that this version cannot read, for example one of a newer version. A feed ends with the session that it was opened with. A client that does not read, or reads so slowly that it falls far behind, is disconnected, and may connect again. A program serves a limited number of feeds (beyond it the answer is 503 with Retry-After), and each caller a part of them (429).',
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
      description: 'In a trial, who asks: customer:ID, staff:ID or system:ID.',
      required: false,
    }),
    ApiResponse({
      status: 200,
      description: 'The feed.',
      content: { 'text/event-stream': { schema: { type: 'string' }, example: feedExample } },
    }),
    Problems(400, 401, 429, 503),
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
  readonly #turns: FeedTurns;
  readonly #mostFeeds: number;
  readonly #ofCallers: UnderWay;
  readonly #readers = new Set<Reader>();
  readonly #heartbeat = setInterval(() => void this.#tellAll(), MILLISECONDS_BETWEEN_HEARTBEATS).unref();
  readonly #looks = setInterval(() => void this.#endThoseOver(), MILLISECONDS_BETWEEN_LOOKS).unref();
  #isTelling = false;
  #isLooking = false;
  #isOver = false;

  constructor(
    @Inject(QUERIES) queries: Queries,
    @Inject(MOST_FEEDS) mostFeeds: number,
    @Inject(FeedTurns) turns: FeedTurns,
    @Inject(QUOTAS) { feeds }: Quotas,
  ) {
    this.#queries = queries.changes;
    this.#mostFeeds = mostFeeds;
    this.#turns = turns;
    this.#ofCallers = new UnderWay(feeds);
  }

  /** A server that is closed waits for its answers to end, and these never would. */
  onModuleDestroy(): void {
    this.#isOver = true;
    clearInterval(this.#heartbeat);
    clearInterval(this.#looks);
    for (const reader of this.#readers) reader.leave();
  }

  @FeedRoute()
  async followFeed(
    @Query() query: FeedQuery,
    @Asking() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const after = positionIn(request.headers['last-event-id']);
    const reader = this.#enter(request, reply);
    const { signal } = reader;
    try {
      const feed = await this.#queries.follow(context, { ...query, after, signal, turn: this.#turns.turn });
      if (!feed) throw unknownPosition();
      reply.hijack();
      void this.#send(feed, reader, reply.getHeaders());
    } catch (error) {
      reader.leave();
      throw error;
    }
  }

  /** Counted before the log is asked: a crowd that is refused costs the event store nothing. */
  #enter(request: FastifyRequest, reply: FastifyReply): Reader {
    if (this.#readers.size >= this.#mostFeeds || this.#isOver)
      throw new Problem('too-many-feeds', 'no more feeds can be opened now', { retryAfterSeconds: 5 });
    this.#ofCallers.enter(request, reply);
    const { raw } = reply;
    const reader = new Reader(raw, request.identity);
    this.#readers.add(reader);
    reader.signal.addEventListener('abort', () => this.#readers.delete(reader), { once: true });
    // Who left while it waited for its turn does not leave again.
    if (raw.destroyed) reader.leave();
    else raw.once('close', () => reader.leave());
    return reader;
  }

  async #send(feed: Feed, reader: Reader, headers: object): Promise<void> {
    try {
      if (!reader.signal.aborted) reader.begin(feed, headers);
      for await (const messages of feed.changes()) {
        reader.write(messages.map(textOf).join(''));
        await reader.taken();
      }
    } catch (error) {
      // What is out of reach is said once for the program, and not for each feed.
      if (problemOf(error)?.status !== 503)
        this.#log.error(`a feed broke off: ${messageWithoutValues(error)}`, errorTextOf(error).stack);
    } finally {
      // Also a feed that fell behind ends here: its client comes back with the id of the last event that it received.
      reader.end();
    }
  }

  /** A feed ends with the session, or the key, that it was opened with. While that is not known, it goes on. */
  async #endThoseOver(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await Promise.all([...this.#readers].map((reader) => reader.endIfOver().catch(() => {})));
    this.#isLooking = false;
  }

  /** One timer for all feeds. */
  async #tellAll(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (const reader of this.#readers) {
      await this.#turns.turn();
      reader.tellWhere();
    }
    this.#isTelling = false;
  }
}

/** Where the changes of a feed go. */
class Reader {
  readonly #raw: FastifyReply['raw'];
  readonly #identity: Identity;
  readonly #left = new AbortController();
  #feed: Feed | undefined;

  constructor(raw: FastifyReply['raw'], identity: Identity) {
    this.#raw = raw;
    this.#identity = identity;
  }

  get signal(): AbortSignal {
    return this.#left.signal;
  }

  leave(): void {
    this.#left.abort();
  }

  async endIfOver(): Promise<void> {
    if (!(await this.#identity.holds())) this.end();
  }

  begin(feed: Feed, headers: object): void {
    this.#feed = feed;
    this.#raw.socket?.setKeepAlive(true);
    this.#raw.writeHead(200, { ...headers, ...headersOfFeeds });
    // HEAD: there is nothing to wait for.
    if (this.#raw.req.method === 'HEAD') this.end();
    else this.tellWhere();
  }

  write(text: string): void {
    if (!this.signal.aborted) this.#raw.write(text);
  }

  tellWhere(): void {
    if (this.#feed && !this.#raw.writableNeedDrain) this.write(textOfMessage('here', this.#feed.reached, {}));
  }

  /** Nothing is read ahead for a slow client. A client that does not read at all is disconnected, and can come back. */
  async taken(): Promise<void> {
    if (!this.#raw.writableNeedDrain || this.signal.aborted) return;
    const patience = AbortSignal.timeout(MOST_MILLISECONDS_WITHOUT_READING);
    const signal = AbortSignal.any([this.signal, patience]);
    await once(this.#raw, 'drain', { signal }).catch(() => this.#raw.destroy());
  }

  end(): void {
    this.leave();
    this.#raw.end();
  }
}

/** `no-transform` and `x-accel-buffering`: proxies pass on what they get at once. */
const headersOfFeeds = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

const textOfMessage = (event: string, id: Position, data: object): string =>
  `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

const texts = new WeakMap<ChangeMessage, string>();

/** Made once for all feeds. */
function textOf(message: ChangeMessage): string {
  const text = texts.get(message) ?? textOfMessage(message.kind, message.position, dataOf(message));
  texts.set(message, text);
  return text;
}

const dataOf = (message: ChangeMessage): object =>
  message.kind === 'change' ? message.change : { stream: message.stream, type: message.type };

/** @throws Problem for what cannot be a position */
function positionIn(lastEventId: string | string[] | undefined): Position | undefined {
  if (lastEventId === undefined || isPosition(lastEventId)) return lastEventId;
  throw unknownPosition();
}

const unknownPosition = (): Problem =>
  malformed([{ field: 'last-event-id', message: 'must be the id of an event of this feed' }]);
