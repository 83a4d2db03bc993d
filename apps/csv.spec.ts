import { csvLine, Digits } from './csv.ts';

test.each([
  ['plain text as it is', 'Ada', 'Ada'],
  ['nothing as an empty cell', undefined, ''],
  ['a number as a number, also below zero', -3, '-3'],
  ['a whole number with all its digits', -9007199254740993n, '-9007199254740993'],
  [
    'a number with more digits than ours have as a number',
    new Digits('-0.33333333333333333333'),
    '-0.33333333333333333333',
  ],
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
  ['a formula behind a tab', '\t=1', "'\t'=1"],
  ['a formula behind a carriage return', '\r=1', `"'\r'=1"`],
  ['a formula behind a line feed', '\n=1', `"'\n'=1"`],
  ['a formula behind a delimiter of other spreadsheets', 'a;=1|@b', "a;'=1|'@b"],
  ['a sequence that a terminal acts on', 'a\x1b[2J\x9bb', 'a\\u001b[2J\\u009bb'],
  ['a formula behind a minus sign that is text, though it looks like a number', '-3', "'-3"],
  ['a formula behind an equals sign of full width', '\uFF1D1+1', "'\uFF1D1+1"],
  ['a formula behind a plus sign of full width', '\uFF0B1', "'\uFF0B1"],
  ['a formula behind a minus sign of full width', '\uFF0D1', "'\uFF0D1"],
  ['a formula behind an at sign of full width', '\uFF20A1', "'\uFF20A1"],
])('writes %s', (_, value, written) => {
  expect(csvLine([value])).toBe(`${written}\r\n`);
});
