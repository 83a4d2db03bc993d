/** What became of the rows of a file. */
export interface RowCounts {
  readonly rows: number;
  readonly taken: number;
  readonly known: number;
  readonly duplicate: number;
  readonly rejected: number;
}

/** No row of a file is lost without a word: each of them is in exactly one of the counts. @throws Error when that is not so */
export function mustAddUp({ rows, taken, known, duplicate, rejected }: RowCounts): void {
  if (rows === taken + known + duplicate + rejected) return;
  throw new Error(
    `the import failed: of ${rows} rows, ${taken} were taken, ${known} known, ${duplicate} duplicates and ${rejected} rejected, which does not add up; importing the file again is safe`,
  );
}
