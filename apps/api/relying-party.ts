import type { FastifyRequest } from 'fastify';
import type { RelyingParty } from '#requests/web-authn';

/** For whose pages passkeys are: those of PUBLIC_URL, else of this machine, which browsers know as `localhost`. */
export class RelyingParties {
  readonly #published: RelyingParty | undefined;

  constructor(publicUrl: string | undefined) {
    const { hostname: id, origin } = publicUrl === undefined ? {} : new URL(publicUrl);
    this.#published = id !== undefined && origin !== undefined ? { id, origin } : undefined;
  }

  /** The port is that of the connection: a program at the machine may send any Host. */
  of({ raw: { socket } }: FastifyRequest): RelyingParty {
    return this.#published ?? { id: 'localhost', origin: new URL(`http://localhost:${socket.localPort}`).origin };
  }
}
