/**
 * Texts are typed by customers and sent by programs: a line break in them could make a line that looks like ours, and other
 * control characters could make a terminal do something.
 */
const ACTS_ON_TERMINALS = /\r\n|[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Those that no text needs: not tabs, not ends of lines, not the marks of languages that are written from right to left. */
const CONTROLS = /(?![\t\r\n])[\p{Cc}\p{Cs}]/gu;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Line breaks as ⏎, what else a terminal could act on as in JSON: `\u001b`. */
export const onOneLine = (text: string): string =>
  text.replace(ACTS_ON_TERMINALS, (found) => (/[\r\n]/.test(found) ? '⏎' : escaped(found)));

/** Several lines of ours: each stays a line. */
export const onItsLines = (text: string): string => text.split('\n').map(onOneLine).join('\n');

/** The same document, of which JSON.stringify leaves some control characters as they are. */
export const escapedJson = (json: string): string =>
  json.replace(ACTS_ON_TERMINALS, (found) => (found === '\n' ? found : escaped(found)));

/** A text for a file that somebody may print at a terminal. */
export const withoutControls = (text: string): string => text.replace(CONTROLS, escaped);
