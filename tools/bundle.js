// Puts what the compiled programs load into few files, dist/programs (ADR 64): a start spent most of its time on finding and opening
// three thousand modules. What is loaded by `import()` stays in files of its own, which are loaded when it is used.
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'dist');
const bundles = join(compiled, 'programs');
const WEEK_MILLISECONDS = 7 * 24 * 3_600_000;

const programs = ['standalone', 'api', 'worker', 'cli'];
/**
 * These stay where they are: with native code, with WebAssembly, with files that they read, or loaded by Nest with `import()`, which must get
 * the same class-validator as our bodies.
 */
const external = ['better-sqlite3', '@electric-sql/*', 'pdfkit', 'fontkit', 'class-validator', 'class-transformer'];

/** What `npm ci --omit=dev` leaves out: programs say themselves what they miss, or go on without it. */
function ofDevelopment() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const namesWhere = (isDev) =>
    Object.entries(packages)
      .filter(([path, { dev = false }]) => path !== '' && dev === isDev)
      .map(([path]) => path.split('node_modules/').at(-1));
  const ofProduction = new Set(namesWhere(false));
  return [...new Set(namesWhere(true))].filter((name) => !ofProduction.has(name));
}

/** What each file begins with: packages may `require`, and modules know where they were. */
const BANNER = `import { createRequire as $createRequire } from 'node:module';
import { join as $join } from 'node:path';
import { pathToFileURL as $pathToFileURL } from 'node:url';
const require = $createRequire(import.meta.url);
const $placeOf = (path) => $join(import.meta.dirname, '../..', path);`;

/** Threads and data files are found beside the module that names them, as without a bundle. */
function withItsPlace(text, path) {
  const file = `$placeOf(${JSON.stringify(path)})`;
  const directory = `$placeOf(${JSON.stringify(path.slice(0, path.lastIndexOf('/')))})`;
  return text
    .replace(/\bimport\.meta\.url\b/g, `$pathToFileURL(${file}).href`)
    .replace(/\bimport\.meta\.dirname\b|\b__dirname\b/g, directory)
    .replace(/\bimport\.meta\.filename\b|\b__filename\b/g, file);
}

/**
 * Where two modules of a file have classes of one name, esbuild renames one of them; but schemas of the API and errors in the log have the
 * names of their classes. Its own `keepNames` names each function, too, whenever one is created: that takes time as long as a program runs.
 */
function namesOfClasses(text) {
  const names = [...text.matchAll(/^(?:export )?(?:default )?(?:let \w+ = )?class (\w+)/gm)].map(([, name]) => name);
  return names.map((name) => `\nObject.defineProperty(${name}, 'name', { value: '${name}' });`).join('');
}

const modules = {
  name: 'modules',
  setup({ onLoad, onResolve }) {
    // Esbuild loses the named exports of a CommonJS package there. Node loads these when they are used, if they are installed.
    onResolve({ filter: /^[^./#]/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
    onLoad({ filter: /\.[cm]?js$/ }, ({ path }) => {
      const text = withItsPlace(readFileSync(path, 'utf8'), relative(root, path).split(sep).join('/'));
      return { contents: path.startsWith(join(compiled, sep)) ? text + namesOfClasses(text) : text };
    });
  },
};

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(programs.map((name) => [name, join(compiled, `apps/${name}/main.js`)])),
  outdir: bundles,
  // Beside the programs, so that all files have the same way to the root.
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: [...external, ...ofDevelopment()],
  plugins: [modules],
  banner: { js: BANNER },
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
});

// A program that runs meanwhile may still load parts of the build before.
const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of readdirSync(bundles)) {
  const path = join(bundles, name);
  if (!written.has(name) && statSync(path).mtimeMs < Date.now() - WEEK_MILLISECONDS) rmSync(path);
}
