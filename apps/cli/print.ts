import { withoutPasswords } from '#domain/kernel/connection-string';

/**
 * The only way of the commands to print for people. Texts are typed by customers and sent by programs: a line break in
 * them could make a line that looks like ours, and other control characters could make a terminal do something.
 */
const ACTS_ON_TERMINALS = /\r\n|[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Line breaks as ⏎, what else a terminal could act on as in JSON: `\u001b`. */
export const onOneLine = (text: string): string =>
  text.replace(ACTS_ON_TERMINALS, (found) => (/[\r\n]/.test(found) ? '⏎' : escaped(found)));

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Each argument becomes one line, whatever it contains. */
export const printLines = (...lines: readonly string[]): void => console.log(lines.map(onOneLine).join('\n'));

/** The same document as JSON.stringify makes, which leaves some control characters as they are. */
export const jsonForTerminals = (value: object): string =>
  JSON.stringify(value, null, 2).replace(ACTS_ON_TERMINALS, (found) => (found === '\n' ? found : escaped(found)));

export const printJson = (value: object): void => console.log(jsonForTerminals(value));

/** On standard error. A stack has several lines. */
export const printError = (text: string): void =>
  console.error(withoutPasswords(text).split('\n').map(onOneLine).join('\n'));
