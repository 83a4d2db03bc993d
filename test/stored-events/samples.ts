import { z } from 'zod';
import { deriveId } from '#domain/kernel/ids';
import { type Family, type FamilyName, ledger } from '#domain/ledger';

/** An event as it is stored. */
export interface Sample {
  readonly stream: string;
  readonly metadata: object;
  readonly data: object;
}

const AT = '2026-03-01T09:30:00.000Z';

/** `TYPE.vN.json` of every version of every event that there is. */
export const sampleNames = (): string[] =>
  currentEvents().flatMap(({ type, version }) =>
    Array.from({ length: version }, (_, index) => `${type}.v${index + 1}.json`),
  );

/** A sample of the present version of each event, by the name of its file. Equal schemas give equal samples. */
export const generatedSamples = (): ReadonlyMap<string, Sample> =>
  new Map(
    currentEvents().map(({ family, type, version, schema }) => {
      const commandId = deriveId('sample', type);
      const reason = { keyId: 'some keyId', purpose: 'reason', box: 'c2VhbGVk' };
      const known = { authenticated: 'trial-header', reason, basis: { 'policy-main': 1 } };
      const cause = { commandId, correlationId: commandId, actor: 'staff:ada', ...known };
      const metadata = version === 1 ? cause : { ...cause, schemaVersion: version };
      const stream = `${family}-${deriveId('sample', family)}`;
      return [`${type}.v${version}.json`, { stream, metadata, data: sampleData(schema) }];
    }),
  );

/** @throws ZodError when the schema wants more than the fixed values: give the field an example, `.meta({ examples: [ … ] })` */
export const sampleData = (schema: z.ZodObject): object =>
  schema.strict().parse(exampleOf('', z.toJSONSchema(schema) as JsonSchema));

const currentEvents = () =>
  Object.entries(ledger as Record<FamilyName, Family>).flatMap(([family, { events, upcasters }]) =>
    Object.entries(events).map(([type, schema]) => {
      return { family, type, schema, version: 1 + (upcasters[type]?.length ?? 0) };
    }),
  );

interface JsonSchema {
  /** Several: one of them is null. */
  readonly type?: string | readonly string[];
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** The example of a field, else a fixed value of its kind. */
function exampleOf(field: string, schema: JsonSchema): unknown {
  if (schema.examples) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first) return exampleOf(field, first);
  switch ([schema.type].flat()[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, member]) => [name, exampleOf(name, member)]),
      );
    case 'array':
      return [exampleOf(field, schema.items ?? {})];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return smallestOf(schema);
    default:
      return textOf(field, schema);
  }
}

function smallestOf({ minimum = Number.NEGATIVE_INFINITY, exclusiveMinimum }: JsonSchema): number {
  const above = exclusiveMinimum === undefined ? Number.NEGATIVE_INFINITY : exclusiveMinimum + 1;
  return Math.max(minimum, above, 1);
}

function textOf(field: string, schema: JsonSchema): string {
  const { format, contentEncoding, pattern, minLength = 0, maxLength } = schema;
  if (format === 'date-time') return AT;
  if (format === 'date') return AT.slice(0, 10);
  if (format === 'uuid') return deriveId('sample', field);
  if (contentEncoding === 'base64') return 'c2VhbGVk';
  // A keyed hash of a person.
  if (pattern) return 'A'.repeat(22);
  if (/timeZone$/i.test(field)) return 'America/New_York';
  const text = field.endsWith('Id') ? deriveId('sample', field) : `some ${field}`;
  return text.padEnd(minLength, '.').slice(0, maxLength);
}
