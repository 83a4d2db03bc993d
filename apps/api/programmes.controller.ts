import { Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { exampleIds } from '#read-models/models/examples';
import { type ProgrammeRow, programmeExample, programmeRow } from '#read-models/models/programmes';
import { damaged } from '#read-models/queries/damaged';
import { programmeListing } from '#read-models/queries/orders';
import { programmeDetails, programmeDetailsExample } from '#requests/programmes';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { FieldNames, Id, OneOf, Sort } from './fields.ts';
import { HistoryQuery, HistoryRoute } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute } from './responses.ts';

/** Marked when its streams are damaged. */
const programme = programmeRow.extend({ damaged }).meta({ id: 'Programme' });

const markedExample: z.infer<typeof programme> = { ...programmeExample, damaged: false };

class ProgrammesQuery extends PageQuery {
  @Id({ description: 'Programmes of this customer only.', optional: true })
  customerId?: string;

  @Id({ description: 'Programmes at this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @OneOf(programmeRow.shape.status.options, {
    description: 'Programmes in this state only.',
    example: 'active',
    optional: true,
  })
  status?: ProgrammeRow['status'];

  @Sort(programmeListing)
  sort?: string;

  @FieldNames(programme)
  fields?: string;
}

@ApiTags('programmes')
@Controller('api/programmes')
export class ProgrammesController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get()
  @ReadRoute({
    summary: 'Orders in Loyalty Rewards, newest first',
    answer: listOf(programme),
    example: { items: [markedExample] },
  })
  listProgrammes(@Query() query: ProgrammesQuery, @Reading() reader: Reader) {
    return this.#queries.programmes.list(reader, pageRequest(query));
  }

  @Get(':orderId')
  @ReadRoute({
    summary: 'The programme of an order (BCK-3): next date, next bonus and why, pauses used, renewals',
    answer: programmeDetails,
    example: programmeDetailsExample,
  })
  async getProgramme(@IdOf('order') orderId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.programmes.get(reader, { orderId });
    if (!found) throw notFound('programme', orderId);
    return found;
  }

  @Post(':orderId/hold')
  @CommandRoute({
    summary: 'Put the programme on hold: the order is not renewed until it is activated (LOY-5)',
    idName: 'orderId',
    records: ['ProgrammeHeld'],
    takesNothing: true,
  })
  holdProgramme(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.programmes.hold(orderId, context);
  }

  @Post(':orderId/activate')
  @CommandRoute({
    summary: 'Activate a held programme: the order is renewed on its date, or at once if that has passed (LOY-5)',
    idName: 'orderId',
    records: ['ProgrammeActivated'],
    takesNothing: true,
  })
  activateProgramme(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.programmes.activate(orderId, context);
  }

  @Post(':orderId/cancel')
  @CommandRoute({
    summary: 'Cancel the programme; leads that are owed are still delivered (LOY-6)',
    idName: 'orderId',
    records: ['ProgrammeCancelled'],
    takesNothing: true,
  })
  cancelProgramme(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.programmes.cancel(orderId, context);
  }

  @Post(':orderId/missed-renewal/release')
  @CommandRoute({
    summary:
      'Charge the renewal that waits because the store stood still: support only, with a Leadger-Reason (LOY-10)',
    idName: 'orderId',
    records: ['RenewalReleased'],
    takesNothing: true,
  })
  releaseMissedRenewal(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.programmes.releaseRenewal(orderId, context);
  }

  @Post(':orderId/missed-renewal/skip')
  @CommandRoute({
    summary:
      'Skip the renewal that waits because the store stood still; the next date stays: support only, with a Leadger-Reason (LOY-10)',
    idName: 'orderId',
    records: ['RenewalSkipped'],
    takesNothing: true,
  })
  skipMissedRenewal(@IdOf('order') orderId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.programmes.skipRenewal(orderId, context);
  }

  @Get(':orderId/history')
  @HistoryRoute('All that happened to a programme, up to any instant, and the state that it led to')
  async getProgrammeHistory(@IdOf('order') orderId: string, @Query() { at }: HistoryQuery, @Reading() reader: Reader) {
    const found = await this.#queries.programmes.history(reader, { orderId, at });
    if (!found) throw notFound('programme', orderId);
    return found;
  }
}
