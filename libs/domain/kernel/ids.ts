import { hash } from 'node:crypto';

/** Separates these ids from ids that other programs derive. */
const NAMESPACE = 'leadger';

/**
 * A UUID derived from parts (SHA-1, in the form of version 5): the same parts give the same id, on every machine and in
 * every run. What must not happen twice gets its id from its cause.
 */
export function deriveId(...parts: readonly string[]): string {
  // The length before each part keeps ("a", "bc") and ("ab", "c") apart.
  let name = NAMESPACE;
  for (const part of parts) name += `\n${part.length}:${part}`;
  const digits = hash('sha1', name, 'hex');
  const variant = ((Number.parseInt(digits.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-5${digits.slice(13, 16)}-${variant}${digits.slice(18, 20)}-${digits.slice(20, 32)}`;
}
