import { z } from 'zod';

/**
 * Why a person is not sold (DLV-12): the person asked the store for it, or stands on a list of telephone numbers that must not be
 * called.
 */
export const suppressions = ['opt-out', 'do-not-call'] as const;
export type Suppression = (typeof suppressions)[number];

export const suppression = z.enum(suppressions);

/** The list of who was named as do-not-call without one. */
export const UNNAMED_LIST = 'do-not-call';

export interface SuppressedBy {
  readonly suppression: Suppression;
  /** The list that named the person. */
  readonly listId?: string | undefined;
}

/** No id of a list is like this. */
export const OWN_REQUEST = 'own request';

/**
 * What suppresses a person: a list, or the person's own request. There may be several, and each is lifted by itself. Who was named
 * as do-not-call without a list stands on the list do-not-call.
 */
export const sourceOf = ({ suppression, listId }: SuppressedBy): string =>
  listId ?? (suppression === 'do-not-call' ? UNNAMED_LIST : OWN_REQUEST);

/** Why a lead was withdrawn, or taken back, whose person is not sold any more. */
export const personSuppressed = 'person-suppressed';
