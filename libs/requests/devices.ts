/** Word in the header → what it is. The first one counts: browsers also name others, to be served like them. */
const browsers = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['Firefox', 'Firefox'],
  ['Chrome', 'Chrome'],
  ['CriOS', 'Chrome'],
  ['Safari', 'Safari'],
  ['curl', 'curl'],
] as const;
const systems = [
  ['Windows', 'Windows'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Mac OS', 'macOS'],
  ['Linux', 'Linux'],
] as const;

/**
 * What a User-Agent header tells its owner about a session, in words of ours. The header itself is not kept: it tells one person
 * from another.
 */
export function deviceIn(userAgent = ''): string {
  const wordIn = (words: readonly (readonly [string, string])[]) =>
    words.find(([word]) => userAgent.includes(word))?.[1];
  const [browser = 'another program', system] = [wordIn(browsers), wordIn(systems)];
  return system === undefined ? browser : `${browser} on ${system}`;
}
