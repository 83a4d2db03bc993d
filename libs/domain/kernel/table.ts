/**
 * The value that a table has under a name from outside. Every object also answers to `constructor` and `toString`: these are
 * in no table.
 */
export const valueIn = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
