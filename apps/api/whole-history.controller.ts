import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { factsOf, tellFact } from '#audit/history';
import { customerStream } from '#domain/accounts/customer';
import { contactBookStream } from '#domain/leads/contact-book';
import { hashOfEvent } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { BadCursor } from '#read-models/errors';
import type { ReadModels } from '#read-models/read-models';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, READ_MODELS, REQUESTS, VAULT } from '#wiring/tokens';
import { mustBeAccepted, RecordedRead } from './answers.ts';
import { Asking } from './caller.ts';
import { historyEvent, historyExample } from './history.ts';
import { IdOf } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadRoute } from './reads.ts';

const streamEvent = historyEvent
  .extend({ stream: z.string().describe('The stream that it is in: the kind and id of the thing.') })
  .meta({ id: 'StreamEvent' });
const streamEventExample = {
  stream: 'order-3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  ...(historyExample.events[0] as (typeof historyExample.events)[number]),
};

@ApiTags('support')
@Controller('api/customers')
export class WholeHistoryController {
  readonly #support: Requests['support'];
  readonly #queries: ReadModels['queries'];
  readonly #events: EventStore;
  readonly #vault: Vault;

  constructor(
    @Inject(REQUESTS) { support }: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#support = support;
    this.#queries = queries;
    this.#events = events;
    this.#vault = vault;
  }

  @Get(':customerId/whole-history')
  @ReadRoute({
    summary: 'All that happened to a customer, oldest first: support only, with a Leadger-Reason; recorded (SUP-2)',
    answer: listOf(streamEvent),
    example: { items: [streamEventExample] },
  })
  @RecordedRead()
  async listWholeHistory(
    @IdOf('customer') customerId: string,
    @Query() query: PageQuery,
    @Reading() reader: Reader,
    @Asking() context: RequestContext,
  ) {
    mustBeAccepted(await this.#support.showHistory(customerId, context), { customerId });
    const { limit, cursor } = pageRequest(query);
    const facts = await this.#factsOf(reader, customerId);
    const from = cursor === undefined ? 0 : facts.findIndex(({ position }) => position === cursor) + 1;
    if (cursor !== undefined && from === 0) throw new BadCursor();
    const page = facts.slice(from, from + limit);
    const items = await Promise.all(
      page.map(async (fact) => ({ stream: fact.stream, ...(await tellFact(fact, this.#vault)) })),
    );
    return from + limit < facts.length ? { items, nextCursor: page.at(-1)?.position } : { items };
  }

  async #factsOf(reader: Reader, customerId: string) {
    const own = [customerStream(customerId), contactBookStream(customerId)];
    const streams = [...own, ...(await this.#queries.customers.streams(reader, customerId))];
    const facts = await factsOf(this.#events, streams, { hashOf: hashOfEvent });
    return facts.filter(
      (fact) => !isShared(fact) || ('customerId' in fact.data && fact.data.customerId === customerId),
    );
  }
}

/** Coupons are many customers', and an address may have been another one's: what others did there is not told. */
const isShared = ({ stream }: { stream: string }): boolean => /^(address|coupon)-/.test(stream);
