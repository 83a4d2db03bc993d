import type { FastifyRequest } from 'fastify';
import type { RelyingParty } from '#requests/web-authn';

const BY_NUMBER = /^(127(\.\d{1,3}){3}|\[::1\])(?=:\d+$|$)/;

/** For whose pages passkeys are: those of PUBLIC_URL, else of this machine, which browsers know as `localhost`. */
export class RelyingParties {
  readonly #published: RelyingParty | undefined;

  constructor(publicUrl: string | undefined) {
    const { hostname: id, origin } = publicUrl === undefined ? {} : new URL(publicUrl);
    this.#published = id !== undefined && origin !== undefined ? { id, origin } : undefined;
  }

  of({ headers: { host = '' } }: FastifyRequest): RelyingParty {
    return this.#published ?? { id: 'localhost', origin: `http://${host.replace(BY_NUMBER, 'localhost')}` };
  }
}
