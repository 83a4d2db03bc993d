import { cellsOf } from './csv-records.ts';

/**
 * Reads `telephone=Mobile,email=Mail`: for each field the name of its column. A pair with a comma in it is put in quotes:
 * `"telephone=Phone, home",email=Mail`.
 * @returns undefined when the text says something else
 */
export function columnMapping(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = cellsOf(text, ',');
  if (typeof pairs === 'string') return undefined;
  const columns = pairs.map((pair) => /^([^=]+)=(.+)$/.exec(pair.trim())?.slice(1));
  if (columns.some((column) => column === undefined)) return undefined;
  return Object.fromEntries(columns as [string, string][]);
}
