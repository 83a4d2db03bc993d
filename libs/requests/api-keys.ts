import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { catalogueStream, unknownLeadType, unknownStore } from '#domain/catalogue/catalogue';
import { type Refusal, refuse } from '#domain/kernel/decider';
import { instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addDays, addSeconds } from '#domain/kernel/instants';
import {
  type ApiKey,
  type ApiKeyCommand,
  type ApiKeyGrant,
  apiKeysStream,
  MOST_DAYS_OF_A_KEY,
  programRoles,
} from '#domain/staff/api-keys';
import { exampleIds } from '#read-models/models/examples';
import type { SessionStore } from '#sessions/session-store';
import { hashOfToken } from './account-seals.ts';
import { type QueryTools, sameForAll } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

interface Rotation {
  readonly expiresAt: string;
  /** How long the secret of before works, too. */
  readonly overlapSeconds: number;
}

/** A key, with its token: this is the only time that it is shown. Absent where a repeat changed nothing. */
interface IssuedKey extends Receipt {
  readonly token?: string;
}

/** Keys of programs. The secret of a key is made here, and nowhere stored. */
export const apiKeyRequests = (tools: RequestTools) => ({
  issue: (grant: ApiKeyGrant, context: RequestContext) => issue(tools, grant, context),
  rotate: (keyId: string, rotation: Rotation, context: RequestContext) => rotate(tools, keyId, rotation, context),
  revoke: (keyId: string, context: RequestContext) =>
    tools.send(keyId, apiKeysStream, { type: 'RevokeApiKey', at: tools.now(), keyId }, context),
});

const TOKEN = /^leadger_([A-Za-z0-9-]{1,64})_([A-Za-z0-9_-]{43})$/;

export const isApiKeyToken = (token: string): boolean => token.startsWith('leadger_');

/** @returns the id of the key and the hash of its secret; undefined for what is no token */
export function partsOfToken(token: string): { keyId: string; secretHash: string } | undefined {
  const [, keyId, secret] = TOKEN.exec(token) ?? [];
  return keyId === undefined || secret === undefined ? undefined : { keyId, secretHash: hashOfToken(secret) };
}

async function issue(tools: RequestTools, grant: ApiKeyGrant, context: RequestContext): Promise<IssuedKey> {
  const keyId = deriveId('api-key', context.commandId);
  return withSecret(tools, keyId, 'IssueApiKey', grant.expiresAt, context, async (secretHash) => {
    const refusal = await refuseUnknown(tools, grant);
    return refusal ?? { type: 'IssueApiKey', at: tools.now(), keyId, secretHash, ...grant };
  });
}

async function rotate(
  tools: RequestTools,
  keyId: string,
  { expiresAt, overlapSeconds }: Rotation,
  context: RequestContext,
): Promise<IssuedKey> {
  return withSecret(tools, keyId, 'RotateApiKey', expiresAt, context, async (secretHash) => {
    const at = tools.now();
    return { type: 'RotateApiKey', at, keyId, secretHash, expiresAt, formerUntil: addSeconds(at, overlapSeconds) };
  });
}

async function withSecret(
  tools: RequestTools,
  keyId: string,
  type: 'IssueApiKey' | 'RotateApiKey',
  expiresAt: string,
  context: RequestContext,
  make: (secretHash: string) => Promise<ApiKeyCommand | Refusal>,
): Promise<IssuedKey> {
  const refusal = checkRightEarly(apiKeysStream, { type }, await tools.stateOf<'apikeys'>(apiKeysStream), context);
  if (refusal) return tools.refuse(keyId, apiKeysStream, refusal, context);
  const secret = randomBytes(32).toString('base64url');
  const command = refuseExpiry(expiresAt, tools.now()) ?? (await make(hashOfToken(secret)));
  const receipt = await tools.send(keyId, apiKeysStream, command, context);
  const { outcome } = receipt;
  // The secret of the first answer to this request is not this one.
  const isNew = outcome.kind === 'accepted' && !outcome.repeated && outcome.events.length > 0;
  return isNew ? { ...receipt, token: `leadger_${keyId}_${secret}` } : receipt;
}

