import { escapedJson, onItsLines, onOneLine } from '#apps/terminal-text';
import { withoutPasswords } from '#domain/kernel/connection-string';

/** The only way of the commands to print for people: what they print are texts of strangers, too. */

/** Each argument becomes one line, whatever it contains. */
export const printLines = (...lines: readonly string[]): void => console.log(lines.map(onOneLine).join('\n'));

/** The same document as JSON.stringify makes. */
export const jsonForTerminals = (value: object): string => escapedJson(JSON.stringify(value, null, 2));

export const printJson = (value: object): void => console.log(jsonForTerminals(value));

/** On standard error. A stack has several lines. */
export const printError = (text: string): void => console.error(onItsLines(withoutPasswords(text)));
