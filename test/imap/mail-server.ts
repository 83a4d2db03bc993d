import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import { freePort } from '../free-port.ts';
import { waitUntil } from '../wait-until.ts';

const DOVECOT = '/usr/sbin/dovecot';

/** `describe` where Debian's dovecot-imapd is installed, skipped where it is not. */
export const describeWithImap = existsSync(DOVECOT) ? describe : describe.skip;

export interface MailServer {
  readonly url: string;
  /** Puts a mail into the inbox, as a mail server does. */
  deliver(mail: string | Buffer, arrivedAt?: Date): Promise<void>;
  /** The flags of each mail in the inbox. */
  flags(): Promise<readonly (readonly string[])[]>;
  /** Takes the mark from all mails, as a crash between recording and marking leaves them. */
  unmark(): Promise<void>;
  /** The mailbox as a backup brings it back: all mails have new ids and no marks. Only while the server is shut down. */
  restore(): Promise<void>;
  /** Ends its processes. */
  shutDown(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const settings = (directory: string, port: number, [user, login]: readonly string[], mailUser: string) => `
protocols = imap
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = ${user}
default_login_user = ${login}
mail_location = maildir:${directory}/mail
first_valid_uid = 0
passdb {
  driver = static
  args = password=wombat
}
userdb {
  driver = static
  args = uid=${mailUser} gid=${mailUser} home=${directory}/home
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`;

/** A real IMAP server on loopback, with its files in a temporary directory. */
export async function startMailServer(): Promise<MailServer> {
  const directory = await mkdtemp(join(tmpdir(), 'leadger-imap-'));
  const port = await freePort();
  const own = userInfo();
  // Dovecot has no mail user with the rights of root.
  const other = own.uid === 0 ? { uid: 65_534, gid: 65_534 } : own;
  for (const name of ['mail', 'home']) {
    await mkdir(join(directory, name));
    await chown(join(directory, name), other.uid, other.gid);
  }
  const users = own.uid === 0 ? ['dovecot', 'dovenull'] : [own.username, own.username];
  await chmod(directory, 0o755);
  const file = join(directory, 'dovecot.conf');
  await writeFile(file, settings(directory, port, users, String(other.uid)));
  let server: ReturnType<typeof spawn> | undefined;
  const usingOnce = async <Result>(act: (client: ImapFlow) => Promise<Result>): Promise<Result> => {
    const client = new ImapFlow({
      ...{ host: '127.0.0.1', port, secure: false, logger: false },
      auth: { user: 'support', pass: 'wombat' },
    });
    await client.connect();
    try {
      await client.mailboxOpen('INBOX');
      return await act(client);
    } finally {
      // What was asked of the server is done. It may end the connection at any moment, also while it is left.
      await client.logout().catch(() => client.close());
    }
  };
  /** Asks again when the server ends the connection before it answers. Only for what may be asked twice. */
  const using = async <Result>(act: (client: ImapFlow) => Promise<Result>): Promise<Result> => {
    for (;;) {
      try {
        return await usingOnce(act);
      } catch (error) {
        if ((error as { code?: string }).code !== 'NoConnection') throw error;
      }
    }
  };
  const start = async () => {
    server = spawn(DOVECOT, ['-F', '-c', file], { stdio: 'ignore' });
    await waitUntil(() => usingOnce(async () => true).catch(() => false));
  };
  const shutDown = async () => {
    if (!server) return;
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
    server = undefined;
  };
  await start();
  return {
    url: `imap://support:wombat@127.0.0.1:${port}`,
    deliver: (mail, arrivedAt) => usingOnce(async (client) => void (await client.append('INBOX', mail, [], arrivedAt))),
    async restore() {
      const names = await readdir(join(directory, 'mail'));
      for (const name of names.filter((one) => one.startsWith('dovecot')))
        await rm(join(directory, 'mail', name), { recursive: true });
      const cur = join(directory, 'mail', 'cur');
      for (const name of await readdir(cur)) await rename(join(cur, name), join(cur, name.replace(/:2,.*$/, ':2,')));
    },
    flags: () =>
      using(async (client) => {
        const found = await client.fetchAll('1:*', { flags: true });
        return found.map(({ flags }) => [...(flags ?? [])].filter((flag) => flag !== '\\Recent'));
      }),
    unmark: () => using(async (client) => void (await client.messageFlagsRemove('1:*', ['$LeadgerTaken']))),
    start,
    shutDown,
    async stop() {
      await shutDown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
