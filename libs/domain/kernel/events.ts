import { z } from 'zod';

/** ISO 8601 UTC with milliseconds, as every instant in the ledger is written. */
export type Instant = string;

export const instant = z.iso.datetime({ offset: false, precision: 3 });
export const uuid = z.uuid();
export const cents = z.int().nonnegative();
export const count = z.int().nonnegative();

/** Personal data encrypted with its owner's key (see libs/vault). The domain carries the box and never opens it. */
export const sealed = z.object({ keyId: z.string().min(1), box: z.base64() });
export type Sealed = z.infer<typeof sealed>;

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
