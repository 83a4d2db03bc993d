import { readFileSync } from 'node:fs';

/** Both forms of names of businesses, the store's and the auditor's, are held against these pairs. */
export const businessPairs = readFileSync('libs/domain/accounts/business-pairs.tsv', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t').map(unescaped) as [relation: 'same' | 'different', one: string, other: string]);

function unescaped(field: string): string {
  return field
    .replace(/\\u([0-9A-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll('\\t', '\t')
    .replaceAll('\\\\', '\\');
}

/** Every code point in the planes that have characters which are not private. */
export function* charactersOfUnicode(): Generator<[code: number, character: string]> {
  for (const [first, last] of [
    [0, 0xd7ff],
    [0xe000, 0x3ffff],
    [0xe0000, 0xe0fff],
  ] as const)
    for (let code = first; code <= last; code += 1) yield [code, String.fromCodePoint(code)];
}
