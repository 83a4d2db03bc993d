import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { formsOfPassword } from '#domain/accounts/password';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { callsInTurn } from '#event-store/in-turn';

const derive = promisify(argon2);

/**
 * Hashing runs in the threads with which Node also reads files and looks up names, so most of them stay free; and so does a
 * processor for all else.
 */
const AT_ONCE = Math.min(2, Math.max(1, availableParallelism() - 1));
/** They wait about a second or two. Who comes after them would wait until its client has given up. */
const MOST_WAITING = 48;

export class TooManyPasswords extends LeadgerError {
  constructor() {
    super('too-many-passwords', 'too many passwords are being checked now');
  }
}

const inTurn = callsInTurn(AT_ONCE);
let admitted = 0;

/** @throws TooManyPasswords */
async function whenItsTurnComes<Result>(hashing: () => Promise<Result>): Promise<Result> {
  if (admitted >= AT_ONCE + MOST_WAITING) throw new TooManyPasswords();
  admitted += 1;
  try {
    return await inTurn(hashing);
  } finally {
    admitted -= 1;
  }
}

/** Argon2id. About 30 ms and 19 MiB for each password, so that guessing is expensive (OWASP's first recommendation). */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const TAG_BYTES = 32;

/** The stored value for checking a password. It contains its cost, so that the cost can be raised later. */
export interface Verifier {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: string;
  readonly tag: string;
}

/** @throws TooManyPasswords */
export const verifierOf = (password: string): Promise<Verifier> => whenItsTurnComes(() => hashed(password));

async function hashed(password: string): Promise<Verifier> {
  const nonce = randomBytes(16);
  const [message] = formsOfPassword(password);
  const tag = await derive('argon2id', { message, nonce, tagLength: TAG_BYTES, ...cost });
  return { ...cost, salt: nonce.toString('base64'), tag: tag.toString('base64') };
}

/**
 * Whether a password, in any of its forms, is the one of a verifier. Without a verifier nothing matches, but the check takes
 * equally long.
 * @throws TooManyPasswords
 */
export const matches = (password: string, verifier: Verifier | undefined): Promise<boolean> =>
  whenItsTurnComes(() => compared(password, verifier));

async function compared(password: string, verifier: Verifier | undefined): Promise<boolean> {
  const { salt, tag, ...itsCost } = verifier ?? decoy;
  const expected = Buffer.from(tag, 'base64');
  const parameters = { nonce: Buffer.from(salt, 'base64'), tagLength: expected.length, ...itsCost };
  let equal = false;
  for (const message of formsOfPassword(password))
    if (timingSafeEqual(await derive('argon2id', { message, ...parameters }), expected)) equal = true;
  return equal && verifier !== undefined;
}

const zeros = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
const decoy: Verifier = { ...cost, salt: zeros(16), tag: zeros(TAG_BYTES) };
