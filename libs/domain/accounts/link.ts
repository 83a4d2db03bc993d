import { refuse } from '../kernel/decider.ts';
import { type Instant, instant, type Secret } from '../kernel/events.ts';
import { randomTokenHash, secretFor } from '../kernel/fields.ts';

/** How long a link in a mail is valid (ACC-3, ACC-4). */
export const LINK_MINUTES = 30;

/** How long the link is valid that proves the address of a new account (ACC-6). Later ones come with a recovery. */
export const CONFIRMATION_MINUTES = 24 * 60;

/** The tokens are hashed by SHA-256, base64url: the log can recognise the token but does not reveal it. */
export const link = {
  token: secretFor('customer', 'link-token'),
  tokenHash: randomTokenHash.length(43),
  expiresAt: instant,
};

export interface Link {
  readonly token: Secret;
  readonly tokenHash: string;
  readonly expiresAt: Instant;
}

export type PendingLink = Pick<Link, 'tokenHash' | 'expiresAt'>;

export const linkInvalid = refuse(
  'link-invalid',
  'this link was used, has expired or was never issued: request a new one',
);

export const linkIsGood = (link: PendingLink | undefined, hash: string, at: Instant): boolean =>
  link !== undefined && link.tokenHash === hash && at < link.expiresAt;
