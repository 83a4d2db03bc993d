import { InvalidArgumentError } from 'commander';
import type { ColumnMapping } from '#requests/lead-files/column-mapping';
import { CommandFailed } from './command-failed.ts';

/* What is written after an option, as commander reads it. Each function throws InvalidArgumentError. */

export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw new InvalidArgumentError('It is not a whole number.');
  return number;
}

export function port(text: string): number {
  const number = wholeNumber(text);
  if (number > 65_535) throw new InvalidArgumentError('It is not a port, 0 to 65535.');
  return number;
}

/** At most a day. */
export function secondsAtLeastOne(text: string): number {
  const seconds = wholeNumber(text);
  if (seconds < 1 || seconds > 86_400) throw new InvalidArgumentError('It is not from 1 to 86400.');
  return seconds;
}

export function oneOf(...choices: readonly string[]) {
  return (text: string): string => {
    if (!choices.includes(text)) throw new InvalidArgumentError(`It is not one of ${choices.join(', ')}.`);
    return text;
  };
}

/** As everything that has an id. @throws CommandFailed */
export async function checkedId(option: string, text: string | undefined): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const { ID } = await import('#domain/kernel/text');
  if (!ID.test(text)) throw new CommandFailed(`${option} must be an id: letters, digits, dots and dashes, at most 100`);
  return text;
}

/** `telephone=Phone 1,email=Mail` */
export async function mapping(text: string | undefined): Promise<ColumnMapping | undefined> {
  if (text === undefined) return undefined;
  const { columnMapping } = await import('#requests/lead-files/column-mapping');
  const columns = columnMapping(text);
  if (!columns) throw new CommandFailed('--map is not field=Column,field=Column');
  return columns;
}
