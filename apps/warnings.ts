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

/** Notices name directories, streams and answers of servers: nothing in them acts on a terminal. */
const warn = console.warn.bind(console);
console.warn = (...notice: unknown[]): void => {
  warn(...notice.map((part) => (typeof part === 'string' ? onItsLines(part) : part)));
};
