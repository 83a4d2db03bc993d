import { InvalidArgumentError } from 'commander';

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

/** `telephone=Phone 1,email=Mail` */
export function mapping(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((pair) => /^([^=]+)=(.+)$/.exec(pair.trim()));
  if (pairs.some((pair) => pair === null)) throw new InvalidArgumentError('It is not field=Column,field=Column.');
  return Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]));
}
