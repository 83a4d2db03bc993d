import { cellsOf } from './csv-records.ts';

/** Fields and their columns. In a list of persons a field may have several. */
export type ColumnMapping = readonly (readonly [field: string, column: string])[];

/**
 * Reads `telephone=Mobile,email=Mail`: for each field the name of its column. A pair with a comma in it is put in quotes:
 * `"telephone=Phone, home",email=Mail`.
 * @returns undefined when the text says something else
 */
export function columnMapping(text: string): ColumnMapping | undefined {
  const pairs = cellsOf(text, ',');
  if (typeof pairs === 'string') return undefined;
  const columns = pairs.map((pair) => /^([^=]+)=(.+)$/.exec(pair.trim())?.slice(1));
  if (columns.some((column) => column === undefined)) return undefined;
  return columns as [string, string][];
}
