/** `12,345`, for people to read. */
export const thousands = (count: number): string => Math.round(count).toLocaleString('en-US');

/** `1 key`, `2 keys`; with the verb that belongs to it: `1 key is`, `2 keys are`. */
export const counted = (count: number, one: string, many?: string): string =>
  `${thousands(count)} ${nounOf(count, one, many)}`;

/** The form that belongs to a count, where the count stands elsewhere. */
export const nounOf = (count: number, one: string, many = `${one}s`): string => (Math.round(count) === 1 ? one : many);

/** `1 day`, `1.5 days`: a span of a policy may have half days. */
export const inDays = (days: number): string => `${days} ${days === 1 ? 'day' : 'days'}`;
