import { isBox, type Sealed } from '#domain/kernel/events';
import { BoxDamaged, KeyMissing, NotForCaller, type Vault } from '#vault/vault';

/** Replaces personal data of an erased person. */
const ERASED = { erased: true } as const;

/** Replaces personal data whose key is missing: the keys were restored from an older backup. */
const KEY_MISSING = { keyMissing: true } as const;

/** Replaces personal data whose box or key is not what was written. */
const DAMAGED = { damaged: true } as const;

/** Replaces personal data that is not for whoever asks. */
const HIDDEN = { hidden: true } as const;

/** What is shown of a sealed text: the text, or why it is not shown. */
export type OpenedText = string | typeof ERASED | typeof KEY_MISSING | typeof DAMAGED | typeof HIDDEN;

/** Replaces secrets, such as sign-in links. */
const SECRET = { secret: true } as const;

/**
 * The same data with every sealed box opened, or marked: as erased if its key was destroyed, as without a key, or as
 * damaged. Secrets stay closed.
 */
export async function openBoxes(data: unknown, vault: Pick<Vault, 'open'>): Promise<unknown> {
  if (typeof data !== 'object' || data === null) return data;
  if (isBox(data)) return 'secret' in data ? SECRET : openOrMark(data, vault);
  if (Array.isArray(data)) return Promise.all(data.map((element) => openBoxes(element, vault)));
  const opened: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(data))
    opened[name] = typeof member === 'object' ? await openBoxes(member, vault) : member;
  return opened;
}

/** Opens names of businesses for the laws. @returns undefined for a name that cannot be opened */
export const openedBusinessNames =
  (vault: Pick<Vault, 'open'>) =>
  async (box: object): Promise<string | undefined> => {
    const name = isBox(box) ? await openOrMark(box, vault) : undefined;
    return typeof name === 'string' ? name : undefined;
  };

/** A missing or damaged key costs this box only, never the history around it. */
async function openOrMark(box: Sealed, vault: Pick<Vault, 'open'>): Promise<unknown> {
  try {
    return (await vault.open(box)) ?? ERASED;
  } catch (error) {
    if (error instanceof KeyMissing) return KEY_MISSING;
    if (error instanceof BoxDamaged) return DAMAGED;
    if (error instanceof NotForCaller) return HIDDEN;
    throw error;
  }
}
