import { z } from 'zod';
import { count, type Instant, type Sealed } from '../kernel/events.ts';
import { keyedHash } from '../kernel/fields.ts';

/** The names of businesses that a customer stated, and the keys by which DLV-3 compares them. */
export interface StatedBusiness {
  readonly name: Sealed;
  /** Its newest one. */
  readonly businessKey: string;
}

/** The key of a name in the present form, and in the forms that older events have. */
export interface BusinessKeys {
  readonly businessKey: string;
  readonly formerBusinessKeys?: string[] | undefined;
}

export const businessKeysRenewed = {
  businessKey: keyedHash.describe('Of the present name; as before if that cannot be opened.'),
  names: z
    .array(
      z.object({
        statement: count.describe('Which of the names that it stated, from 0.'),
        businessKey: keyedHash,
        formerBusinessKeys: z.array(keyedHash),
      }),
    )
    .min(1)
    .describe('Each name whose key is another one now, and that can be opened.'),
};

/** `names`: each name that can be opened, by its place in `statedBusinesses`, with its keys of now. */
export interface RenewBusinessKeys {
  readonly type: 'RenewBusinessKeys';
  readonly at: Instant;
  readonly names: readonly ({ readonly statement: number } & BusinessKeys)[];
}

interface Stated {
  readonly statedBusinesses: readonly StatedBusiness[];
}

/** @returns nothing when no key is another one */
export function renewBusinessKeys({ at, names }: RenewBusinessKeys, { statedBusinesses }: Stated) {
  const renewed = names
    .filter(({ statement, businessKey }) => statedBusinesses[statement]?.businessKey !== businessKey)
    .map(({ formerBusinessKeys = [], ...name }) => ({ ...name, formerBusinessKeys }));
  const businessKey = withNewKeys(statedBusinesses, renewed).at(-1)?.businessKey;
  if (renewed.length === 0 || businessKey === undefined) return [];
  return [{ type: 'BusinessKeysRenewed' as const, data: { at, businessKey, names: renewed } }];
}

export const withNewKeys = (
  stated: readonly StatedBusiness[],
  names: readonly { readonly statement: number; readonly businessKey: string }[],
): readonly StatedBusiness[] =>
  stated.map((one, index) => {
    const businessKey = names.find(({ statement }) => statement === index)?.businessKey ?? one.businessKey;
    return { ...one, businessKey };
  });

/** The names that were plain have keys from now on, and the present name a box. */
export const withSealedNames = (
  { statedBusinesses, plainBusinesses }: Stated & { readonly plainBusinesses: readonly Sealed[] },
  keys: readonly string[],
  present: Sealed,
): readonly StatedBusiness[] =>
  statedBusinesses.map(({ name, businessKey }, index) => ({
    name: index === statedBusinesses.length - 1 ? present : name,
    businessKey: keys[plainBusinesses.indexOf(name)] ?? businessKey,
  }));
