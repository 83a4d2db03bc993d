/** A telephone number starts with a plus sign and can do no harm: nothing in it calls a function. */
const TELEPHONE = /^\+[\d ().-]+$/;

/** Text that spreadsheets would run as a formula. Also in full-width characters, which some programs convert to ASCII. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** A number with more digits than a JavaScript number can hold. */
export class Digits {
  readonly #written: string;

  constructor(written: string) {
    this.#written = written;
  }

  toString(): string {
    return this.#written;
  }
}

/** An absent value is an empty cell. */
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
