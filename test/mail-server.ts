import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail server on loopback. Its behaviour may be changed while it runs. */
export interface MailServer {
  readonly url: string;
  readonly port: number;
  /** The text of each mail that reached it, whatever it answered. */
  readonly received: string[];
  /** All connections so far, and the most at one time. */
  readonly connections: { total: number; open: number; most: number };
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

interface Behaviour {
  /** Called for each recipient. @returns the status of a refusal */
  readonly answer?: (address: string) => Promise<number | undefined> | number | undefined;
  /** What it says to that. */
  readonly words?: string;
  /** It takes the whole mail, and drops the line without an answer. */
  readonly dropsTheLine?: boolean;
  /** It takes the whole mail, and says nothing until then. */
  readonly hangsUntil?: Promise<unknown>;
}

const refusal = (responseCode: number, words = 'not now') => Object.assign(new Error(words), { responseCode });

export async function startMailServer(behaviour: Behaviour = {}, options: SMTPServerOptions = {}): Promise<MailServer> {
  let present = behaviour;
  const received: string[] = [];
  const connections = { total: 0, open: 0, most: 0 };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    async onRcptTo({ address }, _, done) {
      const status = await present.answer?.(address);
      done(status === undefined ? undefined : refusal(status, present.words));
    },
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (part: Buffer) => {
        text += part;
      });
      stream.on('end', async () => {
        received.push(text);
        await present.hangsUntil;
        if (!present.dropsTheLine) return done();
        for (const connection of server.connections)
          if (connection.session.id === session.id) connection._socket.destroy();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  server.server.on('connection', (socket) => {
    connections.total += 1;
    connections.open += 1;
    connections.most = Math.max(connections.most, connections.open);
    socket.on('close', () => {
      connections.open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    received,
    connections,
    behave(changed) {
      present = changed;
    },
    stop: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
