import { Controller, Get, Inject, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { bonusRule } from '#domain/loyalty/bonus';
import { programmeStream } from '#domain/loyalty/programme';
import type { EventStore } from '#event-store/port';
import type { ProgrammeRow, RenewalRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { EVENT_STORE, READ_MODELS, VAULT } from '#wiring/tokens';
import { CommandRoute, etagOf } from './answers.ts';
import { Asking } from './caller.ts';
import { FieldNames, Id, OneOf, Sort } from './fields.ts';
import { HistoryQuery, HistoryRoute, historyOf } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

const statuses = ['joining', 'active', 'held', 'cancelled'] as const;

const programme = z.object({
  orderId: z.string(),
  customerId: z.string(),
  storeId: z.string(),
  leadTypeId: z.string(),
  status: z.enum(statuses),
  statusCause: z.string().nullable().describe('customer, declined-payment, order-cancelled or payment-failed'),
  cadence: z.string(),
  cadenceDays: z.number().describe('times 24 hours (LOY-1)'),
  quantity: z.int().describe('leads of each renewal, besides the bonus'),
  joinedAt: z.string(),
  nextDueAt: z.string().nullable().describe('of the next renewal, if the programme is not on hold then (LOY-5)'),
  nextRenewalNumber: z.int(),
  nextBonusPercent: z.number(),
  nextBonusLeads: z.int(),
  nextBonusRule: bonusRule,
  pausesUsed: z.int().describe('in the whole life of the order (LOY-4)'),
  pausesThatKeepTheLadder: z.int(),
  revision: z.int(),
}) satisfies z.ZodType<ProgrammeRow>;

const renewal = z.object({
  renewalId: z.string(),
  orderId: z.string(),
  renewalNumber: z.int(),
  dueAt: z.string(),
  announcedAt: z.string().nullable(),
  attempts: z.int().describe('to charge it'),
  declineReason: z.string().nullable().describe('of the last attempt (LOY-8)'),
  retryAt: z.string().nullable(),
  paidAt: z.string().nullable(),
  reopenedAt: z.string().nullable(),
  bonusLeads: z.int().nullable(),
  bonusPercent: z.number().nullable(),
  bonusRule: bonusRule.nullable(),
  pausesCounted: z.int().nullable(),
  totalCents: z.int().nullable(),
}) satisfies z.ZodType<RenewalRow>;

const programmeWithRenewals = programme.extend({
  nextBonusReason: z.string().describe('why the next renewal gives that bonus'),
  renewals: z.array(named('Renewal', renewal)).describe('those announced or begun, in their order'),
});

const reasons: Readonly<Record<ProgrammeRow['nextBonusRule'], (row: ProgrammeRow) => string>> = {
  exclusive: () => 'exclusive leads always give this bonus (LOY-3)',
  ladder: ({ nextRenewalNumber, pausesUsed, pausesThatKeepTheLadder }) =>
    `step of the ladder for renewal ${nextRenewalNumber}; ${pausesUsed} of ${pausesThatKeepTheLadder} pauses used that keep it (LOY-3)`,
  'ladder-lost': ({ pausesUsed }) => `the standard bonus: the order was paused ${pausesUsed} times (LOY-4)`,
};

const programmeExample: z.input<typeof programme> = {
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  storeId: 'main',
  leadTypeId: 'shared-fresh',
  status: 'active',
  statusCause: null,
  cadence: 'once-a-month',
  cadenceDays: 30,
  quantity: 50,
  joinedAt: '2026-03-01T09:30:00.000Z',
  nextDueAt: '2026-04-30T09:30:00.000Z',
  nextRenewalNumber: 2,
  nextBonusPercent: 20,
  nextBonusLeads: 10,
  nextBonusRule: 'ladder',
  pausesUsed: 1,
  pausesThatKeepTheLadder: 1,
  revision: 4,
};

const renewalExample: z.input<typeof renewal> = {
  renewalId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11/1',
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  renewalNumber: 1,
  dueAt: '2026-03-31T09:30:00.000Z',
  announcedAt: '2026-03-28T09:30:00.000Z',
  attempts: 1,
  declineReason: null,
  retryAt: null,
  paidAt: '2026-03-31T09:30:01.000Z',
  reopenedAt: '2026-03-31T09:30:01.000Z',
  bonusLeads: 5,
  bonusPercent: 10,
  bonusRule: 'ladder',
  pausesCounted: 1,
  totalCents: 12_500,
};

class ProgrammesQuery extends PageQuery {
  @Id({ description: 'programmes of this customer only', optional: true })
  customerId?: string;

  @Id({ description: 'programmes at this store only', example: 'main', optional: true })
  storeId?: string;

  @OneOf(statuses, { description: 'programmes in this state only', example: 'active', optional: true })
  status?: ProgrammeRow['status'];

  @Sort('joinedAt', '-joinedAt')
  sort?: string;

  @FieldNames(programme)
  fields?: string;
}

@ApiTags('programmes')
@Controller('api/programmes')
export class ProgrammesController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];
  readonly #stores: { events: EventStore; vault: Vault };

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#stores = { events, vault };
  }

  @Get()
  @ReadRoute({
    summary: 'Orders in Loyalty Rewards, newest first',
    answer: listOf('Programme', programme),
    example: { items: [programmeExample] },
  })
  listProgrammes(@Query() query: ProgrammesQuery) {
    return this.#queries.listProgrammes(pageRequest(query));
  }

  @Get(':orderId')
  @ReadRoute({
    summary: 'The programme of an order (BCK-3): next date, next bonus and why, pauses used, renewals',
    answer: named('ProgrammeDetails', programmeWithRenewals),
    example: { ...programmeExample, nextBonusReason: reasons.ladder(programmeExample), renewals: [renewalExample] },
  })
  async getProgramme(
    @IdOf('order') orderId: string,
    @Query() _: ReadQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = await this.#queries.findProgramme(orderId);
    if (!found) throw notFound('programme', orderId);
    // Until it has joined, the programme has no revision that could be named in If-Match.
    if (found.status !== 'joining') reply.header('etag', etagOf(found.revision));
    const renewals = await this.#queries.renewalsOf(orderId);
    return { ...found, nextBonusReason: reasons[found.nextBonusRule](found), renewals };
  }

  @Post(':orderId/hold')
  @CommandRoute({
    summary: 'Put the programme on hold: nothing re-opens until it is activated (LOY-5)',
    answers: 'orderId',
    records: ['ProgrammeHeld'],
    takesNothing: true,
  })
  holdProgramme(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.holdProgramme(orderId, caller);
  }

  @Post(':orderId/activate')
  @CommandRoute({
    summary: 'Activate a held programme: it re-opens on its date, or at once after it (LOY-5)',
    answers: 'orderId',
    records: ['ProgrammeActivated'],
    takesNothing: true,
  })
  activateProgramme(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.activateProgramme(orderId, caller);
  }

  @Post(':orderId/cancel')
  @CommandRoute({
    summary: 'Cancel the programme; what is open is still delivered (LOY-6)',
    answers: 'orderId',
    records: ['ProgrammeCancelled'],
    takesNothing: true,
  })
  cancelProgramme(@IdOf('order') orderId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.cancelProgramme(orderId, caller);
  }

  @Get(':orderId/history')
  @HistoryRoute('All that happened to a programme, up to any instant, and the state that it led to')
  async getProgrammeHistory(@IdOf('order') orderId: string, @Query() { at }: HistoryQuery) {
    const found = await historyOf(this.#stores, programmeStream(orderId), at);
    if (!found) throw notFound('programme', orderId);
    return found;
  }
}
