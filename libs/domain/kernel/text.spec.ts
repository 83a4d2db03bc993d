import fc from 'fast-check';
import {
  cleanTexts,
  hasAtMost,
  isReason,
  isSeen,
  line,
  normalTexts,
  severalLines,
  shownTexts,
  storableTexts,
  withoutDirections,
  wrongInName,
  wrongInText,
  wrongTexts,
} from './text.ts';

const one = { lines: 'one', most: 5 } as const;
const several = { lines: 'several', most: 5 } as const;

describe('a text from outside', () => {
  it.each(['a', ' a ', 'a b', '\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}', 'a\u200b'])('%j is one line', (text) => {
    expect(wrongInText(text, one)).toBeUndefined();
    expect(wrongInText(text, several)).toBeUndefined();
  });

  it.each(['', ' ', '\n', '\u3000'])('%j is empty', (text) => {
    expect(wrongInText(text, one)).toBe('must not be empty');
    expect(wrongInText(text, several)).toBe('must not be empty');
  });

  it.each(['a\0', 'a\u0007', 'a\u0085', 'a\u007f', '\ud83d', 'a\udc00b', 'abcdef', '\u{1f600}'.repeat(6)])(
    '%j is none',
    (text) => {
      expect(wrongInText(text, one)).toBe('must be one line of text, at most 5 characters');
      expect(wrongInText(text, several)).toBe('must be a text of at most 5 characters');
    },
  );

  it.each(['a\nb', 'a\r\nb', 'a\tb', 'a\u2028b'])('%j has several lines, or columns', (text) => {
    expect(wrongInText(text, one)).toBe('must be one line of text, at most 5 characters');
  });

  it.each(['a\nb', 'a\r\nb', 'a\tb'])('%j is a text of several lines', (text) => {
    expect(wrongInText(text, several)).toBeUndefined();
  });

  it('has as many characters as it has code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, most) => {
        expect(hasAtMost(most, text)).toBe([...text].length <= most);
      }),
    );
  });

  it('is composed, and has no spaces at its ends', () => {
    expect(line().parse(' Zoe\u0308 ')).toBe('Zo\u00eb');
    expect(severalLines(9).parse('\n e\u0301\nx ')).toBe('\u00e9\nx');
    expect(line(3).safeParse('e\u0301e\u0301e\u0301').data).toBe('\u00e9\u00e9\u00e9');
  });
});

const anything = fc.anything({ values: [fc.string({ unit: 'binary' }), fc.constant('a\ud800\0')] });
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value) ?? 'null');
const UNSTORABLE = /[\0\p{Cs}]/u;

describe('the texts in a value', () => {
  it('are found at any depth, also as the names of members', () => {
    const value = { a: ['x', { b: 'y\0' }], 'c\ud800': 1, d: 'two\nlines', e: '' };
    expect(wrongTexts(value, 'several').map(({ path }) => path.join('.'))).toEqual(['a.1.b', '']);
    expect(wrongTexts(value, 'one').map(({ path }) => path.join('.'))).toEqual(['a.1.b', '', 'd']);
  });

  it('are composed at any depth, and whatever a member is called', () => {
    const value = JSON.parse('{"e\u0301":["e\u0301"],"__proto__":1,"constructor":2}');
    expect(JSON.stringify(normalTexts(value))).toBe('{"\u00e9":["\u00e9"],"__proto__":1,"constructor":2}');
  });

  it('can be stored by a row after they were made storable, and are the same where they could before', () => {
    fc.assert(
      fc.property(anything.map(asJson), (value) => {
        const stored = storableTexts(value);
        expect(unescaped(stored)).not.toMatch(UNSTORABLE);
        if (!UNSTORABLE.test(unescaped(value))) expect(stored).toEqual(value);
      }),
    );
  });

  it('leave the store without what nobody can show, and are the same where all of it can be shown', () => {
    expect(shownTexts({ 'a\0': ['b\u001b\u202ec', 'two\r\n\tlines', 3, null] })).toEqual({
      'a\ufffd': ['b\ufffdc', 'two\r\n\tlines', 3, null],
    });
    fc.assert(
      fc.property(anything.map(asJson), (value) => {
        const shown = shownTexts(value);
        expect(wrongTexts(shown, 'several').filter(({ message }) => !message.startsWith('the name'))).toEqual([]);
        expect(shownTexts(shown)).toEqual(shown);
      }),
    );
  });

  it('of another service are cleaned and cut, so that they pass every door', () => {
    expect(cleanTexts({ reference: 'pi_1\0', many: ['\ud800', 3], long: 'e\u0301'.repeat(9) }, 4)).toEqual({
      reference: 'pi_1',
      many: ['\ufffd', 3],
      long: '\u00e9\u00e9\u00e9\u00e9',
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const clean = cleanTexts(text, 10);
        expect(hasAtMost(10, clean) && wrongTexts(clean, 'one').length === 0).toBe(true);
      }),
    );
  });
});

/** All texts of a value, one after another. */
const unescaped = (value: unknown): string => {
  if (typeof value === 'string') return `${value} `;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, member]) => `${name} ${unescaped(member)}`)
    .join('');
};

const INVISIBLE = ['\u200b', '\u3164', '\u115f', '\uffa0', '\u2800', '\u2060\ufeff', ' \u200d ', '\u00ad', '\u{e0020}'];
const DIRECTIONS = [...'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'];

describe('a name', () => {
  it.each(INVISIBLE)('of nothing that somebody sees is none (%j)', (name) => {
    expect(isSeen(name)).toBe(false);
    expect(wrongInName(name)).toBe('must have a visible character');
  });

  it.each(DIRECTIONS)('does not turn the direction of what stands after it (%j)', (mark) => {
    expect(wrongInName(`West ${mark}Leads`)).toMatch(/direction/);
    expect(withoutDirections(`West ${mark}Leads`)).toBe('West Leads');
  });

  it.each(['Ätna & Søn', 'می‌خواهم', '👩‍👩‍👧', 'क्‍ष', 'مرحبا', 'שלום', '한국', '1', '😀', '❤️', 'R\u200bI'])(
    'is a name in every script (%s)',
    (name) => {
      expect(wrongInName(name)).toBeUndefined();
      expect(withoutDirections(name)).toBe(name);
    },
  );
});

describe('a reason', () => {
  it('is one line that somebody can read', () => {
    expect(isReason('called, wrong person')).toBe(true);
    for (const none of ['', ' ', '\u200b', 'two\nlines', 'turned \u202eround', 'x'.repeat(501)])
      expect(isReason(none)).toBe(false);
  });
});
