import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Assertion, CreationOptions, NewCredential, RequestOptions } from '#requests/web-authn';
import type { Server } from '#test/e2e/server';

const sha256 = (bytes: string | Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** CBOR (RFC 8949), of what an authenticator writes. */
function cbor(value: number | string | Buffer | ReadonlyMap<number | string, unknown>): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const members = [...value].flatMap(([name, member]) => [cbor(name), cbor(member as Buffer)]);
  return Buffer.concat([head(5, value.size), ...members]);
}

function head(kind: number, size: number): Buffer {
  const first = kind << 5;
  if (size < 24) return Buffer.from([first | size]);
  if (size < 256) return Buffer.from([first | 24, size]);
  return Buffer.from([first | 25, size >> 8, size & 255]);
}

const FLAGS = { isPresent: 1, isVerified: 4, isBackupEligible: 8, isBackedUp: 16, hasCredential: 64 };

/** What it may do wrong. */
export interface Wrong {
  readonly origin?: string;
  readonly party?: string;
  readonly counter?: number;
  readonly isVerified?: boolean;
  readonly isBackupEligible?: boolean;
  readonly crossOrigin?: boolean;
  readonly challenge?: string;
  readonly userHandle?: string;
  readonly format?: ReadonlyMap<string, unknown>;
}

/** Of the server of a test: browsers know it as `localhost`. */
export const originOf = ({ url }: Pick<Server, 'url'>): string => url.replace('127.0.0.1', 'localhost');

/** A passkey in software: ES256, without a statement about who made it. */
export class SoftwarePasskey {
  readonly id = randomBytes(16);
  readonly #key: KeyObject;
  readonly #publicKey: Buffer;
  readonly #origin: string;
  #party = '';
  #account = '';
  /** 0: it does not count, like passkeys on several devices. */
  counter: number;

  constructor(server: Pick<Server, 'url'>, counter = 0) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    this.#key = privateKey;
    const [kind, algorithm, curve] = [2, -7, 1];
    this.#publicKey = cbor(
      new Map<number, number | Buffer>([
        ...([
          [1, kind],
          [3, algorithm],
          [-1, curve],
        ] as const),
        ...([
          [-2, Buffer.from(x, 'base64url')],
          [-3, Buffer.from(y, 'base64url')],
        ] as const),
      ]),
    );
    this.#origin = originOf(server);
    this.counter = counter;
  }

  /** `navigator.credentials.create`. */
  create({ rp, user, challenge }: CreationOptions, wrong: Wrong = {}): NewCredential {
    this.#party = rp.id;
    this.#account = user.id;
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, this.#publicKey]);
    const authData = Buffer.concat([this.#data(FLAGS.hasCredential, wrong), credential]);
    const statement =
      wrong.format ??
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
      ]);
    const attestationObject = cbor(new Map<string, unknown>([...statement, ['authData', authData]]));
    return {
      ...this.#named(),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', challenge, wrong).toString('base64url'),
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal'],
      },
    };
  }

  /** `navigator.credentials.get`. */
  get({ challenge }: RequestOptions, wrong: Wrong = {}): Assertion {
    if (this.counter > 0) this.counter += 1;
    const clientData = this.#clientData('webauthn.get', challenge, wrong);
    const authenticatorData = this.#data(0, wrong);
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientData)]), this.#key);
    return {
      ...this.#named(),
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authenticatorData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: wrong.userHandle ?? this.#account,
      },
    };
  }

  #named() {
    const id = this.id.toString('base64url');
    const made = { authenticatorAttachment: 'platform', clientExtensionResults: {} };
    return { id, rawId: id, type: 'public-key' as const, ...made };
  }

  #clientData(type: string, challenge: string, wrong: Wrong): Buffer {
    const { origin = this.#origin, crossOrigin = false } = wrong;
    return Buffer.from(JSON.stringify({ type, challenge: wrong.challenge ?? challenge, origin, crossOrigin }));
  }

  #data(more: number, { party = this.#party, isVerified = true, isBackupEligible = false, ...wrong }: Wrong): Buffer {
    const flags =
      FLAGS.isPresent |
      (isVerified ? FLAGS.isVerified : 0) |
      (isBackupEligible ? FLAGS.isBackupEligible | FLAGS.isBackedUp : 0) |
      more;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(wrong.counter ?? this.counter);
    return Buffer.concat([sha256(party), Buffer.from([flags]), counter]);
  }
}
