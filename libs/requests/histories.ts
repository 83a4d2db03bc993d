import { describeFact, factsAt, factsOf, type History, type HistoryEvent, replayHistory } from '#audit/history';
import type { Fact } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import type { FamilyName } from '#domain/ledger';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { exampleIds } from '#read-models/models/examples';
import type { OpenBox } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

export interface HistoryRequest {
  /** The last instant to count. Absent: to the end. */
  readonly at?: Instant | undefined;
}

export const historyExample: History = {
  events: [
    {
      revision: 1,
      type: 'OrderPaused',
      at: '2026-03-01T09:30:00.000Z',
      data: {},
      actor: `customer:${exampleIds.customerId}`,
      authenticated: 'trial-header',
      reason: 'on holiday',
      basis: { 'policy-main': 0 },
      commandId: exampleIds.commandId,
      correlationId: exampleIds.commandId,
      position: '0000000000000042',
    },
  ],
  state: { status: 'paused', deliveredLeads: 3 },
};

/** Reads what happened to streams, replayed and checked. The right to ask was checked before. */
export interface HistoryReader {
  /** All that happened to a stream. @returns undefined when nothing had happened yet */
  of<Name extends FamilyName>(
    context: RequestContext,
    stream: `${Name}-${string}`,
    upTo: HistoryRequest,
  ): Promise<History | undefined>;
  /** The events of several streams, in the order of the log. Their personal data is sealed. */
  facts(streams: readonly string[]): Promise<readonly Fact[]>;
  /** Some events of streams of which most are about others. */
  factsAt(places: readonly { readonly stream: string; readonly place: number }[]): Promise<readonly Fact[]>;
  /** An event with its personal data opened. */
  entry(context: RequestContext, fact: Fact): Promise<HistoryEvent>;
}

const hashOf = hashOfEvent;

export function historyReader(events: Pick<EventStore, 'readStream' | 'readAll'>, open: OpenBox): HistoryReader {
  const openFor = (context: RequestContext) => ({ open: open.bind(undefined, context) });
  return {
    of: (context, stream, { at }) =>
      replayHistory({ events, vault: openFor(context) }, stream, { hashOf, ...(at && { at }) }),
    facts: (streams) => factsOf(events, streams, { hashOf }),
    factsAt: (places) => factsAt(events, places, { hashOf }),
    entry: (context, fact) => describeFact(fact, openFor(context)),
  };
}
