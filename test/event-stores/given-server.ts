import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { freePort } from '#test/free-port';
import { waitUntil } from '#test/wait-until';

/**
 * `LEADGER_TEST_SERVER` is a command that starts a fresh EventStoreDB without TLS, which keeps its data as long as it runs;
 * `{port}` in it is the port that it listens on. It runs until its process is sent SIGTERM.
 */
const command = process.env.LEADGER_TEST_SERVER;

/** Whether tests that would start a node of ours use a server that the command starts. */
export const isServerGiven = process.env.LEADGER_TEST_EVENTS === 'server' && command !== undefined;

/** Its standard input is a pipe from this process. When that closes, or when the directory is gone, it ends the server. */
const WATCHDOG = `
eval "exec $1" < /dev/null &
server=$!
while [ -e "$2" ] && kill -0 "$server" 2> /dev/null; do
  read -rt 1
  [ $? -le 128 ] && break
done
kill "$server" 2> /dev/null
wait "$server"
`;

export interface GivenServer {
  readonly port: number;
  readonly connectionString: string;
  close(): Promise<void>;
}

/**
 * Starts a fresh server with an empty log.
 * @param directory the server ends when it is removed, and when this process ends
 */
export async function startGivenServer(directory: string, port?: number): Promise<GivenServer> {
  const listensOn = port ?? (await freePort());
  const started = (command as string).replaceAll('{port}', String(listensOn));
  const watched = ['-c', WATCHDOG, 'watchdog', started, directory];
  const watchdog = spawn('bash', watched, { stdio: ['pipe', 'ignore', 'ignore'] });
  // A server of a store that is still there does not keep the tests from ending: then it ends, too.
  watchdog.unref();
  (watchdog.stdin as Socket).unref();
  const ended = once(watchdog, 'exit');
  await waitUntil(() => watchdog.exitCode !== null || isHealthy(listensOn));
  if (watchdog.exitCode !== null) throw new Error(`the server ended that this command starts: ${started}`);
  return {
    port: listensOn,
    connectionString: `esdb://127.0.0.1:${listensOn}?tls=false`,
    async close() {
      watchdog.ref();
      watchdog.stdin.end();
      // It may have ended before: a test that takes its server away closes it twice.
      await ended;
    },
  };
}

const isHealthy = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );
