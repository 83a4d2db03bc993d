import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { AppendReq, BatchAppendReq, ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { ExpectedRevision, NewEvent } from '../port.ts';
import { type NamePattern, namePattern, prefixPattern } from './name-pattern.ts';
import type { UuidForm } from './replies.ts';
import type { LogFilter } from './served-log.ts';
import { BadRequest, invalidCombination, MissingProperty, unexpected } from './server-errors.ts';

/** A read or a subscription. */
export interface ReadRequest {
  /** Undefined: the whole log. */
  readonly stream: string | undefined;
  /** A revision or a position. */
  readonly from: number | 'start' | 'end';
  readonly backwards: boolean;
  readonly count: number;
  readonly subscribe: boolean;
  readonly filter: LogFilter | undefined;
  /** After so many events without one that passes, a subscriber gets a checkpoint. */
  readonly checkpointInterval: number;
  readonly resolveLinks: boolean;
  /** Whether the reply says the first and the last revision of a stream. */
  readonly withEnds: boolean;
  readonly uuidForm: UuidForm;
}

/** @throws ServerError */
export function readRequestOf(message: ReadReq): ReadRequest {
  const options = message.getOptions();
  if (!options) throw unexpected();
  checkCombination(options);
  const filter = options.getFilter();
  return {
    ...startOf(options),
    backwards: options.getReadDirection() === 1,
    count: options.hasCount() ? Number(options.getCount()) : Number.POSITIVE_INFINITY,
    subscribe: options.hasSubscription(),
    filter: filter && filterOf(filter),
    checkpointInterval: filter ? intervalOf(filter) : 0,
    resolveLinks: options.getResolveLinks(),
    withEnds: (options.getControlOption()?.getCompatibility() ?? 0) >= 1,
    uuidForm: options.getUuidOption()?.hasStructured() ? 'structured' : 'string',
  };
}

type ReadOptions = NonNullable<ReturnType<ReadReq['getOptions']>>;

/** Streams have no filters, and nobody follows them backwards. */
function checkCombination(options: ReadOptions): void {
  const ofStream = options.hasStream();
  const subscribe = options.hasSubscription();
  const backwards = options.getReadDirection() === 1;
  const filtered = options.hasFilter();
  if (!(ofStream && filtered) && !(subscribe && backwards)) return;
  throw invalidCombination(
    ofStream ? 'Stream' : 'All',
    subscribe ? 'Subscription' : 'Count',
    backwards ? 'Backwards' : 'Forwards',
    filtered ? 'Filter' : 'NoFilter',
  );
}

/** Which stream, or the whole log, and from where. */
function startOf(options: ReadOptions): Pick<ReadRequest, 'stream' | 'from'> {
  const ofStream = options.getStream();
  if (ofStream) {
    const stream = nameOf(ofStream.getStreamIdentifier());
    if (stream === '') throw unexpected();
    return { stream, from: ofStream.hasRevision() ? Number(ofStream.getRevision()) : endOrStart(ofStream) };
  }
  const ofAll = options.getAll();
  if (!ofAll) throw unexpected();
  const position = ofAll.getPosition();
  return { stream: undefined, from: position ? commitOf(position) : endOrStart(ofAll) };
}

const GREATEST_POSITION = 2n ** 63n - 1n;

/** A server fails at a position that its signed numbers of 64 bits do not have, or that is prepared after its commit. */
function commitOf(position: ReadReq.Options.Position): number {
  const commit = BigInt(position.getCommitPosition());
  const prepare = BigInt(position.getPreparePosition());
  if (commit > GREATEST_POSITION || prepare > commit) throw unexpected();
  return Number(commit);
}

const endOrStart = (options: { hasEnd(): boolean }): 'end' | 'start' => (options.hasEnd() ? 'end' : 'start');

type Filter = NonNullable<ReturnType<ReadOptions['getFilter']>>;

function filterOf(filter: Filter): LogFilter {
  const ofStream = filter.getStreamIdentifier();
  const expression = ofStream ?? filter.getEventType();
  if (!expression) throw unexpected();
  const regex = expression.getRegex();
  const pattern: NamePattern = regex ? namePattern(regex) : prefixPattern(expression.getPrefixList());
  return { by: ofStream ? 'stream' : 'type', pattern };
}

/** A search window of this size is the server's, if the client does not care. */
const USUAL_WINDOW = 32;

const intervalOf = (filter: Filter): number =>
  (filter.hasMax() ? filter.getMax() : USUAL_WINDOW) * Math.max(filter.getCheckpointintervalmultiplier(), 1);

export const nameOf = (identifier: StreamIdentifier | undefined): string =>
  identifier ? Buffer.from(identifier.getStreamName_asU8()).toString('utf8') : '';

/** @throws BadRequest for a stream without name */
export function streamOf(identifier: StreamIdentifier | undefined): string {
  const name = nameOf(identifier);
  if (name === '') throw new BadRequest("Value cannot be null. (Parameter 'value')");
  return name;
}

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

/** @throws BadRequest */
export function proposedEvent(proposed: Proposed): NewEvent {
  const metadata = proposed.getMetadataMap();
  const type = metadata.get('type');
  const contentType = metadata.get('content-type');
  if (type === undefined) throw new MissingProperty('type');
  if (contentType === undefined) throw new MissingProperty('content-type');
  const id = uuidOf(proposed.getId()).id;
  if (!UUID_TEXT.test(id)) throw new BadRequest('Unrecognized Guid format.');
  if (type === '') throw new BadRequest("Empty eventType provided. (Parameter 'eventType')");
  return {
    id,
    type,
    data: proposed.getData_asU8(),
    metadata: proposed.getCustomMetadata_asU8(),
    json: contentType === 'application/json',
  };
}

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function uuidOf(uuid: UUID | undefined): { id: string; form: UuidForm } {
  const structured = uuid?.getStructured();
  if (!structured) return { id: uuid?.getString().toLowerCase() ?? '', form: 'string' };
  const half = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  const digits = half(structured.getMostSignificantBits()) + half(structured.getLeastSignificantBits());
  const id = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { id, form: 'structured' };
}
