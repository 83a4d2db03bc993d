import { scopeOf } from '#domain/kernel/caller';
import type { Position } from '#event-store/port';
import { ChangeLog } from './feeds/change-log.ts';
import { Feed } from './feeds/feed.ts';
import type { ChangeKind } from './feeds/messages.ts';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';
import type { Turn } from './turns.ts';

interface FollowRequest {
  /** The last position that the follower knows. Absent: the present end of the log. */
  readonly after?: Position | undefined;
  readonly kind?: ChangeKind | undefined;
  readonly storeId?: string | undefined;
  readonly customerId?: string | undefined;
  /** Ends the changes. */
  readonly signal: AbortSignal;
  /** All feeds of a program share its time. */
  readonly turn: Turn;
}

/** Changes as they happen: names of events and of their subjects. */
export function changeQueries({ events, owners }: Pick<QueryDependencies, 'events'> & Pick<QueryTools, 'owners'>) {
  const log = new ChangeLog({ events, owners });
  return {
    /**
     * What changes after a position, of what the caller may see.
     * @returns undefined for a position that this log does not have, for example after it was restored from a shorter copy
     */
    async follow({ caller }: RequestContext, request: FollowRequest): Promise<Feed | undefined> {
      // Before the end of the log is looked up: what comes after that is not missed.
      await log.recent();
      if (request.after !== undefined && !(await log.has(request.after, caller.actor))) return undefined;
      return new Feed(log, { ...request, scope: scopeOf(caller), after: request.after ?? (await log.head()) });
    },
  };
}
