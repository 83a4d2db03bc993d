import fc from 'fast-check';
import { cellOfText, textOfCell } from './spreadsheet-cells.ts';

describe('the text of a cell of a spreadsheet', () => {
  it.each([
    ['="01234"', '01234'],
    ['="say ""hi"""', 'say "hi"'],
    ["'01234", '01234'],
    ["'+1 212 555 0142", '+1 212 555 0142'],
    ["'=1+1", '=1+1'],
    ["'(212) 555-0142", '(212) 555-0142'],
    ["'90s music", "'90s music"],
    ["O'Neil", "O'Neil"],
    ["'s-Hertogenbosch", "'s-Hertogenbosch"],
    ['=1+1', '=1+1'],
    ['+1 212 555 0142', '+1 212 555 0142'],
  ])('%s is %s', (cell, text) => {
    expect(textOfCell(cell)).toBe(text);
  });

  /** As a spreadsheet reads it that has another delimiter: quotes count only at the beginning of a cell. */
  const cellsBy = (delimiter: string, line: string): string[] =>
    line
      .split(/\r\n|[\r\n]/)
      .flatMap((row) =>
        [...row.matchAll(new RegExp(`(?:^|\\${delimiter})(?:"((?:[^"]|"")*)"|([^\\${delimiter}]*))`, 'g'))].map(
          ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
        ),
      );
  const RUNS = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/;

  it.each([';', '|', '\t'])('is no formula for a spreadsheet with the delimiter %j', (delimiter) => {
    const part = fc.constantFrom(
      '=1+1',
      '=cmd|x',
      '+2',
      '-3',
      '@SUM(A1)',
      '\uFF1D1',
      '"',
      "'",
      ' ',
      ',',
      ';',
      '\t',
      '|',
      '\n',
      '\r\n',
      'a',
    );
    const cell = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(cell, fc.boolean(), (text, isQuoted) => {
        const safe = cellOfText(text);
        const written = isQuoted || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
        // In the middle of a line of ours: what stands before it belongs to its first part.
        const cells = cellsBy(delimiter, `x,${written},y`).filter((one) => RUNS.test(one));
        expect({ text, cells }).toEqual({ text, cells: [] });
      }),
      { numRuns: 3000 },
    );
  });

  it('is the one that was written, whatever it is', () => {
    const split = fc.stringMatching(/^([;|\t\n\r"' ]{0,3}[=+@a-]{0,2}){0,4}$/);
    const marked = fc.stringMatching(/^'{0,3}[=+"@\-\d]{0,2}[\d ()."'a-]*$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), marked, split), (text) => {
        expect(textOfCell(cellOfText(text))).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });
});
