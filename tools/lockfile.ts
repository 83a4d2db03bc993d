// What package-lock.json says.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LockedPackage {
  /** Under which it is imported; an alias has another one in the registry. */
  readonly path: string;
  /** `name@version`, as in the registry. */
  readonly id: string;
  readonly version: string;
  readonly integrity?: string;
  /** An SPDX expression, if the package says one. */
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  /** Only building and testing need it. */
  readonly dev?: boolean;
  readonly os?: string;
  readonly cpu?: string;
  readonly libc?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
}

const text = readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8');
const entries: Record<string, LockedPackage & { readonly name?: string }> = JSON.parse(text).packages;

/** Those of all platforms, without Leadger itself. */
export const lockedPackages: readonly LockedPackage[] = Object.entries(entries)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({
    ...entry,
    path,
    id: `${entry.name ?? path.split('node_modules/').at(-1)}@${entry.version}`,
  }));

/** What `npm ci --omit=dev` installs, on one platform or another. */
export const productionPackages: readonly LockedPackage[] = lockedPackages.filter(({ dev }) => !dev);
