import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { exampleIds } from '#read-models/models/examples';
import { missedRenewalsDecision, missedRenewalsDecisionExample } from '#requests/missed-renewals';
import type { Operations } from '#requests/operations';
import type { RequestContext } from '#requests/request-tools';
import { OPERATIONS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Id } from './fields.ts';
import { Problems, Responds } from './responses.ts';

class MissedRenewalsOfStoreBody {
  @Id({
    description: 'Renewals at this store only; of all stores when absent.',
    example: exampleIds.storeId,
    optional: true,
  })
  storeId?: string;
}

class ReleaseMissedRenewalsBody extends MissedRenewalsOfStoreBody {}

class SkipMissedRenewalsBody extends MissedRenewalsOfStoreBody {}

/** LOY-10: an operator's word about all renewals that wait because the store stood still. */
@ApiTags('programmes')
@Controller('api/missed-renewals')
export class MissedRenewalsController {
  readonly #operations: Operations;

  constructor(@Inject(OPERATIONS) operations: Operations) {
    this.#operations = operations;
  }

  @Post('release')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Charge all renewals that wait because the store stood still: support only, with a Leadger-Reason (LOY-10)',
  })
  @Responds(200, 'They are released; the charges follow.', missedRenewalsDecision, missedRenewalsDecisionExample)
  @Problems(400, 403, 409, 503)
  releaseMissedRenewals(@Body() { storeId }: ReleaseMissedRenewalsBody, @Asking() context: RequestContext) {
    return this.#operations.decideMissedRenewals(context, { word: 'release', storeId });
  }

  @Post('skip')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Skip all renewals that wait because the store stood still: support only, with a Leadger-Reason (LOY-10)',
  })
  @Responds(200, 'They are skipped; the next dates stay.', missedRenewalsDecision, missedRenewalsDecisionExample)
  @Problems(400, 403, 409, 503)
  skipMissedRenewals(@Body() { storeId }: SkipMissedRenewalsBody, @Asking() context: RequestContext) {
    return this.#operations.decideMissedRenewals(context, { word: 'skip', storeId });
  }
}
