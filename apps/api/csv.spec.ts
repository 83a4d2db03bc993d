import { csvLine } from './csv.ts';

test.each([
  ['plain text as it is', 'Ada', 'Ada'],
  ['nothing as an empty cell', undefined, ''],
  ['a number as a number, also below zero', -3, '-3'],
  ['commas and quotes in quotes', 'say "hi", Ada', '"say ""hi"", Ada"'],
  ['line breaks in quotes', 'two\r\nlines', '"two\r\nlines"'],
  ['a telephone number without an apostrophe', '+1 (212) 555-0142', '+1 (212) 555-0142'],
  ['a formula with an apostrophe', '=1+1', "'=1+1"],
  [
    'a command with an apostrophe and in quotes',
    '=HYPERLINK("http://x.example","y")',
    `"'=HYPERLINK(""http://x.example"",""y"")"`,
  ],
  ['a formula behind a plus sign', '+1+cmd|x', "'+1+cmd|x"],
  ['a formula behind a minus sign', '-2+3', "'-2+3"],
  ['a formula behind an at sign', '@SUM(A1)', "'@SUM(A1)"],
  ['a formula behind a tab', '\t=1', "'\t=1"],
])('writes %s', (_, value, written) => {
  expect(csvLine([value])).toBe(`${written}\r\n`);
});
