import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { AppendReq, BatchAppendReq, ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { BadEvent, type EventFilter, type ExpectedRevision, type NewEvent, type RecordedEvent } from '../port.ts';
import type { UuidForm } from './replies.ts';

/** A read or a subscription. */
export interface ReadRequest {
  /** Undefined: the whole log. */
  readonly stream: string | undefined;
  /** Revision or position; undefined: from the start. */
  readonly from: number | 'end' | undefined;
  readonly backwards: boolean;
  readonly count: number;
  readonly subscribe: boolean;
  readonly filter: ReadFilter | undefined;
  readonly uuidForm: UuidForm;
}

interface ReadFilter {
  /** The part that the store can filter by itself. */
  readonly ofStore: EventFilter | undefined;
  passes(event: RecordedEvent): boolean;
}

export function readRequestOf(message: ReadReq): ReadRequest {
  const options = message.getOptions();
  if (!options) throw new BadEvent('a read without options');
  return {
    ...startOf(options),
    backwards: options.getReadDirection() === 1,
    count: options.hasCount() ? Number(options.getCount()) : Number.POSITIVE_INFINITY,
    subscribe: options.hasSubscription(),
    filter: options.hasFilter() ? filterOf(options.getFilter() as Filter) : undefined,
    uuidForm: options.getUuidOption()?.hasStructured() ? 'structured' : 'string',
  };
}

type ReadOptions = NonNullable<ReturnType<ReadReq['getOptions']>>;

/** Which stream, or the whole log, and from where. */
function startOf(options: ReadOptions): Pick<ReadRequest, 'stream' | 'from'> {
  const ofStream = options.getStream();
  if (ofStream) {
    const revision = ofStream.hasRevision() ? Number(ofStream.getRevision()) : undefined;
    return { stream: nameOf(ofStream.getStreamIdentifier()), from: ofStream.hasEnd() ? 'end' : revision };
  }
  const ofAll = options.getAll();
  const position = ofAll?.getPosition();
  const from = ofAll?.hasEnd() ? 'end' : position ? Number(position.getCommitPosition()) : undefined;
  return { stream: undefined, from };
}

type Filter = NonNullable<ReturnType<ReadOptions['getFilter']>>;

function filterOf(filter: Filter): ReadFilter {
  const byStream = filter.getStreamIdentifier();
  const expression = byStream ?? filter.getEventType();
  if (!expression) throw new BadEvent('a filter of neither streams nor event types');
  const prefixes = expression.getPrefixList();
  const regex = expression.getRegex();
  const named = (event: RecordedEvent): string => (byStream ? event.stream : event.type);
  if (regex) {
    const pattern = patternOf(regex);
    const types = byStream ? undefined : namesIn(regex);
    return { ofStore: types && { types }, passes: (event) => pattern.test(named(event)) };
  }
  const passes = (event: RecordedEvent) => prefixes.some((prefix) => named(event).startsWith(prefix));
  return { ofStore: byStream ? { streamPrefixes: prefixes } : undefined, passes };
}

/** Clients write .NET expressions, which allow more escapes than Unicode expressions in JavaScript. @throws BadEvent */
function patternOf(regex: string): RegExp {
  for (const flags of ['u', ''])
    try {
      return new RegExp(regex, flags);
    } catch {}
  throw new BadEvent(`${JSON.stringify(regex)} is not a regular expression`);
}

/** `^(OrderPlaced|LeadDelivered)$` is a list of names: the store can look them up instead of testing each event. */
function namesIn(regex: string): string[] | undefined {
  const [, list] = /^\^\((\w+(?:\|\w+)*)\)\$$/.exec(regex) ?? [];
  return list?.split('|');
}

export const nameOf = (identifier: StreamIdentifier | undefined): string =>
  identifier ? Buffer.from(identifier.getStreamName_asU8()).toString('utf8') : '';

interface ExpectedOptions {
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
}

export function expectedOf(options: ExpectedOptions, revision: number | undefined): ExpectedRevision {
  if (revision !== undefined) return revision;
  if (options.hasNoStream()) return 'no-stream';
  return options.hasStreamExists() ? 'stream-exists' : 'any';
}

type Proposed = NonNullable<ReturnType<AppendReq['getProposedMessage']>> | BatchAppendReq.ProposedMessage;

export const proposedEvent = (proposed: Proposed): NewEvent => ({
  id: uuidOf(proposed.getId()).id,
  type: proposed.getMetadataMap().get('type') ?? '',
  data: proposed.getData_asU8(),
  metadata: proposed.getCustomMetadata_asU8(),
});

export function uuidOf(uuid: UUID | undefined): { id: string; form: UuidForm } {
  const structured = uuid?.getStructured();
  if (!structured) return { id: uuid?.getString() ?? '', form: 'string' };
  const half = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  const digits = half(structured.getMostSignificantBits()) + half(structured.getLeastSignificantBits());
  const id = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { id, form: 'structured' };
}
