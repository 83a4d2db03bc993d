import { isBox } from '#domain/kernel/events';
import type { Vault } from '#vault/vault';

/** What stands in the place of personal data whose owner was erased. */
export const ERASED = { erased: true } as const;

/** What stands in the place of what opens doors. */
export const SECRET = { secret: true } as const;

/** The same data with every sealed box opened, or marked as erased where its key is gone. Secrets stay closed. */
export async function openBoxes(data: unknown, vault: Pick<Vault, 'open'>): Promise<unknown> {
  if (typeof data !== 'object' || data === null) return data;
  if (isBox(data)) return 'secret' in data ? SECRET : ((await vault.open(data)) ?? ERASED);
  if (Array.isArray(data)) return Promise.all(data.map((item) => openBoxes(item, vault)));
  const opened: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(data))
    opened[name] = typeof member === 'object' ? await openBoxes(member, vault) : member;
  return opened;
}
