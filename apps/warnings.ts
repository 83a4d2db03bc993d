import { format } from 'node:util';
import { outliveOutput, standardError } from './standard-error.ts';
import { onItsLines } from './terminal-text.ts';

/**
 * Node's warning of a TLS server that is named by its address. The client of the event store causes it for each node that
 * has no name in the connection string, the certificate is checked all the same, and nobody who reads it can do anything.
 */
const ADDRESS_AS_NAME = 'DEP0123';

const emitWarning = process.emitWarning.bind(process) as (...warning: unknown[]) => void;
process.emitWarning = (...warning: unknown[]): void => {
  if (!warning.includes(ADDRESS_AS_NAME)) emitWarning(...warning);
};

outliveOutput();

/** Notices name directories, streams and answers of servers: nothing in them acts on a terminal. */
const notice = (...parts: unknown[]): void => standardError.write(`${onItsLines(format(...parts))}\n`);
console.warn = notice;
console.error = notice;
