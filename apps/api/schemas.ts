import { z } from 'zod';

type JsonSchema = { [keyword: string]: unknown };

/** Schemas with a name of their own in the documentation: `#/components/schemas/NAME`. */
const components = new Map<string, JsonSchema>();

export const namedSchemas = (): Record<string, JsonSchema> => Object.fromEntries(components);

/** Gives a schema its name in the documentation. The same schema may be named again where it is used. */
export const named = <Schema extends z.ZodType>(id: string, schema: Schema): Schema =>
  schema.meta()?.id === id ? schema : (schema.meta({ id }) as Schema);

/** A field of an answer that is always there: null where the value is absent (ADR 16). */
export const orNull = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null as never);

/**
 * How a schema of an answer looks in the documentation (JSON Schema 2020-12). Schemas with a name become components.
 * @throws Error when two different schemas have one name
 */
export function documented(schema: z.ZodType, io: 'input' | 'output' = 'output'): JsonSchema {
  const { properties, $defs = {} } = z.toJSONSchema(z.object({ it: schema }), { io });
  for (const [name, definition] of Object.entries($defs)) keep(name, tidied(definition as JsonSchema) as JsonSchema);
  return tidied(properties?.it) as JsonSchema;
}

function keep(name: string, schema: JsonSchema): void {
  const known = components.get(name);
  if (known && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`two schemas have the name ${name}`);
  components.set(name, schema);
}

/** References go to the components. Without defaults, bounds of all safe integers and the pattern of all instants. */
function tidied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidied);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([keyword, member]) => !isNoise(keyword, member, value as JsonSchema));
  return Object.fromEntries(
    entries.map(([keyword, member]) => [keyword, keyword === '$ref' ? componentOf(String(member)) : tidied(member)]),
  );
}

const componentOf = (reference: string): string => reference.replace('#/$defs/', '#/components/schemas/');

const isNoise = (keyword: string, member: unknown, { format }: JsonSchema): boolean =>
  (keyword === 'id' && typeof member === 'string') ||
  keyword === '$schema' ||
  (keyword === 'default' && member === null) ||
  (keyword === 'minimum' && member === Number.MIN_SAFE_INTEGER) ||
  (keyword === 'maximum' && member === Number.MAX_SAFE_INTEGER) ||
  (keyword === 'pattern' && format !== undefined);
