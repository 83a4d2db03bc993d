// Builds the programs: `npm run build`. With `--if-changed`, as `npm start` and `npm run leadger` have it, only when the
// sources are not those of the last complete build. Contents are compared, not times: `git checkout` changes times freely.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...path) => join(root, ...path);
const STAMP = at('dist/.built');
const BUILDERS = ['tools/build.js', 'tools/bundle.js'];
const INTERRUPTED = 'interrupted';
const HOUR_MILLISECONDS = 3_600_000;

refuseOldNode();
const ifChanged = process.argv.includes('--if-changed');
// A Docker image has the built programs without their sources: there is nothing to build.
if (!existsSync(at('apps')) || (ifChanged && isBuilt())) process.exit(0);
process.exit(await buildAlone());

/** Where `npm ci` finds no Node.js among the optional packages, scripts run on that of the machine. An old one crashes at the first library. */
function refuseOldNode() {
  const { version, platform, arch } = process;
  const [oldest] = JSON.parse(readFileSync(at('package.json'), 'utf8')).engines.node.match(/\d+/);
  if (Number.parseInt(version.slice(1), 10) >= Number(oldest)) return;
  const complaint = `leadger: this is Node.js ${version.slice(1)}, but Leadger needs Node.js ${oldest} or newer`;
  console.error(`${complaint}, and \`npm ci\` found none for this machine (${platform} ${arch}): install one.`);
  process.exit(1);
}

/** When several programs start at once, one builds and the others wait for it. @returns the exit code */
async function buildAlone() {
  mkdirSync(at('dist'), { recursive: true });
  // The operating system releases this lock when its holder is killed.
  const { default: Database } = await import('better-sqlite3');
  const lock = new Database(at('dist/.build-lock'), { timeout: 0 });
  takeOrWait(lock);
  try {
    return ifChanged && isBuilt() ? 0 : build();
  } finally {
    lock.close();
  }
}

function takeOrWait(lock) {
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    if (error.code !== 'SQLITE_BUSY') throw error;
    console.error('another program is building Leadger: waiting for it');
    lock.pragma(`busy_timeout = ${HOUR_MILLISECONDS}`);
    lock.exec('BEGIN EXCLUSIVE');
  }
}

function build() {
  if (process.stderr.isTTY) console.error('building Leadger …');
  // Hashed before the compiler reads them: the next start builds what changes meanwhile.
  const sources = hashOfSources();
  // The compiler trusts its notes, but after an interruption its output may be older than they say.
  if (stamp() === INTERRUPTED) rmSync(at('dist/.tsbuildinfo'), { force: true });
  writeStamp(INTERRUPTED);
  const code =
    run(typescript(), '-p', at('tsconfig.build.json')) ||
    run(at('tools/bundle.js')) ||
    run(at('dist/libs/read-models/make-template.js'));
  if (code === 0) writeStamp(sources);
  else rmSync(STAMP);
  return code;
}

/** @returns the exit code */
function run(...parameters) {
  const { status, signal } = spawnSync(process.execPath, parameters, { cwd: root, stdio: ['ignore', 2, 2] });
  // A signal that ends the compiler ends the build too.
  if (signal) process.kill(process.pid, signal);
  return status ?? 1;
}

function typescript() {
  const require = createRequire(import.meta.url);
  return join(require.resolve('typescript-7/package.json'), '../bin/tsc');
}

function isBuilt() {
  return stamp() === hashOfSources();
}

function stamp() {
  return existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : undefined;
}

function writeStamp(text) {
  writeFileSync(`${STAMP}.new`, text);
  renameSync(`${STAMP}.new`, STAMP);
}

function hashOfSources() {
  const hash = createHash('sha256');
  // The bundles hold packages, too: those of the lockfile.
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...BUILDERS];
  for (const path of [...settings, ...filesIn('apps'), ...filesIn('libs')])
    hash
      .update(`${path}\0`)
      .update(readFileSync(at(path)))
      .update('\0');
  return hash.digest('hex');
}

function filesIn(directory) {
  const entries = readdirSync(at(directory), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'));
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(root.length)).sort();
}
