const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const OPENING_BRACE = 0x7b;

/**
 * The object that bytes are the JSON of; undefined when they are anything else, or JSON that would not be written
 * again as it is (spaces, numbers in other notations). Whoever keeps the object instead of the bytes loses nothing.
 */
export function objectOf(bytes: Uint8Array): object | undefined {
  if (bytes[0] !== OPENING_BRACE) return undefined;
  try {
    const text = decoder.decode(bytes);
    const value: object = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
