import { isBox, type Sealed } from '#domain/kernel/events';

/** What takes the place of a box. `path` names its field as the schemas do: `charge.token`, `subjects[]`. */
type Change = (box: Sealed, path: string) => Promise<unknown>;

/** The same data with every box changed. */
export async function changeBoxes(data: unknown, change: Change, path = ''): Promise<unknown> {
  if (typeof data !== 'object' || data === null) return data;
  if (isBox(data)) return change(data, path);
  if (Array.isArray(data)) return Promise.all(data.map((element) => changeBoxes(element, change, `${path}[]`)));
  const below = path && `${path}.`;
  const members = Object.entries(data).map(
    async ([name, member]) => [name, await changeBoxes(member, change, `${below}${name}`)] as const,
  );
  return Object.fromEntries(await Promise.all(members));
}
