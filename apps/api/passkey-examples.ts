import { exampleIds } from '#read-models/models/examples';
import type { Assertion, CreationOptions, NewCredential, RequestOptions } from '#requests/web-authn';

const credentialId = '8VqGg5RcQ1mW0yZ3n7bT4A';
const challenge = 'wGJ6mEhbqk1yQ2p5c0Vt9dS3xRzLfUo8aNiB7e4KjHY';
const clientDataJSON = 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoid0dKNm0ifQ';
const base = { id: credentialId, rawId: credentialId, type: 'public-key' } as const;
const timeout = 300_000;

export const exampleCredential: NewCredential = {
  ...base,
  response: { clientDataJSON, attestationObject: 'o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVg', transports: ['internal'] },
};

export const exampleAssertion: Assertion = {
  ...base,
  response: {
    clientDataJSON,
    authenticatorData: 'SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAA',
    signature: 'MEUCIQCgO4uW',
    userHandle: 'M2Y4YzJkMWE',
  },
};

export const exampleCreation: CreationOptions = {
  rp: { id: 'shop.example', name: 'Main store' },
  user: {
    id: Buffer.from(exampleIds.customerId).toString('base64url'),
    name: 'ada@example.com',
    displayName: 'ada@example.com',
  },
  challenge,
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  timeout,
  excludeCredentials: [],
  authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  attestation: 'none',
};

export const exampleRequest: RequestOptions = {
  ...{ challenge, timeout, rpId: 'shop.example', userVerification: 'required' },
  allowCredentials: [],
};
