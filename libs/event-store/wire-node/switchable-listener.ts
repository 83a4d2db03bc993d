import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from './cluster-member.ts';

interface Connection {
  readonly client: Socket;
  readonly node: Socket;
}

/**
 * Stands between clients and a node, and can be frozen, as a process that is stopped: connections are accepted, but no
 * byte passes; or closed, as a process that has ended.
 */
export class SwitchableListener {
  readonly #target: Address;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #frozen = false;
  #port = 0;

  static async open(target: Address): Promise<SwitchableListener> {
    const listener = new SwitchableListener(target);
    await listener.#listen();
    return listener;
  }

  private constructor(target: Address) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    if (!this.#server) await this.#listen();
    if (this.#frozen) for (const connection of this.#connections) pass(connection);
    this.#frozen = false;
  }

  async freeze(): Promise<void> {
    if (!this.#server) await this.#listen();
    this.#frozen = true;
    for (const connection of this.#connections) hold(connection);
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#frozen = false;
    for (const { client, node } of this.#connections) {
      client.resetAndDestroy();
      node.destroy();
    }
    server.close();
    await once(server, 'close');
  }

  async #listen(): Promise<void> {
    this.#server = createServer((client) => this.#accept(client));
    this.#server.listen(this.#port, this.#target.host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as { port: number }).port;
  }

  #accept(client: Socket): void {
    const connection = { client, node: connect(this.#target.port, this.#target.host) };
    this.#connections.add(connection);
    const end = () => {
      this.#connections.delete(connection);
      client.destroy();
      connection.node.destroy();
    };
    for (const socket of [client, connection.node]) socket.on('close', end).on('error', end);
    if (this.#frozen) hold(connection);
    else pass(connection);
  }
}

function pass({ client, node }: Connection): void {
  client.pipe(node).pipe(client);
}

function hold({ client, node }: Connection): void {
  client.unpipe(node).pause();
  node.unpipe(client).pause();
}
