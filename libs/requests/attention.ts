import { idOf } from '#domain/codec';
import { addDays, addHours } from '#domain/kernel/instants';
import { familyOf } from '#domain/ledger';
import { erasuresStream } from '#domain/persons/erasures';
import type { AttentionRow } from '#read-models/queries/attention';
import type { PageRequest } from '#read-models/queries/paging';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

/** An open order to which nothing was delivered for this time is starving, unless the request says otherwise. */
export const STARVING_AFTER_HOURS = 48;
/** A declined payment is shown for this time. */
export const DECLINED_FOR_DAYS = 14;

interface AttentionRequest extends PageRequest {
  readonly reason?: AttentionRow['reason'];
  readonly storeId?: string;
  readonly starvingAfterHours?: number;
}

/** Orders that the staff should look at. */
export const attentionQueries = ({ rows, stateOf, now }: QueryTools) => ({
  async list({ caller }: RequestContext, { starvingAfterHours = STARVING_AFTER_HOURS, ...request }: AttentionRequest) {
    const at = now();
    const { subjects } = await stateOf<'erasures'>(erasuresStream);
    return rows.attention.list(caller, {
      ...request,
      erased: [...subjects].filter((subject) => familyOf(subject) === 'customer').map(idOf),
      waitingSince: addHours(at, -starvingAfterHours),
      declinedSince: addDays(at, -DECLINED_FOR_DAYS),
      now: at,
    });
  },
});
