import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

// The programs are tested as built. A build that another spec file has started is waited for.
const built = spawnSync(process.execPath, ['tools/build.js', '--if-changed'], { stdio: 'inherit' });
if (built.status !== 0) throw new Error('the programs cannot be tested: they do not build');

/** Most of these programs run for a second or two, and would spend a third of it on compiling the same modules again. */
const compileCache = join(import.meta.dirname, '../../node_modules/.cache/programs');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One of our programs in its own process, as a user starts it. */
export class Program {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(
    name: 'standalone' | 'cli' | 'api' | 'worker',
    parameters: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    [standardOutput, standardError]: readonly ('pipe' | number)[] = [],
  ) {
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache, ...environment };
    // Without this, V8 optimizes the embedded database, which takes more time than these short runs save by it.
    const node = ['--liftoff-only', `dist/programs/${name}.js`];
    this.process = spawn(process.execPath, [...node, ...parameters], {
      env,
      stdio: ['pipe', standardOutput ?? 'pipe', standardError ?? 'pipe'],
    });
    this.process.stdout?.on('data', (text) => {
      this.stdout += text;
    });
    this.process.stderr?.on('data', (text) => {
      this.stderr += text;
    });
    this.ended = once(this.process, 'close').then(([code]) => ({ code, stdout: this.stdout, stderr: this.stderr }));
  }

  /** Waits until the standard output matches. @throws when the program ends without a match */
  async says(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.stdout);
      if (found) return found;
      const next = await Promise.race([once(this.process.stdout as NodeJS.ReadableStream, 'data'), this.ended]);
      if (!Array.isArray(next)) throw new Error(`the program ended with ${next.code}: ${next.stdout}${next.stderr}`);
    }
  }

  /** Ends it at once, without a chance to clean up, as a crash of the machine does. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null) return;
    this.process.kill('SIGKILL');
    await this.ended;
  }

  async stop(): Promise<Ended> {
    this.process.kill('SIGTERM');
    return this.ended;
  }
}

export const cli = (...parameters: string[]): Promise<Ended> => new Program('cli', parameters).ended;

/** Starts a store that listens on a free port. */
export async function serve(
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ program: Program; url: string }> {
  const program = new Program('standalone', ['--data', directory, '--port', '0'], environment);
  const [, url] = await program.says(/ready: (\S+)/);
  return { program, url: url as string };
}
