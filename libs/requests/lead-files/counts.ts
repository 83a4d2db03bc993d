/** What became of the rows of a file. */
export interface RowCounts {
  readonly rows: number;
  readonly taken: number;
  readonly known: number;
  readonly duplicate: number;
  readonly rejected: number;
}

/** No row of a file is lost without a word: each of them is in exactly one of the counts. @returns what is wrong, if it is not so */
export function lostRows({ rows, taken, known, duplicate, rejected }: RowCounts): string | undefined {
  if (rows === taken + known + duplicate + rejected) return undefined;
  return `the import failed: of ${rows} rows, ${taken} were taken, ${known} known, ${duplicate} duplicates and ${rejected} rejected, which does not add up; the same file may be sent again`;
}
