import { status } from '@grpc/grpc-js';
import { EventStoreError } from '../port.ts';

/** A refusal with the status and the words of a server. Some clients look at the words. */
export class ServerError extends EventStoreError {
  readonly status: status;
  readonly trailers: Readonly<Record<string, string>>;

  constructor(code: status, message: string, trailers: Readonly<Record<string, string>> = {}) {
    super('refused-by-server', message);
    this.status = code;
    this.trailers = trailers;
  }
}

/** What a server answers to much that it did not expect. */
export const unexpected = (): ServerError => new ServerError(status.UNKNOWN, 'Exception was thrown by handler.');

export const failedRead = (result: 'ReadAllResult' | 'FilteredReadAllResult' | 'ReadStreamResult'): ServerError =>
  new ServerError(status.UNKNOWN, `Unexpected ${result}: Error`);

export const invalidCombination = (...parts: readonly string[]): ServerError =>
  new ServerError(status.INVALID_ARGUMENT, `The combination of (${parts.join(', ')}) is invalid.`);

export const tooSlow = (): ServerError =>
  new ServerError(
    status.ABORTED,
    'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  );

export class StreamDeleted extends ServerError {
  readonly stream: string;

  constructor(stream: string) {
    const trailers = { exception: 'stream-deleted', 'stream-name': stream };
    super(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, trailers);
    this.stream = stream;
  }
}

/** A message that a server takes for wrong. A batch is answered with the reason, most others without. */
export class BadRequest extends EventStoreError {
  constructor(message: string) {
    super('bad-request', message);
  }

  /** The answer to a call that is not a batch. */
  alone(): ServerError {
    return unexpected();
  }
}

/** An event does not say its type, or whether it is JSON. */
export class MissingProperty extends BadRequest {
  readonly #property: string;

  constructor(property: string) {
    super(`The given key '${property}' was not present in the dictionary.`);
    this.#property = property;
  }

  override alone(): ServerError {
    return new ServerError(status.INVALID_ARGUMENT, `Required Metadata Property '${this.#property}' is missing`, {
      exception: 'missing-required-metadata-property',
      'required-metadata-properties': 'type,content-type',
    });
  }
}
