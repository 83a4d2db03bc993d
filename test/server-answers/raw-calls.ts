import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { AppendResp, BatchAppendResp, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import { credentials, type ServiceError } from '@grpc/grpc-js';

// Node finds these by name only in the type definitions.
const { Empty, StreamIdentifier, UUID } = shared;
const { AppendReq, BatchAppendReq, DeleteReq, ReadReq, TombstoneReq } = messages;
type Empty = shared.Empty;
type StreamIdentifier = shared.StreamIdentifier;
type UUID = shared.UUID;
type ReadReq = messages.ReadReq;
type Message = messages.AppendReq.ProposedMessage | messages.BatchAppendReq.ProposedMessage;
const { Options } = ReadReq;
const { AllOptions, FilterOptions, Position, StreamOptions, SubscriptionOptions, UUIDOption } = Options;

/** A read or a subscription, as a client can ask for it, also where it makes no sense. */
export interface ReadCall {
  /** Undefined: `$all`. */
  readonly stream?: string;
  readonly from?: 'start' | 'end' | bigint;
  readonly backwards?: boolean;
  /** Undefined: a subscription. */
  readonly count?: number;
  readonly filter?: { on: 'stream' | 'type'; regex?: string; prefixes?: string[]; window?: number; interval?: number };
  readonly resolveLinks?: boolean;
  /** 1: the reply says the first and last revision. */
  readonly compatibility?: number;
}

export interface Proposed {
  readonly id?: string;
  readonly type?: string;
  readonly data?: string | Uint8Array;
  readonly metadata?: string;
  readonly json?: boolean;
}

export interface AppendCall {
  readonly stream: string;
  readonly events: readonly Proposed[];
  readonly expected?: Expected;
}

type Expected = bigint | 'any' | 'no-stream' | 'stream-exists';

/** Calls of EventStoreDB's services with answers as short texts, so that answers of two servers can be compared. */
export class RawCalls {
  readonly #client: streams.StreamsClient;

  constructor(address: string) {
    this.#client = new streams.StreamsClient(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** The messages of a read; of a subscription those until `enough` says so. An error is the last one. */
  read(call: ReadCall, enough: (seen: readonly string[]) => boolean = () => false): Promise<string[]> {
    const seen: string[] = [];
    let isEnough = false;
    const stream = this.#client.read(readRequest(call));
    return new Promise((resolve) => {
      stream.on('data', (reply: ReadResp) => {
        if (isEnough) return;
        seen.push(textOf(reply));
        isEnough = enough(seen);
        if (!isEnough) return;
        resolve(seen);
        stream.cancel();
      });
      stream.on('error', (error: ServiceError) => {
        if (!isEnough) seen.push(errorText(error));
        resolve(seen);
      });
      stream.on('end', () => resolve(seen));
    });
  }

  /** The messages as they come. A caller that pauses does not read. */
  follow(call: ReadCall): { readonly seen: readonly string[]; pause(): void; resume(): void } {
    const seen: string[] = [];
    const stream = this.#client.read(readRequest(call));
    stream.on('data', (reply: ReadResp) => seen.push(textOf(reply)));
    stream.on('error', (error: ServiceError) => seen.push(errorText(error)));
    return { seen, pause: () => void stream.pause(), resume: () => void stream.resume() };
  }

  /** The positions of the events of a read. */
  async positions(call: ReadCall): Promise<bigint[]> {
    const positions: bigint[] = [];
    for await (const reply of this.#client.read(readRequest(call)) as AsyncIterable<ReadResp>) {
      const position = reply.getEvent()?.getCommitPosition();
      if (position) positions.push(BigInt(position));
    }
    return positions;
  }

  /** The server's position of the newest event of a stream. */
  async positionOf(stream: string): Promise<bigint> {
    const [position] = await this.positions({ stream, from: 'end', backwards: true, count: 1 });
    if (position === undefined) throw new Error(`${stream} has no event`);
    return position;
  }

  append({ stream, events, expected = 'any' }: AppendCall): Promise<string> {
    return new Promise((resolve) => {
      const call = this.#client.append((error: ServiceError | null, reply?: AppendResp) =>
        resolve(error ? errorText(error) : appendText(reply as AppendResp)),
      );
      const options = new AppendReq.Options();
      options.setStreamIdentifier(identifier(stream));
      if (typeof expected === 'bigint') options.setRevision(String(expected));
      else setExpected(options, expected);
      call.on('error', () => {});
      call.write(new AppendReq().setOptions(options));
      for (const event of events) call.write(new AppendReq().setProposedMessage(appendMessage(event)));
      call.end();
    });
  }

  batchAppend({ stream, events, expected = 'any' }: AppendCall): Promise<string> {
    return new Promise((resolve) => {
      const call = this.#client.batchAppend();
      call.on('data', (reply: BatchAppendResp) => {
        resolve(batchText(reply));
        call.cancel();
      });
      call.on('error', (error: ServiceError) => resolve(errorText(error)));
      const options = new BatchAppendReq.Options();
      options.setStreamIdentifier(identifier(stream));
      if (typeof expected === 'bigint') options.setStreamPosition(String(expected));
      else setExpected(options, expected);
      const request = new BatchAppendReq().setCorrelationId(uuid(randomUUID())).setOptions(options).setIsFinal(true);
      for (const event of events) request.addProposedMessages(batchMessage(event));
      call.write(request);
    });
  }

  delete(stream: string, expected: Expected = 'any'): Promise<string> {
    const options = new DeleteReq.Options();
    options.setStreamIdentifier(identifier(stream));
    if (typeof expected === 'bigint') options.setRevision(String(expected));
    else setExpected(options, expected);
    return new Promise((resolve) =>
      this.#client.delete(new DeleteReq().setOptions(options), (error) =>
        resolve(error ? errorText(error) : 'deleted'),
      ),
    );
  }

  tombstone(stream: string, expected: Expected = 'any'): Promise<string> {
    const options = new TombstoneReq.Options();
    options.setStreamIdentifier(identifier(stream));
    if (typeof expected === 'bigint') options.setRevision(String(expected));
    else setExpected(options, expected);
    return new Promise((resolve) =>
      this.#client.tombstone(new TombstoneReq().setOptions(options), (error) =>
        resolve(error ? errorText(error) : 'tombstoned'),
      ),
    );
  }
}

