import type { Instant } from '#domain/kernel/events';
import { parseInstant } from '#domain/kernel/instants';
import { instantsAtLocalTime } from '#domain/kernel/local-times';
import { type LeadFileOptions, shortened } from './lead-file-row.ts';

const LONGEST_TIME = 40;

const WITH_DASHES = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?)$/;
const WITH_SLASHES = /^(\d\d?)\/(\d\d?)\/(\d{4}),?\s+(\d\d?)(:[0-5]\d(?::[0-5]\d)?)(?:\s*([ap])\.?m\.?)?$/i;

/** The zone of times without one; and a country, for the order of day and month. */
type Where = Pick<LeadFileOptions, 'timeZone' | 'country'>;

/** Reads the times of one file, and remembers what concerns all of them. */
export class WrittenTimes {
  readonly #where: Where;
  #wrong: string | undefined;

  constructor(where: Where) {
    this.#where = where;
  }

  /** Why the times of the file cannot be read, as one of them has shown. */
  get wrong(): string | undefined {
    return this.#wrong;
  }

  /** @returns when it was, or why nobody knows */
  read(field: string, text: string): { readonly at: Instant } | string {
    const at = parseInstant(text);
    if (at) return { at };
    const named = `${field}: "${shortened(text, LONGEST_TIME)}"`;
    const dashes = WITH_DASHES.exec(text);
    if (dashes) return this.#inZone(`${dashes[1]}T${dashes[2]?.replace(',', '.')}`, named);
    const [, month = '', day = '', year, hours = '', minutes, half] = WITH_SLASHES.exec(text) ?? [];
    const hoursOfDay = hoursIn(hours, half);
    if (hoursOfDay === undefined) return `${named} is no instant with a zone, like 2026-05-01T09:30:00-04:00`;
    const written = `${year}-${twoDigits(month)}-${twoDigits(day)}T${hoursOfDay}${minutes}`;
    return this.#orderUnknown(Number(month), Number(day), named) ?? this.#inZone(written, named);
  }

  /** Where a day could be taken for a month, times would be read wrong without a word. */
  #orderUnknown(month: number, day: number, named: string): string | undefined {
    const { country = 'US' } = this.#where;
    if (country.toUpperCase() !== 'US')
      return this.#wrongWith(
        `${named} has the day or the month first, which is not known in ${country}; write dates like 2026-11-28`,
      );
    if (month <= 12 || day > 12) return undefined;
    return this.#wrongWith(
      `${named} has no such month: where a date has slashes, the month is first; write dates like 2026-11-28`,
    );
  }

  #inZone(localTime: string, named: string): { readonly at: Instant } | string {
    const { timeZone } = this.#where;
    if (timeZone === undefined)
      return this.#wrongWith(
        `${named} has no time zone; name the one of all such times of the file: --time-zone America/New_York, or timeZone=America/New_York over HTTP`,
      );
    const [at, other] = instantsAtLocalTime(localTime, timeZone);
    if (at === undefined) return `${named} does not exist in ${timeZone}`;
    return other === undefined ? { at } : `${named} exists twice in ${timeZone}: write ${at} or ${other}`;
  }

  #wrongWith(reason: string): string {
    this.#wrong ??= reason;
    return reason;
  }
}

const twoDigits = (text: string): string => text.padStart(2, '0');

/** @returns the hours of a day of 24; undefined where there are none, or a day of twelve has no such hour */
function hoursIn(hours: string, half: string | undefined): string | undefined {
  if (hours === '') return undefined;
  if (half === undefined) return twoDigits(hours);
  const hour = Number(hours);
  if (hour < 1 || hour > 12) return undefined;
  return twoDigits(String((hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0)));
}
