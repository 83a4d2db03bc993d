import { AccessDenied } from './status.ts';

/** What a test takes from every account, as access lists do on a server. `$all` is the log. */
export interface Denied {
  readonly reads?: readonly string[];
  readonly appends?: readonly string[];
}

/** Refuses what is denied at that moment. Subscriptions that are open go on, as on a server. */
export class Denials {
  #denied: Denied = {};

  deny(denied: Denied): void {
    this.#denied = denied;
  }

  /** @throws AccessDenied */
  checkRead(stream = '$all'): void {
    if (this.#denied.reads?.includes(stream)) throw new AccessDenied('Access Denied');
  }

  /** @throws AccessDenied */
  checkAppend(stream: string): void {
    if (this.#denied.appends?.includes(stream)) throw new AccessDenied('Access Denied');
  }
}
