import { z } from 'zod';
import { type Family, ledger } from '#domain/ledger';

interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** All types of events, as Markdown, generated from the schemas that check events. */
export function eventCatalog(): string {
  const families = Object.entries(ledger as Record<string, Family>).flatMap(([name, { events, upcasters }]) => [
    `## Streams \`${name}-…\``,
    '',
    ...Object.entries(events).flatMap(([type, schema]) =>
      sectionOf(type, 1 + (upcasters[type]?.length ?? 0), z.toJSONSchema(schema) as JsonSchema),
    ),
  ]);
  return [...introduction, ...families].join('\n');
}

const introduction = [
  '# Event catalog',
  '',
  'Made by `npm run leadger -- catalog` from the schemas in `libs/domain`; a test fails when it is out of date. Beside its',
  'data, each event carries the id of its command, correlation and causation, the actor and the reason that was given.',
  '',
];

const sectionOf = (type: string, version: number, { properties = {}, required = [] }: JsonSchema): string[] => [
  `### ${type}`,
  '',
  `Version ${version}.`,
  '',
  '| field | type | always there |',
  '|---|---|---|',
  ...Object.entries(properties).map(
    ([field, schema]) => `| \`${field}\` | ${typeOf(schema)} | ${required.includes(field) ? 'yes' : ''} |`,
  ),
  '',
];

function typeOf(schema: JsonSchema): string {
  const { type, format, pattern, items, properties, minimum, exclusiveMinimum, maximum } = schema;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' or ');
  if (items) return `list of ${typeOf(items)}`;
  if (properties && 'keyId' in properties) return 'sealed box';
  if (properties)
    return `{ ${Object.entries(properties)
      .map(([name, member]) => `${name}: ${typeOf(member)}`)
      .join(', ')} }`;
  if (format === 'date-time') return 'instant, UTC with milliseconds';
  if (format === 'date') return 'day';
  if (pattern) return 'keyed hash of a person';
  const from =
    minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + (type === 'integer' ? 1 : 0));
  const limits = [
    ...(from !== undefined && from > Number.MIN_SAFE_INTEGER ? [`from ${from}`] : []),
    ...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? [`to ${maximum}`] : []),
  ];
  return [type === 'integer' ? 'whole number' : (type ?? 'anything'), ...limits].join(' ');
}
