import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailed } from './command-failed.ts';

/** In the data directory: the key of a program, with which commands ask a store that runs and has members of staff. */
const KEY_FILE = 'api-key';

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly afterTrial?: string;
}

/**
 * Asks a program that runs a store at this machine. Without a key of a program, as whoever is at the machine in a trial.
 * @param actor as whom, in a trial
 * @throws CommandFailed
 */
export async function askServer(
  { url, directory, actor }: { readonly url: string; readonly directory: string; readonly actor: string },
  { path, headers, afterTrial, ...call }: Call,
): Promise<unknown> {
  const key = keyIn(directory);
  const who = key === undefined ? { 'leadger-actor': actor } : { authorization: `Bearer ${key}` };
  const response = await fetch(`${url}${path}`, { ...call, headers: { ...who, ...headers } }).catch((error: Error) => {
    throw new CommandFailed(`${url} cannot be reached: ${error.message}`);
  });
  if (response.ok) return response.json();
  const answer = await response.text();
  const hint = answer.includes('"actor-not-taken"')
    ? `; ${afterTrial ?? `put the key of a program (POST /api/api-keys) into ${join(directory, KEY_FILE)}`}`
    : '';
  throw new CommandFailed(`${url} answered ${response.status}: ${answer}${hint}`);
}

/** @throws CommandFailed when others can read it */
function keyIn(directory: string): string | undefined {
  const file = join(directory, KEY_FILE);
  if (!existsSync(file)) return undefined;
  if ((statSync(file).mode & 0o077) !== 0)
    throw new CommandFailed(`other users can open ${file}: its owner can stop that with: chmod 600 ${file}`);
  return readFileSync(file, 'utf8').trim();
}
