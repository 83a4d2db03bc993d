import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../free-port.ts';
import { waitUntil } from '../wait-until.ts';

export interface Cluster {
  /** Connection URL of the superuser. */
  readonly url: string;
  /** Where its certificate, its settings and its files are. */
  readonly data: string;
  /** Ends its first process, as a lack of memory does. Its other processes end themselves. */
  kill(): Promise<void>;
  /** Ends it as an administrator does: `fast` breaks connections off, `immediate` also leaves a recovery to the next start. */
  shutDown(how: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
  /** All its processes stand still: connections are accepted, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Stops the server at once and removes its files. This also happens when this process ends or crashes. */
  stop(): void;
}

const DEBIAN = '/usr/lib/postgresql';

/** Its standard input is a pipe from this process. When that closes, it ends the server and removes the files. */
const WATCHDOG = `
cat > /dev/null
server=$(head -1 "$1/data/postmaster.pid" 2> /dev/null)
[ -n "$server" ] && kill -CONT "$server" 2> /dev/null
[ -n "$server" ] && kill -QUIT "$server" 2> /dev/null
for moment in $(seq 100); do kill -0 "$server" 2> /dev/null || break; sleep 0.1; done
rm -rf "$1"
`;

/** Starts a PostgreSQL server on loopback, with its files in a temporary directory. */
export async function startCluster(): Promise<Cluster> {
  const programs = directoryOfPrograms() as string;
  const directory = mkdtempSync(join(tmpdir(), 'leadger-postgres-'));
  const user = unprivilegedUser();
  if (user) chownSync(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  const options = { ...user, cwd: directory };
  const how = ['-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
  await promisify(execFile)(join(programs, 'initdb'), ['-D', data, ...how], options);
  const port = await freePort();
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${directory}`];
  const parameters = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  // Detached from the terminal: Ctrl-C ends the tests, and then the watchdog ends the server.
  const apart = { ...options, detached: true } as const;
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const watched = ['-c', WATCHDOG, 'watchdog', directory];
  const watchdog = spawn('sh', watched, { ...apart, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  watchdog.unref();
  let server = await startServer();

  async function startServer(): Promise<ChildProcess> {
    // After a crash, the memory of the one before is in use until its last process has ended.
    for (;;) {
      const started = spawn(join(programs, 'postgres'), parameters, { ...apart, stdio: 'ignore' });
      started.unref();
      await waitUntil(async () => started.exitCode !== null || (await answers(url)));
      if (started.exitCode === null) return started;
      if (!existsSync(join(data, 'postmaster.pid'))) throw new Error(`PostgreSQL ended with ${started.exitCode}`);
      await pause(100);
    }
  }
  const end = async (signal: NodeJS.Signals) => {
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  return {
    url,
    data,
    kill: () => end('SIGKILL'),
    shutDown: (how) => end(how === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    async start() {
      server = await startServer();
    },
    freeze: () => signalAll(server, 'SIGSTOP'),
    thaw: () => signalAll(server, 'SIGCONT'),
    stop: () => watchdog.stdin.end(),
  };
}

/** The first process is the leader of their session, not of their groups. */
function signalAll({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const one of [pid, ...children.filter((text) => text !== '')]) process.kill(Number(one), signal);
}

const answers = (url: string): Promise<boolean> => {
  const client = new Client(url);
  const connected = client.connect().then(
    () => true,
    () => false,
  );
  return connected.finally(() => client.end().catch(() => {}));
};

/** The newest version installed by Debian's packages. */
export function directoryOfPrograms(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(DEBIAN, version, 'bin')).find((path) => existsSync(join(path, 'initdb')));
}

/** PostgreSQL refuses to run as root. For root, it runs as the user that its package created. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: idOf('-u'), gid: idOf('-g') };
}
