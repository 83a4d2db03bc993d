import { z } from 'zod';
import { leadSource, staffRoles } from '../kernel/caller.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { id, randomTokenHash, shortStoreText, storeText } from '../kernel/fields.ts';
import { freshFactor, type RightsOf } from '../kernel/rights.ts';
import { administrator } from './staff.ts';

/**
 * Keys of programs. They are in one stream, like the staff: there are few, each request asks for one, and their list needs no
 * read model.
 */
export const apiKeysStream = 'apikeys-main';

/** No program gives rights to others. */
export const programRoles = [leadSource, ...staffRoles.filter((role) => role !== 'administrator')] as const;

/** SHA-256, base64url, of the secret part of a key. */
const secretHash = randomTokenHash.length(43);

export const apiKeyEvents = {
  ApiKeyIssued: fact({
    keyId: id,
    name: shortStoreText(100).describe('What the key is for, in the words of the administrator.'),
    secretHash,
    roles: z.array(z.enum(programRoles)).min(1),
    stores: z.union([z.literal('all'), z.array(id).min(1)]),
    origins: z.array(storeText).optional().describe('Of the web pages that may send it.'),
    form: z
      .object({
        leadTypeId: id.describe('Of the leads that it brings.'),
        source: storeText.describe('Their source.'),
        thanksPage: storeText.optional().describe('Where a browser goes that sends it without a script.'),
      })
      .optional()
      .describe('A form of these web pages, which anybody may fill in. The id of the key names it.'),
    expiresAt: instant,
  }),
  /** `formerUntil`: until then the secret of before works, too. */
  ApiKeyRotated: fact({ keyId: id, secretHash, formerUntil: instant, expiresAt: instant }),
  ApiKeyRevoked: fact({ keyId: id }),
};
export type ApiKeyEvent = EventsOf<typeof apiKeyEvents>;

type DataOf<Type extends ApiKeyEvent['type']> = Omit<Extract<ApiKeyEvent, { type: Type }>['data'], 'at'>;
export type ApiKeyGrant = Pick<DataOf<'ApiKeyIssued'>, 'name' | 'roles' | 'stores' | 'origins' | 'form' | 'expiresAt'>;

export type ApiKeyCommand =
  | ({ type: 'IssueApiKey'; at: Instant } & DataOf<'ApiKeyIssued'>)
  | ({ type: 'RotateApiKey'; at: Instant } & DataOf<'ApiKeyRotated'>)
  | { type: 'RevokeApiKey'; at: Instant; keyId: string };

/** Who may ask for which command. */
export const apiKeyRights = {
  IssueApiKey: freshFactor(administrator),
  RotateApiKey: freshFactor(administrator),
  RevokeApiKey: freshFactor(administrator),
} satisfies RightsOf<ApiKeyCommand, ApiKeyState>;

export interface ApiKey extends ApiKeyGrant {
  readonly keyId: string;
  readonly secretHash: string;
  readonly former?: { readonly secretHash: string; readonly until: Instant };
  readonly issuedAt: Instant;
  readonly rotatedAt?: Instant;
  readonly revokedAt?: Instant;
}

export type ApiKeyState = ReadonlyMap<string, ApiKey>;

/** An expiry that is too far away is none. */
export const MOST_DAYS_OF_A_KEY = 400;

const keyUnknown = refuse('api-key-unknown', 'there is no such API key');
const formRefused = {
  ...refuse(
    'form-of-lead-source',
    'a key with a form has no role but lead-source, names the origins of its pages, and the page of thanks is one of these',
  ),
  field: 'form',
};
const keyRevoked = refuse('api-key-revoked', 'this API key was revoked: issue a new one');

export const apiKeys: Decider<ApiKeyState, ApiKeyCommand, ApiKeyEvent> = {
  initialState: () => new Map(),

  decide(command, state): Decision<ApiKeyEvent> {
    const key = state.get(command.keyId);
    if (command.type === 'IssueApiKey') {
      const { type: _, ...data } = command;
      if (!mayHaveForm(command)) return formRefused;
      return key ? [] : [{ type: 'ApiKeyIssued', data }];
    }
    if (!key) return keyUnknown;
    switch (command.type) {
      case 'RotateApiKey': {
        const { type: _, ...data } = command;
        return key.revokedAt ? keyRevoked : [{ type: 'ApiKeyRotated', data }];
      }
      case 'RevokeApiKey':
        return key.revokedAt ? [] : [{ type: 'ApiKeyRevoked', data: { at: command.at, keyId: key.keyId } }];
      default:
        return undecided(command);
    }
  },

  evolve(state, { type, data }): ApiKeyState {
    const keys = new Map(state);
    const { at, keyId } = data;
    const key = keys.get(keyId);
    if (type === 'ApiKeyIssued') {
      const { at: issuedAt, ...issued } = data;
      return keys.set(keyId, { ...issued, issuedAt });
    }
    if (!key) return state;
    if (type === 'ApiKeyRevoked') return keys.set(keyId, { ...key, revokedAt: at });
    const { secretHash, expiresAt, formerUntil: until } = data;
    return keys.set(keyId, {
      ...key,
      secretHash,
      expiresAt,
      rotatedAt: at,
      former: { secretHash: key.secretHash, until },
    });
  },
};

function mayHaveForm({ form, roles, origins = [] }: Omit<ApiKeyGrant, 'expiresAt'>): boolean {
  if (!form) return true;
  const { thanksPage } = form;
  const isOwnPage = thanksPage === undefined || origins.includes(URL.parse(thanksPage)?.origin ?? '');
  return roles.every((role) => role === leadSource) && origins.length > 0 && isOwnPage;
}

/** Whether a key was not revoked, and has not expired. */
export const holds = (key: ApiKey, now: Instant): boolean => key.revokedAt === undefined && now < key.expiresAt;

/** Whether a key may be used with a secret of this hash. */
export const opensWith = (key: ApiKey, secretHash: string, now: Instant): boolean =>
  holds(key, now) &&
  (key.secretHash === secretHash || (key.former?.secretHash === secretHash && now < key.former.until));
