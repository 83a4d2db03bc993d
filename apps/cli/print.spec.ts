import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onItsLines, onOneLine } from '#apps/terminal-text';
import { jsonOf } from './json.ts';
import { jsonForTerminals } from './print.ts';

test.each([
  ['a line break', 'a\nb', 'a⏎b'],
  ['a line break of Windows', 'a\r\nb', 'a⏎b'],
  ['a return to the beginning of the line', 'a\rb', 'a⏎b'],
  ['a sequence that clears the screen', '\x1b[2Ja', '\\u001b[2Ja'],
  ['a sequence that begins with a character of C1', '\x9b31ma', '\\u009b31ma'],
  ['a backspace and a deletion', 'a\b\x7f', 'a\\u0008\\u007f'],
  ['a tab', 'a\tb', 'a\\u0009b'],
  ['the next line of C1', 'a\x85b', 'a\\u0085b'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['a change of the direction', 'a\u202egnp.exe\u2066', 'a\\u202egnp.exe\\u2066'],
])('%s is made visible', (_, text, shown) => {
  expect(onOneLine(text)).toBe(shown);
});

test('letters and signs of all languages stay', () => {
  const text = 'Zoë, עדה, アダ, 👩‍💻 – “é” \\n';
  expect(onOneLine(text)).toBe(text);
});

test('JSON stays the same document, and a terminal does not act on it', () => {
  const value = { text: 'a\nb\x1b[2J\x9b31m\u202e\u2028', list: [1] };
  const json = jsonForTerminals(value);
  expect(JSON.parse(json)).toEqual(value);
  expect(json.replaceAll('\n', '')).toMatch(/^[ -~]+$/);
});

test('a line of NDJSON stays the same document, and a terminal does not act on it', () => {
  const value = { text: 'a\nb\x1b[2J\x9b31m\x7f\u202e\u2028', many: 1n };
  expect(JSON.parse(jsonOf(value))).toEqual({ ...value, many: '1' });
  expect(jsonOf(value)).toMatch(/^[ -~]+$/);
});

test('a message of several lines keeps them, and nothing else that a terminal acts on', () => {
  expect(onItsLines('error: a\x1b[2J\n  at b\r')).toBe('error: a\\u001b[2J\n  at b⏎');
});

test('commands print by print.ts only: console.log would print what a text contains', async () => {
  const cwd = import.meta.dirname;
  const others: string[] = [];
  for await (const file of glob('**/*.ts', { cwd }))
    if (!/(^print|\.spec)\.ts$/.test(file) && /\bconsole\./.test(await readFile(join(cwd, file), 'utf8')))
      others.push(file);
  expect(others).toEqual([]);
});
