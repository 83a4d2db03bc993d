import type { z } from 'zod';
import { metadataFields } from './codec.ts';
import { type Field, fieldsOf } from './kernel/fields.ts';
import { type Family, ledger } from './ledger.ts';

interface StoredFields {
  /** An event type, or `metadata`. */
  readonly of: string;
  readonly version: number;
  readonly fields: readonly Field[];
}

/** Every field that the present versions of events store, and how. */
export const storedFields = (): readonly StoredFields[] => [
  { of: 'metadata', version: 1, fields: fieldsOf(metadataFields) },
  ...Object.values(ledger as Record<string, Family>).flatMap(({ events, upcasters }) =>
    Object.entries(events).map(([of, schema]: [string, z.ZodObject]) => {
      return { of, version: 1 + (upcasters[of]?.length ?? 0), fields: fieldsOf(schema) };
    }),
  ),
];

/** The fields that are kept in one way, as `EventType.path`. */
export const fieldsKeptAs = (keeping: Field['keeping']): readonly string[] =>
  storedFields().flatMap(({ of, fields }) =>
    fields.filter((field) => field.keeping === keeping).map(({ path }) => `${of}.${path}`),
  );
