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

  it('is the one that was written, whatever it is', () => {
    const marked = fc.stringMatching(/^'{0,3}[=+"@\-\d]{0,2}[\d ()."'a-]*$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), marked), (text) => {
        expect(textOfCell(cellOfText(text))).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });
});
