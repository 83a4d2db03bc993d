/** An event that this version cannot read: damaged, of a newer version, or none of ours. */
export class UnreadableEvent extends Error {
  readonly code = 'unreadable-event';

  constructor({ type, stream, revision }: { type: string; stream: string; revision: number }, cause: Error) {
    super(`${stream}@${revision} (${type}) cannot be read: ${cause.message}`, { cause });
  }
}
