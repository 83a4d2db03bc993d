/** What the metadata of a stream hides of it, as a server takes it. */
export interface Cuts {
  readonly $tb?: number;
  readonly $maxCount?: number;
  /** Seconds. */
  readonly $maxAge?: number;
}

const SMALLEST: Readonly<Record<string, number>> = { $tb: 0, $maxCount: 1, $maxAge: 1, $cacheControl: 1 };

/** A server ignores all of it when one value is not what it expects. */
export function cutsOf(metadata: unknown): Cuts {
  if (typeof metadata !== 'object' || metadata === null || metadata instanceof Uint8Array) return {};
  const values = metadata as Readonly<Record<string, unknown>>;
  const isValid = Object.entries(SMALLEST).every(
    ([key, smallest]) => values[key] === undefined || isWhole(values[key], smallest),
  );
  return isValid ? (values as Cuts) : {};
}

const isWhole = (value: unknown, smallest: number): boolean => Number.isInteger(value) && Number(value) >= smallest;
