/** Small words that belong to the last name: Ludwig van Beethoven, Ana de la Cruz. */
const PARTICLES = /^(?:van|von|der|den|de|del|della|di|da|dos|das|du|la|le|ter|ten|zu|zum|bin|al|el)$/;

const SUFFIX = /^(?:jr|sr|ii|iii|iv|phd|md|esq)\.?$/i;

/**
 * Splits a name as people write it: the last word is the last name, with what belongs to it; or the words before a comma.
 * Both together are the whole name, so that a wrong split loses nothing.
 */
export function splitName(fullName: string): { firstName?: string; lastName?: string } {
  const [beforeComma = '', ...afterComma] = fullName.split(',').map((part) => part.trim());
  const after = afterComma.join(', ');
  if (after !== '' && !SUFFIX.test(after)) return named(after, beforeComma);
  const words = fullName.trim().split(/\s+/);
  let last = words.length - 1;
  while (last > 1 && SUFFIX.test(words[last] as string)) last -= 1;
  while (last > 1 && PARTICLES.test(words[last - 1] as string)) last -= 1;
  return last === 0 ? named(words.join(' '), '') : named(words.slice(0, last).join(' '), words.slice(last).join(' '));
}

const named = (firstName: string, lastName: string) => ({
  ...(firstName && { firstName }),
  ...(lastName && { lastName }),
});
