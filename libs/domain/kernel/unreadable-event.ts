import { LeadgerError } from './leadger-error.ts';

/** An event that this version cannot read: it is damaged, newer, or not of this ledger. */
export class UnreadableEvent extends LeadgerError {
  constructor({ type, stream, revision }: { type: string; stream: string; revision: number }, cause: Error) {
    super('unreadable-event', `${stream}@${revision} (${type}) cannot be read: ${told(cause)}`, { cause });
  }
}

/** An error of the JSON parser quotes what it read. */
const told = (cause: Error): string => (cause instanceof SyntaxError ? 'it is not JSON' : cause.message);
