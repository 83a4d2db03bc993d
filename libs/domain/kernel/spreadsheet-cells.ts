/** A telephone number begins with a plus sign, but is harmless: it cannot call a function. */
const TELEPHONE = /^\+[\d ().-]+$/;

/** The beginnings of formulas, which spreadsheets would run. Some convert full-width characters. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** Apostrophes in front of a formula or of nothing but a number. The first one says that the cell is text. */
const MARKED_AS_TEXT = /^'+(?:[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]|[+(]?\d[\d\s()./-]*$)/;

/** ="01234": a formula whose result is the text. */
const TEXT_BY_FORMULA = /^="((?:[^"]|"")*)"$/;

/**
 * Where a spreadsheet that takes `;`, a tab or `|` as its delimiter splits a cell of ours, and the rest would be a formula:
 * it sees no quotes that do not begin its own cell, so a line break ends the line for it, too.
 */
const SPLIT = /([;|\t\r\n])(?=[\s"']*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;
const MARKED_SPLIT = /([;|\t\r\n])'(?=[\s"']*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/**
 * A text as a cell that a spreadsheet shows and does not run, whatever its delimiter is: an apostrophe is in front where it
 * would be a formula, because strangers write the leads that customers open. It also is where `textOfCell` would take the text
 * for one that was marked.
 */
export function cellOfText(text: string): string {
  const safe = text.replace(SPLIT, "$1'");
  return (FORMULA.test(safe) && !TELEPHONE.test(safe)) || MARKED_AS_TEXT.test(safe) ? `'${safe}` : safe;
}

/** The text of a cell: what `cellOfText` or a spreadsheet put around it, so that it stays text, is taken off. */
export function textOfCell(cell: string): string {
  const [, text] = TEXT_BY_FORMULA.exec(cell) ?? [];
  if (text !== undefined) return text.replaceAll('""', '"');
  return (MARKED_AS_TEXT.test(cell) ? cell.slice(1) : cell).replace(MARKED_SPLIT, '$1');
}
