import { isBox } from '#domain/kernel/events';
import type { Vault } from '#vault/vault';

/** Replaces personal data of an erased person. */
const ERASED = { erased: true } as const;

/** Replaces secrets, such as sign-in links. */
const SECRET = { secret: true } as const;

/** The same data with every sealed box opened, or marked as erased if its key was destroyed. Secrets stay closed. */
export async function openBoxes(data: unknown, vault: Pick<Vault, 'open'>): Promise<unknown> {
  if (typeof data !== 'object' || data === null) return data;
  if (isBox(data)) return 'secret' in data ? SECRET : ((await vault.open(data)) ?? ERASED);
  if (Array.isArray(data)) return Promise.all(data.map((element) => openBoxes(element, vault)));
  const opened: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(data))
    opened[name] = typeof member === 'object' ? await openBoxes(member, vault) : member;
  return opened;
}
