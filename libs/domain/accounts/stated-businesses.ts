import { z } from 'zod';
import { count, type Instant, type Sealed } from '../kernel/events.ts';
import { id, keyedHash } from '../kernel/fields.ts';

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
  readonly legalEndingsId?: string | undefined;
}

export const legalEndingsId = id
  .optional()
  .describe(
    'Of the list of legal endings that `businessKey` was made with. Absent: keys of all lists were alike then.',
  );

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
    .describe('Each name whose key is another one now, and that can be opened.'),
  legalEndingsId,
};

/** `names`: each name that can be opened, by its place in `statedBusinesses`, with its keys of now. */
export interface RenewBusinessKeys {
  readonly type: 'RenewBusinessKeys';
  readonly at: Instant;
  readonly legalEndingsId?: string | undefined;
  /** How many names it had stated then. One that came later may have a key of any list: nothing is said about it. */
  readonly statements: number;
  readonly names: readonly ({ readonly statement: number } & BusinessKeys)[];
}

interface Stated {
  readonly statedBusinesses: readonly StatedBusiness[];
  readonly legalEndingsId?: string | undefined;
}

/** Names that cannot be opened keep their keys: that it was tried with this list is recorded. @returns nothing when nothing is new */
export function renewBusinessKeys({ at, names, legalEndingsId, statements }: RenewBusinessKeys, state: Stated) {
  const { statedBusinesses } = state;
  if (statedBusinesses.length !== statements) return [];
  const renewed = names
    .filter(({ statement, businessKey }) => statedBusinesses[statement]?.businessKey !== businessKey)
    .map(({ formerBusinessKeys = [], ...name }) => ({ ...name, formerBusinessKeys }));
  const businessKey = withNewKeys(statedBusinesses, renewed).at(-1)?.businessKey;
  if (businessKey === undefined || (renewed.length === 0 && legalEndingsId === state.legalEndingsId)) return [];
  const list = legalEndingsId !== undefined && { legalEndingsId };
  return [{ type: 'BusinessKeysRenewed' as const, data: { at, businessKey, names: renewed, ...list } }];
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
