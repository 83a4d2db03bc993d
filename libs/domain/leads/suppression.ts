import { z } from 'zod';

/**
 * Why a person is not sold (DLV-12): the person asked the store for it, or stands on a list of telephone numbers that must not be
 * called.
 */
export const suppressions = ['opt-out', 'do-not-call'] as const;
export type Suppression = (typeof suppressions)[number];

export const suppression = z.enum(suppressions);

/** Why a lead was withdrawn, or taken back, whose person is not sold any more. */
export const personSuppressed = 'person-suppressed';
