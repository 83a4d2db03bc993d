import { isReason, isSeen, withoutDirections, wrongInName } from './text.ts';

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
