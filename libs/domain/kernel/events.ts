import { z } from 'zod';

/** ISO 8601 UTC with milliseconds, as every instant in the ledger is written. */
export type Instant = string;

export const instant = z.iso.datetime({ offset: false, precision: 3 });
export const uuid = z.uuid();
/** Whole minor units of a currency: of yen, these are yen (`minor-units.ts`). */
export const cents = z.int().nonnegative();
export const count = z.int().nonnegative();

/** What the value in a box is. A box is bound to it, so that nobody can pass one value of a person off as another. */
export const purposes = [
  'name',
  'email',
  'postal-address',
  'telephone',
  'contact',
  'consent',
  'business-association',
  'subject',
  'message',
  'answer',
  'note',
  'explanation',
  'reason',
  'payment-token',
  'password-verifier',
  'totp-secret',
  'passkey',
  'link-token',
  'webhook-address',
  'webhook-secret',
  'message-ids',
] as const;
export type Purpose = (typeof purposes)[number];

/**
 * Personal data encrypted with its owner's key (see libs/vault). The domain carries the box and never opens it. Boxes of
 * older versions name no purpose.
 */
export const sealed = z.object({
  keyId: z.string().min(1),
  purpose: z.enum(purposes).optional(),
  box: z.base64(),
});
export type Sealed = z.infer<typeof sealed>;

/** The key id of a text that an older version stored as it is. */
const NO_KEY = 'unsealed';

/**
 * A text that an older version stored as it is, in the form of a box. Upcasters make it; nothing new is stored so. Where
 * a process stores the value again, `purpose` says as what it is sealed then.
 */
export const unsealed = (value: unknown, purpose?: Purpose): Sealed => ({
  keyId: NO_KEY,
  ...(purpose && { purpose }),
  box: Buffer.from(JSON.stringify(value)).toString('base64'),
});

export const isUnsealed = ({ keyId }: Sealed): boolean => keyId === NO_KEY;

export const isBox = (data: unknown): data is Sealed =>
  typeof data === 'object' && data !== null && 'box' in data && sealed.safeParse(data).success;

/** A box whose content is never shown: a password verifier, or a token to be sent. */
export const secret = sealed.extend({ secret: z.literal(true) });
export type Secret = z.infer<typeof secret>;

/** Event types of one stream family: name → data schema. Every event carries `at`. Add optional fields only (ADR 3). */
export type EventSchemas = Readonly<Record<string, z.ZodObject>>;

export type EventsOf<Schemas extends EventSchemas> = {
  [Name in keyof Schemas & string]: {
    readonly type: Name;
    readonly data: z.infer<Schemas[Name]> & { readonly at: Instant };
  };
}[keyof Schemas & string];

/** The schema of an event: its fields and the instant it happened. */
export const fact = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.object({ at: instant, ...shape });
