import { deriveId } from '../kernel/ids.ts';

/**
 * A list of legal endings that keys of businesses are made with. Its id is part of what is hashed, so that a key of one list is
 * never a key of another. Without an id, an older version made the keys, alike for all its lists.
 */
export interface EndingsList {
  readonly id?: string | undefined;
  readonly endings: readonly string[];
}

/** The list that comes after others. The same endings again are another list: what was renewed says with which. */
export const endingsListAfter = (former: readonly EndingsList[], endings: readonly string[]) => ({
  id: deriveId('legal-endings', JSON.stringify([...former.map((list) => list.endings), endings])),
  endings,
});
