/**
 * The value that a table has under a name from outside. Every object also answers to `constructor` and `toString`: these are
 * in no table.
 */
export const valueIn = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** Names that every object has. What checks bodies, queries and contacts takes such members for its own, so they are refused before. */
export const NAMES_OF_ALL_OBJECTS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
]);
