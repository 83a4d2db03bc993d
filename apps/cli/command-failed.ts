import { LeadgerError } from '#domain/kernel/leadger-error';

/** A command that failed for a reason that its user can act on. The message is printed in one line, without a stack. */
export class CommandFailed extends LeadgerError {
  override readonly quotes = true;

  constructor(message: string, options?: ErrorOptions) {
    super('command-failed', message, options);
  }
}
