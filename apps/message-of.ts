import { stackWithoutValues } from '#domain/kernel/error-texts';
import { LeadgerError } from '#domain/kernel/leadger-error';

/**
 * What a program says of the error that ends it. Whoever runs it can do something about our own errors, wrong options,
 * the operating system and damaged files: those are one line. Any other error is a defect, and its stack says where.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isOfTheirs(error) ? error.message : stackWithoutValues(error);
}

function isOfTheirs(error: Error & { code?: unknown; syscall?: unknown }): boolean {
  if (error instanceof LeadgerError || error.syscall !== undefined) return true;
  return typeof error.code === 'string' && THEIRS.test(error.code);
}

/** SQLITE_ERROR alone means that our SQL is wrong. */
const THEIRS = /^(ERR_PARSE_ARGS|SQLITE_(?!ERROR|MISUSE|CONSTRAINT))/;
