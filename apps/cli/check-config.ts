import { type ProgramName, type SettingName, settingNames, settingOf } from '#apps/configuration';
import { withoutPasswords } from '#domain/kernel/connection-string';
import { type Finding, findingsOf, kinds } from './configuration-findings.ts';
import { printJson, printLines } from './print.ts';

/** What one setting is, as it may be shown. */
interface ShownSetting {
  readonly name: SettingName;
  readonly from: 'environment' | 'default' | 'none';
  readonly value: string;
}

interface CheckOptions {
  readonly program: ProgramName;
  readonly env: NodeJS.ProcessEnv;
  readonly json?: boolean | undefined;
  /** What is unsafe counts as a failure, too. */
  readonly strict?: boolean | undefined;
}

/**
 * Says what a program would find in this environment. No server is asked, and nothing is opened.
 * @returns the exit code: 1 if something is wrong or missing; with `strict` also if something is unsafe
 */
export async function checkConfig({ program, env, json = false, strict = false }: CheckOptions): Promise<number> {
  const findings = await findingsOf({ program, env });
  const isWrong = new Set(findings.filter(({ kind }) => kind === 'wrong').map(({ name }) => name));
  const settings = settingNames
    .filter((name) => settingOf(name).programs.includes(program))
    .map((name) => shown(program, name, env[name], isWrong.has(name)));
  const isGood = !findings.some(({ kind }) => kind === 'wrong' || kind === 'missing' || (strict && kind === 'unsafe'));
  if (json) printJson({ program, isGood, settings, findings });
  else printLines(...linesOf(program, settings, findings));
  return isGood ? 0 : 1;
}

/** Of an address that is wrong nobody knows where its password stands. */
function shown(program: ProgramName, name: SettingName, written: string | undefined, isWrong: boolean): ShownSetting {
  const { usual, otherwise = '', holds, neededBy = [] } = settingOf(name);
  if (written !== undefined) {
    // A password is known by its place in an address, and only if it has no spaces and no quotes.
    const isHidden = holds === 'secret' || (holds === 'address' && (isWrong || /[\s"]/.test(written)));
    return { name, from: 'environment', value: isHidden ? '(set, and not shown)' : withoutPasswords(written) };
  }
  if (usual !== undefined) return { name, from: 'default', value: usual };
  return { name, from: 'none', value: neededBy.includes(program) ? `${program} does not start without it` : otherwise };
}

const inWords = { environment: 'set', default: 'default', none: 'not set' } as const;

function linesOf(program: ProgramName, settings: readonly ShownSetting[], findings: readonly Finding[]): string[] {
  const width = Math.max(...[...settings, ...findings].map(({ name }) => name.length));
  const count = (kind: Finding['kind']) => findings.filter((finding) => finding.kind === kind).length;
  return [
    `What ${program} is configured with:`,
    ...settings.map(({ name, from, value }) => `  ${inWords[from].padEnd(7)}  ${name.padEnd(width)}  ${plain(value)}`),
    ...(findings.length > 0 ? ['', 'What to look at:'] : []),
    ...findings.map(({ kind, name, says }) => `  ${kind.padEnd(7)}  ${name.padEnd(width)}  ${plain(says)}`),
    '',
    kinds.map((kind) => `${count(kind)} ${kind}`).join(', '),
  ];
}

/** Links of the reference are for its page only. */
const plain = (text: string): string => text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
