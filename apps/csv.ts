import { cellOfText } from '#domain/kernel/spreadsheet-cells';
import { withoutControls } from './terminal-text.ts';

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

/** The value of a cell. `undefined` makes an empty cell. */
export type Cell = string | number | bigint | Digits;

/**
 * One line of CSV (RFC 4180). A text that a spreadsheet would run as a formula gets an apostrophe in front, and what a
 * terminal would act on is written as in JSON.
 */
export const csvLine = (cells: readonly (Cell | undefined)[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(value: Cell | undefined): string {
  const text = String(value ?? '');
  const safe = typeof value === 'string' ? withoutControls(cellOfText(text)) : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
