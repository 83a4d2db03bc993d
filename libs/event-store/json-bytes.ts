const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const OPENING_BRACE = 0x7b;

/**
 * Parses bytes that hold a JSON object exactly as JSON.stringify writes it, so that the object can replace the bytes
 * without loss. @returns undefined for anything else, also for JSON with spaces or other notations of numbers
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
