import { LeadgerError } from './leadger-error.ts';

/** An event that this version cannot read: it is damaged, newer, or not of this ledger. */
export class UnreadableEvent extends LeadgerError {
  constructor({ type, stream, revision }: { type: string; stream: string; revision: number }, cause: Error) {
    super('unreadable-event', `${stream}@${revision} (${type}) cannot be read: ${cause.message}`, { cause });
  }
}
