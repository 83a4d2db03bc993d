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
  EMPTY,
  filter,
  finalize,
  from,
  fromEvent,
  interval,
  map,
  merge,
  type Observable,
  startWith,
  takeUntil,
} from 'rxjs';
import { customerStream } from '#domain/accounts/customer';
import { decode, type Fact, idOf } from '#domain/codec';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { familyOf } from '#domain/ledger';
import { BadEvent, type EventStore, type Position, type RecordedEvent } from '#event-store/port';
import type { RequestContext } from '#requests/request-tools';
import { EVENT_STORE } from '#wiring/tokens';
import { Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { Id, isPosition, OneOf } from './fields.ts';
import { malformed, Problem } from './problems.ts';

/** What customers have, and what of theirs is told. */
const kinds = ['order', 'programme', 'contacts', 'replacement', 'ticket', 'customer'] as const;
type Kind = (typeof kinds)[number];

class FeedQuery {
  @OneOf(kinds, { description: 'Changes of things of this kind only.', example: 'order', optional: true })
  kind?: Kind;

  @Id({ description: 'Changes at this store only.', example: 'main', optional: true })
  storeId?: string;

  @Id({ description: 'Changes of this customer only.', optional: true })
  customerId?: string;
}

/** One feed, and how far it has come. */
interface Follower {
  readonly query: FeedQuery;
  readonly actor: string;
  readonly raw: FastifyReply['raw'];
  readonly signal: AbortSignal;
  reached: Position;
}

/** Whose a stream is. It never changes. */
interface Owner {
  readonly customerId: string;
  readonly storeId: string;
}

/** A lead is told of once it is delivered: until then it may still go to somebody else. */
const stepsTowardsADelivery: ReadonlySet<string> = new Set(['ContactAdded', 'ContactRemoved']);

const MILLISECONDS_BETWEEN_HEARTBEATS = 15_000;
const MOST_MILLISECONDS_WITHOUT_READING = 60_000;
const MOST_FEEDS = 200;
const MOST_OWNERS = 10_000;

const FeedRoute = () =>
  applyDecorators(
    Sse(),
    ApiOperation({
      summary: `Changes as they happen, as server-sent events: a customer's own, or all for staff. One feed is one connection; at most ${MOST_FEEDS}`,
      description:
        'Events `change` carry their position in the log as id. Send the last one as Last-Event-ID: the feed continues after it, and no change is lost or sent twice. Without it the feed begins now. Events `here` say how far the feed has come. Events `unreadable` are sent to staff only: they name the type and the stream of an event that this version cannot read, for example one of a newer version. A client that does not read is disconnected, and may connect again.',
    }),
    ApiHeader({
      name: 'Last-Event-ID',
      description: 'The id of the last event that was received.',
      required: false,
      schema: { type: 'string' },
      example: '0000000000000042',
    }),
    ApiHeader({ name: 'Leadger-Actor', description: 'Who asks: customer:ID or staff:NAME.', required: false }),
    ApiResponse({
      status: 200,
      description: 'The feed.',
      content: { 'text/event-stream': { schema: { type: 'string' }, example: feedExample } },
    }),
    Problems(400, 503),
  );

const feedExample =
  'event: change\nid: 0000000000000042\ndata: {"type":"OrderPaused","at":"2026-03-01T09:30:00.000Z","kind":"order","id":"3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11","customerId":"8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10","storeId":"main"}\n\n';

/**
 * Changes as they happen. A change names the event and the thing that it happened to, nothing else. A client that needs
 * more reads it from the API, with the id as waitFor, where its rights are checked.
 */
@ApiTags('feed')
@Controller('api/feed')
export class FeedController implements OnModuleDestroy {
  readonly #log = new Logger(FeedController.name);
  readonly #events: EventStore;
  readonly #owners = new Map<string, Owner>();
  readonly #over = new AbortController();
  #feeds = 0;

  constructor(@Inject(EVENT_STORE) events: EventStore) {
    this.#events = events;
  }

  /** A server that is closed waits for its answers to end, and these never would. */
  onModuleDestroy(): void {
    this.#over.abort();
  }

  @FeedRoute()
  async followFeed(
    @Query() query: FeedQuery,
    @Asking() { caller: { actor } }: RequestContext,
    @Req() request: FastifyRequest,
    @Res() { raw }: FastifyReply,
  ): Promise<Observable<MessageEvent>> {
    const after = await this.#placeAfter(request.headers['last-event-id']);
    if (this.#feeds >= MOST_FEEDS || this.#over.signal.aborted)
      throw new Problem('too-many-feeds', 'no more feeds can be opened now', { retryAfterSeconds: 5 });
    this.#feeds += 1;
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, this.#over.signal]);
    const follower: Follower = { query, actor, raw, signal, reached: after };
    const here = interval(MILLISECONDS_BETWEEN_HEARTBEATS).pipe(
      startWith(0),
      filter(() => !raw.writableNeedDrain),
      map((): MessageEvent => ({ type: 'here', id: follower.reached, data: {} })),
    );
    return merge(here, from(this.#changes(follower))).pipe(
      takeUntil(fromEvent(this.#over.signal, 'abort')),
      // Nest would tell of it as an event with an id of its own, and a browser come back with that one, to be refused.
      catchError((error) => {
        this.#log.error(`a feed broke off: ${error}`, error.stack);
        return EMPTY;
      }),
      finalize(() => {
        this.#feeds -= 1;
        left.abort();
      }),
    );
  }

  async *#changes(follower: Follower): AsyncGenerator<MessageEvent> {
    const { query, reached: after, signal } = follower;
    const streamPrefixes = (query.kind ? [query.kind] : kinds).map((kind) => `${kind}-`);
    for await (const message of this.#events.subscribe({ after, filter: { streamPrefixes }, signal })) {
      if (message.kind === 'event') {
        const told = await this.#toldOf(message.event, follower);
        if (told) yield told;
        // At once: what is told as `here` meanwhile is where whoever comes back goes on.
        follower.reached = message.event.position;
        if (told) await takenBy(follower);
      } else {
        follower.reached = message.position;
        // Much of the log may be passed over without a word, and others want to be served meanwhile.
        await nextTurn();
      }
    }
  }

  /** A feed goes on behind what cannot be read. Whose that is cannot be known, so all staff are told, and no customer is. */
  async #toldOf(event: RecordedEvent, follower: Follower): Promise<MessageEvent | undefined> {
    const { position: id, stream, type } = event;
    try {
      const fact = decode(event);
      const owner = await this.#ownerOf(fact);
      return isTold(fact, owner, follower) ? { type: 'change', id, data: changeOf(fact, owner) } : undefined;
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      return isCustomer(follower) ? undefined : { type: 'unreadable', id, data: { stream, type } };
    }
  }

  /** The first event of a stream says whose it is. */
  async #ownerOf(fact: Fact): Promise<Owner> {
    const { stream } = fact;
    const known = this.#owners.get(stream);
    if (known) return known;
    const owner = await this.#readOwner(fact);
    if (this.#owners.size >= MOST_OWNERS) this.#owners.clear();
    this.#owners.set(stream, owner);
    return owner;
  }

  async #readOwner(fact: Fact): Promise<Owner> {
    const { stream } = fact;
    const first = familyOf(stream) === 'contacts' ? customerStream(idOf(stream)) : stream;
    for await (const event of this.#events.readStream(first, { maxCount: 1 })) {
      // Of a customer the stream itself tells the id.
      const { customerId = idOf(stream), storeId } = decode(event).data as Partial<Owner> & Pick<Owner, 'storeId'>;
      return { customerId, storeId };
    }
    throw new UnreadableEvent(fact, new Error(`${first} has no first event`));
  }

  /** @throws Problem for what is no position of this log, which is shorter when it was restored from a copy */
  async #placeAfter(lastEventId: string | string[] | undefined): Promise<Position> {
    const head = await this.#events.head();
    if (lastEventId === undefined) return head;
    if (!isPosition(lastEventId) || lastEventId > head || !(await this.#canReadAfter(lastEventId)))
      throw malformed([{ field: 'last-event-id', message: 'must be the id of an event of this feed' }]);
    return lastEventId;
  }

  /** What is a position of one store may be none of another. */
  async #canReadAfter(position: Position): Promise<boolean> {
    try {
      for await (const _ of this.#events.readAll({ after: position, maxCount: 1 })) break;
      return true;
    } catch (error) {
      if (error instanceof BadEvent) return false;
      throw error;
    }
  }
}

const isCustomer = ({ actor }: Follower): boolean => actor.startsWith('customer:');

function isTold({ type }: Fact, owner: Owner, follower: Follower): boolean {
  const { actor, query } = follower;
  if (isCustomer(follower) && actor !== `customer:${owner.customerId}`) return false;
  const { storeId = owner.storeId, customerId = owner.customerId } = query;
  return !stepsTowardsADelivery.has(type) && storeId === owner.storeId && customerId === owner.customerId;
}

/** Nothing is read ahead of who reads slowly; who does not read at all is left, and comes back for the rest. */
async function takenBy({ raw, signal }: Follower): Promise<void> {
  await nextTurn();
  if (!raw.writableNeedDrain || signal.aborted) return;
  const patience = AbortSignal.timeout(MOST_MILLISECONDS_WITHOUT_READING);
  await once(raw, 'drain', { signal: AbortSignal.any([signal, patience]) }).catch(() => raw.destroy());
}

function changeOf({ type, stream, data }: Fact, { customerId, storeId }: Owner) {
  const leadId = 'leadId' in data ? data.leadId : undefined;
  return {
    type,
    at: data.at,
    kind: familyOf(stream),
    id: idOf(stream),
    ...(leadId && { leadId }),
    customerId,
    storeId,
  };
}
