import { generateKeyPairSync } from 'node:crypto';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers';
import { z } from 'zod';

/** Whom passkeys are for: browsers use them only on its pages (WebAuthn level 3). */
export interface RelyingParty {
  /** Its host, without a port. */
  readonly id: string;
  /** Of its pages. */
  readonly origin: string;
}

/** How long somebody may take to sign a challenge. */
export const CHALLENGE_SECONDS = 5 * 60;

const MOST_OF_ID = 1400;
const base64url = (most: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(most);
const bytes = (most: number, description: string) => base64url(most).describe(description);

/** What browsers make of a credential (`toJSON`), besides the signed parts. Nothing of it is believed. */
const unsigned = {
  type: z.literal('public-key').describe('Always public-key.'),
  authenticatorAttachment: z.string().max(50).nullish().describe('Where the passkey is, as the browser says.'),
  clientExtensionResults: z.record(z.string(), z.unknown()).optional().describe('Not read.'),
};
const ids = {
  id: bytes(MOST_OF_ID, 'The id of the passkey.'),
  rawId: bytes(MOST_OF_ID, 'The same.'),
};
const clientDataJSON = bytes(4000, 'What the browser signed: the challenge, and the origin of the page.');
const transports = z.array(z.string().max(50)).max(10);

/** The answer of `navigator.credentials.create`, as `toJSON` writes it. */
export const newCredential = z.strictObject({
  ...ids,
  ...unsigned,
  response: z
    .strictObject({
      clientDataJSON,
      attestationObject: bytes(12_000, 'The public key of the passkey.'),
      transports: transports.optional().describe('How it can be reached.'),
      authenticatorData: bytes(12_000, 'Not read.').optional(),
      publicKey: base64url(4000).nullish().describe('Not read.'),
      publicKeyAlgorithm: z.int().optional().describe('Not read.'),
    })
    .describe('What was made.'),
});
export type NewCredential = z.infer<typeof newCredential>;

/** The answer of `navigator.credentials.get`, as `toJSON` writes it. */
export const assertion = z.strictObject({
  ...ids,
  ...unsigned,
  response: z
    .strictObject({
      clientDataJSON,
      authenticatorData: bytes(4000, 'The counter, and that a person was verified.'),
      signature: bytes(4000, 'By the passkey.'),
      userHandle: base64url(200).nullish().describe('The account, as the passkey remembers it.'),
      attestationObject: base64url(12_000).nullish().describe('Not read.'),
    })
    .describe('What it signed.'),
});
export type Assertion = z.infer<typeof assertion>;

/** With what the signatures of a passkey are checked. */
export interface Credential {
  readonly credentialId: string;
  /** COSE, base64url. */
  readonly publicKey: string;
  readonly transports: readonly string[];
}

const descriptor = z.object({
  id: z.string().describe('The id of a passkey.'),
  type: z.literal('public-key').describe('Always public-key.'),
  transports: z.array(z.string()).describe('How it can be reached.'),
});
const challengeField = z.string().describe('To be signed, once, in the next five minutes.');
const timeout = z.int().describe('Milliseconds.');
const userVerification = z.literal('required').describe('A passkey stands for two factors.');

/** For `PublicKeyCredential.parseCreationOptionsFromJSON`. */
export const creationOptions = z
  .object({
    rp: z
      .object({ id: z.string().describe('The host of the pages.'), name: z.string().describe('Of the store.') })
      .describe('For whose pages the passkey is.'),
    user: z
      .object({
        id: z.string().describe('The id of the account, base64url.'),
        name: z.string().describe('The address of the account.'),
        displayName: z.string().describe('The same.'),
      })
      .describe('Whose passkey it will be.'),
    challenge: challengeField,
    pubKeyCredParams: z
      .array(
        z.object({
          type: z.literal('public-key').describe('Always public-key.'),
          alg: z.int().describe('As COSE numbers it.'),
        }),
      )
      .describe('With what it may sign.'),
    timeout,
    excludeCredentials: z.array(descriptor).describe('Those that the account has already.'),
    authenticatorSelection: z
      .object({
        residentKey: z.literal('required').describe('It finds the account by itself.'),
        requireResidentKey: z.literal(true).describe('The same, for older browsers.'),
        userVerification,
      })
      .describe('What the passkey must do.'),
    attestation: z.literal('none').describe('Whoever made it is not asked.'),
  })
  .meta({ id: 'PasskeyCreationOptions' });
export type CreationOptions = z.infer<typeof creationOptions>;

/** For `PublicKeyCredential.parseRequestOptionsFromJSON`. */
export const requestOptions = z
  .object({
    challenge: challengeField,
    timeout,
    rpId: z.string().describe('The host of the pages.'),
    allowCredentials: z
      .array(descriptor)
      .describe('Those of whoever asks. Empty at a sign-in: the passkey finds the account by itself.'),
    userVerification,
  })
  .meta({ id: 'PasskeyRequestOptions' });
export type RequestOptions = z.infer<typeof requestOptions>;

const EDDSA = -8;
const ES256 = -7;
const RS256 = -257;
const ALGORITHMS = [ES256, EDDSA, RS256];

const timeoutMilliseconds = CHALLENGE_SECONDS * 1000;

const descriptorsOf = (credentials: readonly Credential[]) =>
  credentials.map(({ credentialId: id, transports }) => ({
    ...{ id, type: 'public-key' as const, transports: [...transports] },
  }));

interface ForCreation {
  readonly party: RelyingParty;
  readonly storeName: string;
  readonly accountId: string;
  readonly accountName: string;
  readonly challenge: string;
  readonly known: readonly Credential[];
}

export const creationOptionsFor = (given: ForCreation): CreationOptions => ({
  rp: { id: given.party.id, name: given.storeName },
  user: {
    id: isoBase64URL.fromUTF8String(given.accountId),
    name: given.accountName,
    displayName: given.accountName,
  },
  challenge: given.challenge,
  pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
  timeout: timeoutMilliseconds,
  excludeCredentials: descriptorsOf(given.known),
  authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  attestation: 'none',
});

export const requestOptionsFor = (
  { id: rpId }: RelyingParty,
  challenge: string,
  known: readonly Credential[],
): RequestOptions => ({
  ...{ challenge, rpId, timeout: timeoutMilliseconds, userVerification: 'required' },
  allowCredentials: descriptorsOf(known),
});

/** The account that a passkey names. */
export const accountIdIn = ({ response: { userHandle } }: Assertion): string =>
  isoBase64URL.toUTF8String(userHandle ?? '');

const clientData = z.object({ challenge: z.string(), crossOrigin: z.boolean().optional() });

/** @returns undefined for what is none, or was made in a page inside a page of another site */
function challengeIn({ response: { clientDataJSON } }: NewCredential | Assertion): string | undefined {
  try {
    const { challenge, crossOrigin } = clientData.parse(JSON.parse(isoBase64URL.toUTF8String(clientDataJSON)));
    return crossOrigin ? undefined : challenge;
  } catch {
    return undefined;
  }
}

/** Whether the challenge was given for this use, and was not taken before: then it is taken. */
export type TakeChallenge = (challenge: string) => Promise<boolean>;

interface Verified {
  readonly counter: number;
  /** It may be on several devices. It never changes. */
  readonly isBackupEligible: boolean;
  /** It is. */
  readonly isBackedUp: boolean;
}

/** What cannot be checked is wrong. A challenge is taken before, so that one is good for one attempt. */
async function verified<Answer>(
  response: NewCredential | Assertion,
  takeChallenge: TakeChallenge,
  verify: (expectedChallenge: string) => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const challenge = challengeIn(response);
  if (challenge === undefined || !(await takeChallenge(challenge))) return undefined;
  return verify(challenge).catch(() => undefined);
}

const expected = ({ id, origin }: RelyingParty, expectedChallenge: string) => ({
  ...{ expectedChallenge, expectedOrigin: origin, expectedRPID: id, requireUserVerification: true },
});

/**
 * A statement about whoever made the passkey was not asked for, and is not read: the library would follow addresses in its
 * certificates. A passkey may sign for itself.
 */
function hasCertificate({ response: { attestationObject } }: NewCredential): boolean {
  const statement = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
  const format = statement.get('fmt');
  return format !== 'none' && (format !== 'packed' || statement.get('attStmt').get('x5c') !== undefined);
}

/** @returns undefined for one that did not sign this challenge, on a page of this party, by a verified person */
export const verifiedCredential = (
  response: NewCredential,
  party: RelyingParty,
  takeChallenge: TakeChallenge,
): Promise<(Verified & { readonly credential: Credential }) | undefined> =>
  verified(response, takeChallenge, async (challenge) => {
    if (hasCertificate(response)) return undefined;
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as Parameters<typeof verifyRegistrationResponse>[0]['response'],
      ...expected(party, challenge),
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (registrationInfo?.credential.id !== response.id) return undefined;
    const { id: credentialId, publicKey, counter } = registrationInfo.credential;
    const credential = {
      ...{ credentialId, publicKey: isoBase64URL.fromBuffer(publicKey) },
      transports: response.response.transports ?? [],
    };
    return { credential, ...stateOf(counter, registrationInfo) };
  });

/** @param credential of the passkey; undefined: it is not known, and the work is the same */
export const verifiedAssertion = (
  response: Assertion,
  party: RelyingParty,
  credential: Credential | undefined,
  takeChallenge: TakeChallenge,
): Promise<Verified | undefined> =>
  verified(response, takeChallenge, async (challenge) => {
    const { verified: isRight, authenticationInfo } = await verifyAuthenticationResponse({
      response: response as Parameters<typeof verifyAuthenticationResponse>[0]['response'],
      ...expected(party, challenge),
      // Whoever asks compares the counter: it is kept for all programs together.
      credential: {
        id: response.id,
        publicKey: isoBase64URL.toBuffer(credential?.publicKey ?? nobodysKey),
        counter: 0,
      },
    });
    return isRight && credential ? stateOf(authenticationInfo.newCounter, authenticationInfo) : undefined;
  });

const stateOf = (
  counter: number,
  { credentialDeviceType, credentialBackedUp }: { credentialDeviceType: string; credentialBackedUp: boolean },
): Verified => ({
  ...{ counter, isBackupEligible: credentialDeviceType === 'multiDevice', isBackedUp: credentialBackedUp },
});

/** A P-256 key as COSE writes it (RFC 9053), whose signatures nobody makes. */
function publicKeyOfNobody(): string {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const [kindAlgorithmAndCurve, yLabel] = ['a5010203262001215820', '225820'];
  return Buffer.concat([
    Buffer.from(kindAlgorithmAndCurve, 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from(yLabel, 'hex'),
    Buffer.from(y, 'base64url'),
  ]).toString('base64url');
}

const nobodysKey = publicKeyOfNobody();
