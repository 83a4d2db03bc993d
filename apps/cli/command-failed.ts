import { LeadgerError } from '#domain/kernel/leadger-error';

/** A command that could not do what it was asked to. The message is printed in one line, without a stack. */
export class CommandFailed extends LeadgerError {
  constructor(message: string, options?: ErrorOptions) {
    super('command-failed', message, options);
  }
}
