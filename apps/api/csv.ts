/** A telephone number starts with a plus sign and can do no harm: nothing in it calls a function. */
const TELEPHONE = /^\+[\d ().-]+$/;

/** What spreadsheets take for a formula, and would run; in full width too, which some make plain. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** A number with more digits than JavaScript's have. */
export class Digits {
  readonly #written: string;

  constructor(written: string) {
    this.#written = written;
  }

  toString(): string {
    return this.#written;
  }
}

/** Nothing is an empty cell. */
export type Cell = string | number | bigint | Digits;

/**
 * One line of CSV (RFC 4180). What a spreadsheet would run as a formula gets an apostrophe in front: leads are written
 * by strangers, and opened in the customer's office.
 */
export const csvLine = (cells: readonly (Cell | undefined)[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(value: Cell | undefined): string {
  const text = String(value ?? '');
  const safe = typeof value === 'string' && FORMULA.test(text) && !TELEPHONE.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