function readRequest({ stream, from = 'start', backwards = false, count, filter, ...rest }: ReadCall): ReadReq {
  const options = new Options();
  if (stream === undefined) options.setAll(allOptions(from));
  else options.setStream(streamOptions(stream, from));
  options.setReadDirection(backwards ? 1 : 0);
  if (count === undefined) options.setSubscription(new SubscriptionOptions());
  else options.setCount(String(count));
  if (filter) options.setFilter(filterOptions(filter));
  else options.setNoFilter(new Empty());
  options.setResolveLinks(rest.resolveLinks ?? false);
  if (rest.compatibility !== undefined)
    options.setControlOption(new Options.ControlOption().setCompatibility(rest.compatibility));
  const form = new UUIDOption();
  form.setString(new Empty());
  options.setUuidOption(form);
  return new ReadReq().setOptions(options);
}

function allOptions(from: 'start' | 'end' | bigint) {
  const options = new AllOptions();
  if (from === 'start') options.setStart(new Empty());
  else if (from === 'end') options.setEnd(new Empty());
  else options.setPosition(new Position().setCommitPosition(String(from)).setPreparePosition(String(from)));
  return options;
}

function streamOptions(stream: string, from: 'start' | 'end' | bigint) {
  const options = new StreamOptions();
  options.setStreamIdentifier(identifier(stream));
  if (from === 'start') options.setStart(new Empty());
  else if (from === 'end') options.setEnd(new Empty());
  else options.setRevision(String(from));
  return options;
}

function filterOptions({ on, regex, prefixes, window, interval = 1 }: NonNullable<ReadCall['filter']>) {
  const expression = new FilterOptions.Expression();
  if (regex !== undefined) expression.setRegex(regex);
  if (prefixes) expression.setPrefixList(prefixes);
  const options = new FilterOptions();
  if (on === 'stream') options.setStreamIdentifier(expression);
  else options.setEventType(expression);
  if (window === undefined) options.setCount(new Empty());
  else options.setMax(window);
  options.setCheckpointintervalmultiplier(interval);
  return options;
}

