// Are the packages that run with Leadger licensed for us? `npm run licences` counts their licences, and fails at one that is not allowed.
import { type LockedPackage, productionPackages } from './lockfile.ts';

/** Permissive: they ask for their text, and for nothing of what is made with them. As SPDX names them. */
const ALLOWED = '0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause Bitstream-Vera BlueOak-1.0.0 ISC MIT MIT-0 Python-2.0'.split(
  ' ',
);

/** What the manifest of a package does not say in SPDX, and its files do. Another version must be read again. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  // Bitstream Vera and Arev: free to use and to bundle, not to be sold by themselves.
  'dejavu-fonts-ttf@2.37.3': 'Bitstream-Vera',
  'png-js@2.0.0': 'MIT',
};

export const licenceOf = ({ id, license }: LockedPackage): string => READ_BY_HAND[id] ?? license ?? 'none is named';

/** An expression without parentheses inside: one side of an OR is enough, and both sides of an AND are needed. */
export function isAllowed(licence: string): boolean {
  const alternatives = licence.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return alternatives.some((all) => all.split(' AND ').every((one) => ALLOWED.includes(one)));
}

export const notAllowed = (packages: readonly LockedPackage[]): string[] =>
  packages.filter((one) => !isAllowed(licenceOf(one))).map((one) => `${one.id}: ${licenceOf(one)}`);

if (import.meta.main) {
  const byLicence = Object.entries(Object.groupBy(productionPackages, licenceOf));
  for (const [licence, packages = []] of byLicence.sort())
    console.log(`${String(packages.length).padStart(5)}  ${licence}`);
  const refused = notAllowed(productionPackages);
  for (const line of refused) console.error(`not allowed: ${line}`);
  process.exitCode = refused.length > 0 ? 1 : 0;
}