function refuseExpiry(expiresAt: string, now: string): Refusal | undefined {
  if (expiresAt > now && expiresAt <= addDays(now, MOST_DAYS_OF_A_KEY)) return undefined;
  return { ...refuse('api-key-expiry', `a key expires in the next ${MOST_DAYS_OF_A_KEY} days`), field: 'expiresAt' };
}

async function refuseUnknown({ stateOf }: RequestTools, grant: ApiKeyGrant): Promise<Refusal | undefined> {
  const { stores, leadTypes } = await stateOf<'catalogue'>(catalogueStream);
  const unknown = grant.stores === 'all' ? undefined : grant.stores.find((storeId) => !stores.has(storeId));
  if (unknown !== undefined) return unknownStore(unknown);
  const { leadTypeId } = grant.form ?? {};
  return leadTypeId === undefined || leadTypes.has(leadTypeId) ? undefined : unknownLeadType(leadTypeId);
}

export const apiKey = z
  .object({
    apiKeyId: z.string().describe('The id of the key, as histories name it: system:ID.'),
    name: z.string().describe('What the key is for.'),
    roles: z.array(z.enum(programRoles)).describe('What the program may do.'),
    stores: z.union([z.literal('all'), z.array(z.string())]).describe('The stores in which the roles hold.'),
    origins: z.array(z.string()).describe('The origins of web pages that may send it.'),
    form: z
      .object({
        leadTypeId: z.string().describe('The lead type of its leads.'),
        source: z.string().describe('The source of its leads.'),
        thanksPage: z.string().optional().describe('Where a browser goes that sends it without a script.'),
      })
      .nullable()
      .describe('What web pages send to POST /api/forms/ID/leads, with the id of the key. Null: it has no form.'),
    issuedAt: instant.describe('When it was issued.'),
    expiresAt: instant.describe('From when on it does not work any more.'),
    rotatedAt: instant.nullable().describe('When it got its present secret. Null: at its issue.'),
    formerUntil: instant.nullable().describe('Until when the secret of before works, too.'),
    revokedAt: instant.nullable().describe('When it was revoked. Null: it was not.'),
    lastUsedAt: instant.nullable().describe('When it was last used, to the minute. Null: never.'),
  })
  .meta({ id: 'ApiKey' });

export const apiKeyExample: z.infer<typeof apiKey> = {
  apiKeyId: exampleIds.apiKeyId,
  name: 'landing pages of the spring campaign',
  roles: ['lead-source'],
  stores: 'all',
  origins: [],
  form: null,
  issuedAt: '2026-03-01T09:30:00.000Z',
  expiresAt: '2026-09-01T00:00:00.000Z',
  rotatedAt: null,
  formerUntil: null,
  revokedAt: null,
  lastUsedAt: null,
};

export const apiKeyQueries = ({
  stateOf,
  sessions,
}: Pick<QueryTools, 'stateOf'> & { readonly sessions: Pick<SessionStore, 'keyUses'> }) => ({
  /** All keys, the oldest first: also those that were revoked or have expired. Their secrets are not stored. */
  list: sameForAll(async () => {
    const [keys, uses] = await Promise.all([stateOf<'apikeys'>(apiKeysStream), sessions.keyUses()]);
    return [...keys.values()].map((key) => shownKey(key, uses.get(key.keyId)));
  }),
});

const shownKey = (key: ApiKey, lastUsedAt: string | undefined): z.infer<typeof apiKey> => {
  const { keyId: apiKeyId, name, roles, stores, origins = [], form = null, issuedAt, expiresAt } = key;
  const given = { apiKeyId, name, roles: [...roles], stores: stores === 'all' ? stores : [...stores], origins, form };
  const { rotatedAt = null, revokedAt = null, former } = key;
  const until = { issuedAt, expiresAt, rotatedAt, formerUntil: former?.until ?? null, revokedAt };
  return { ...given, ...until, lastUsedAt: lastUsedAt ?? null };
};