function setExpected(
  options: { setAny(e: Empty): unknown; setNoStream(e: Empty): unknown; setStreamExists(e: Empty): unknown },
  expected: 'any' | 'no-stream' | 'stream-exists',
): void {
  if (expected === 'any') options.setAny(new Empty());
  else if (expected === 'no-stream') options.setNoStream(new Empty());
  else options.setStreamExists(new Empty());
}

const identifier = (stream: string): StreamIdentifier =>
  new StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64'));

function uuid(id: string): UUID {
  const message = new UUID();
  message.setString(id);
  return message;
}

const bytesOf = (content: string | Uint8Array): string => Buffer.from(content as string).toString('base64');

function fill(
  message: Message,
  { id = randomUUID(), type = 'Written', data = '{}', metadata = '', json = true }: Proposed,
): void {
  message.setId(uuid(id));
  message.getMetadataMap().set('type', type);
  message.getMetadataMap().set('content-type', json ? 'application/json' : 'application/octet-stream');
  message.setData(bytesOf(data));
  message.setCustomMetadata(bytesOf(metadata));
}

function appendMessage(event: Proposed): messages.AppendReq.ProposedMessage {
  const message = new AppendReq.ProposedMessage();
  fill(message, event);
  return message;
}

function batchMessage(event: Proposed): messages.BatchAppendReq.ProposedMessage {
  const message = new BatchAppendReq.ProposedMessage();
  fill(message, event);
  return message;
}

function textOf(reply: ReadResp): string {
  if (reply.hasConfirmation()) return 'confirmation';
  if (reply.hasCheckpoint()) return 'checkpoint';
  if (reply.hasStreamNotFound()) return 'stream not found';
  if (reply.hasFirstStreamPosition()) return `first ${reply.getFirstStreamPosition()}`;
  if (reply.hasLastStreamPosition()) return `last ${reply.getLastStreamPosition()}`;
  const event = reply.getEvent();
  if (!event) return reply.serializeBinary()[0] === 0x42 ? 'caught up' : `unknown reply ${reply.serializeBinary()[0]}`;
  const link = event.getLink();
  return [eventText(event.getEvent()), link && ` by ${eventText(link)}`, event.hasNoPosition() && ' without position']
    .filter(Boolean)
    .join('');
}

function eventText(event: messages.ReadResp.ReadEvent.RecordedEvent | undefined): string {
  if (!event) return 'nothing';
  const stream = Buffer.from(event.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();
  const metadata = event.getMetadataMap();
  const type = metadata.get('content-type') === 'application/json' ? 'json' : 'bytes';
  return `${stream}@${event.getStreamRevision()} ${metadata.get('type')} ${type}`;
}

function errorText({ code, details, metadata }: ServiceError): string {
  const trailers = Object.entries(metadata?.getMap() ?? {}).filter(([key]) => TRAILERS.has(key));
  const more = trailers.map(([key, value]) => `, ${key} ${value}`).sort();
  return `error ${code} ${details}${more.join('')}`;
}

const TRAILERS = new Set([
  'exception',
  'stream-name',
  'expected-version',
  'actual-version',
  'maximum-append-size',
  'required-metadata-properties',
]);

function appendText(reply: AppendResp): string {
  const success = reply.getSuccess();
  if (success)
    return `written ${success.hasNoStream() ? 'no stream' : success.getCurrentRevision()} ${success.hasNoPosition() ? 'no position' : 'position'}`;
  const wrong = reply.getWrongExpectedVersion();
  return `wrong version, actual ${wrong?.hasCurrentNoStream() ? 'no stream' : wrong?.getCurrentRevision()}, ${JSON.stringify(onlySet(wrong?.toObject() ?? {}))}`;
}

const onlySet = (object: object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

function batchText(reply: BatchAppendResp): string {
  const success = reply.getSuccess();
  if (success)
    return `written ${success.hasNoStream() ? 'no stream' : success.getCurrentRevision()} ${success.hasNoPosition() ? 'no position' : 'position'}`;
  const error = reply.getError();
  const details = error?.getDetails();
  const kind = details?.getTypeUrl().split('.').at(-1);
  return `error ${error?.getCode()} ${error?.getMessage()} ${kind} ${JSON.stringify(Buffer.from(details?.getValue_asU8() ?? []).toString('latin1'))}`;
}
