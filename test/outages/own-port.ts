import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below the ports that systems give to connections: nobody gets one of them by chance while a node is away. */
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 31_998;

/** A port that a node may leave and take again. No other run of these tests gets it meanwhile. */
export interface OwnPort {
  readonly port: number;
  release(): Promise<void>;
}

/**
 * The port above it is held as long as this one is used: it says to other runs that both are taken. Programs of another run
 * that meet a node of this one write into its log.
 */
export async function ownPort(choose = randomPort): Promise<OwnPort> {
  for (;;) {
    const port = choose();
    const claim = await listening(port + 1);
    const itself = claim && (await listening(port));
    await (itself ? closed(itself) : claim && closed(claim));
    if (claim && itself) return { port, release: () => closed(claim) };
  }
}

const randomPort = (): number => LOWEST_PORT + 2 * randomInt((HIGHEST_PORT - LOWEST_PORT) / 2);

/** Undefined where somebody else listens. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
