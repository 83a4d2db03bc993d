// The packages that run with Leadger, as CycloneDX: `npm run --silent sbom > sbom.json`.
// npm writes it, but with `--omit=dev` it leaves out what is needed for tests, too (11.19: 62 packages, among them rxjs).
import { execFileSync } from 'node:child_process';
import { productionPackages } from './lockfile.ts';

interface Sbom {
  readonly metadata: { readonly component: { readonly 'bom-ref': string; name: string } };
  components: readonly { readonly 'bom-ref': string }[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const kept = new Set(productionPackages.map(({ id }) => id));
const parameters = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
const npm = process.env.npm_execpath;
if (npm === undefined) throw new Error('npm is not known: start it as `npm run sbom`');
const all: Sbom = JSON.parse(
  execFileSync(process.execPath, [npm, ...parameters], { encoding: 'utf8', maxBuffer: 2 ** 26 }),
);

const leadger = all.metadata.component;
// npm takes the name of the folder.
leadger.name = 'leadger';
all.components = all.components.filter((component) => kept.has(component['bom-ref']));
all.dependencies = all.dependencies
  .filter(({ ref }) => ref === leadger['bom-ref'] || kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((id) => kept.has(id)) }));
console.log(JSON.stringify(all, null, 2));
