import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npm run rules`: runs the acceptance tests and prints each rule of docs/rules.md with the number of its passing tests,
 * those whose titles begin with its id. The exit code is 1 when a rule has no passing test, or when a test fails.
 */
const RULE = /^\| ([A-Z]{3}-\d+) \| (.*) \|$/;
const rules = readFileSync('docs/rules.md', 'utf8')
  .split('\n')
  .flatMap((line) => (RULE.test(line) ? [RULE.exec(line) as RegExpExecArray] : []))
  .map(([, id, rule]) => ({ id: id as string, rule: rule as string }));

interface Report {
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly { assertionResults: readonly { title: string; status: string }[] }[];
}

const reportFile = join(mkdtempSync(join(tmpdir(), 'leadger-rules-')), 'report.json');
spawnSync('npm', ['test', '--', 'test/acceptance', '--json', `--outputFile=${reportFile}`], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
const passed = report.testResults
  .flatMap(({ assertionResults }) => assertionResults)
  .filter(({ status }) => status === 'passed');

const WIDTH = 90;
const counted = rules.map(({ id, rule }) => {
  const tests = passed.filter(({ title }) => new RegExp(`^(?:[A-Z]{3}-\\d+, )*${id}\\b`).test(title)).length;
  const words = rule.length > WIDTH ? `${rule.slice(0, WIDTH - 1)}…` : rule;
  console.log(`${id.padEnd(8)}${String(tests).padStart(3)}  ${words}`);
  return { id, tests };
});
const without = counted.filter(({ tests }) => tests === 0).map(({ id }) => id);
const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
console.log(`${rules.length - without.length} of ${rules.length} rules have passing tests`);
if (without.length > 0) console.log(`none: ${without.join(', ')}`);
if (failed > 0) console.log(`${failed} tests fail`);
process.exitCode = without.length + failed > 0 ? 1 : 0;
