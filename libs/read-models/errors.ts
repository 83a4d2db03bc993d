import { LeadgerError } from '#domain/kernel/leadger-error';
import { codeOf, isSqlState } from '#postgres/failures';

export class UnknownModel extends LeadgerError {
  override readonly quotes = true;

  constructor(name: string, names: readonly string[]) {
    super('unknown-read-model', `there is no read model ${name}: there are ${names.join(', ')}`);
  }
}

/** The model has not been complete yet: it answers once it has taken the whole log. */
export class BeingBuilt extends LeadgerError {
  constructor(name: string) {
    super('read-model-being-built', `the read model ${name} is being built from the log: ask again`);
  }
}

/** A model is rebuilt once at a time. */
export class AlreadyRebuilding extends LeadgerError {
  constructor(name: string) {
    super('already-rebuilding', `the read model ${name} is already being rebuilt`);
  }
}

export class RebuildCancelled extends LeadgerError {
  constructor(name: string) {
    super('rebuild-cancelled', `the rebuild of ${name} was cancelled: the next rebuild continues from there`);
  }
}

/** A paused model stays as it is until it is resumed. */
export class Paused extends LeadgerError {
  constructor(name: string) {
    super('read-model-paused', `the read model ${name} is paused, and stays as it is until it is resumed`);
  }
}

/** A cursor that this API did not issue. */
export class BadCursor extends LeadgerError {
  constructor() {
    super('bad-cursor', 'this cursor was not issued for this list in this order');
  }
}

/** The database did not answer an analyst's question, or not in time. */
export class QueryFailed extends LeadgerError {
  /** PostgreSQL's text repeats what the analyst typed. */
  override readonly quotes = true;

  constructor(reason: string) {
    super('query-failed', reason);
  }
}

/** As PostgreSQL reports that a statement timeout is over. */
export const QUERY_CANCELED = '57014';

/** The embedded database has ended: it failed, it was closed, or a statement of an analyst took too long. */
export class DatabaseGone extends LeadgerError {
  readonly sqlState: string | undefined;

  constructor(message: string, sqlState?: string) {
    super('read-models-unavailable', message);
    this.sqlState = sqlState;
  }
}

/** The embedded database refused a statement: a defect, unless the data of an event is what it cannot store. */
export class StatementRefused extends LeadgerError {
  override readonly quotes = true;
  readonly sqlState: string | undefined;

  constructor(message: string, sqlState: string | undefined) {
    super('statement-refused', message);
    this.sqlState = sqlState;
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint violation): the database cannot store what an event says. */
export const isAboutData = (error: unknown): boolean => /^2[23]...$/.test(codeOf(error));

/** What is kept and shown of an error. PostgreSQL's own text may quote values of a row, personal ones too: its code does not. */
export function reasonWithoutValues(error: unknown, ofOthers = (other: unknown) => (other as Error).message): string {
  const state = codeOf(error);
  if (!isSqlState(state)) return ofOthers(error);
  return `the database ${isAboutData(error) ? 'cannot store what this event says' : 'refused a statement'} (SQLSTATE ${state})`;
}
