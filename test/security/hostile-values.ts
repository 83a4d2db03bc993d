import fc from 'fast-check';
import type { Json } from '#test/e2e/api-document';

/** Values that a schema takes, almost takes, or does not take at all. */

/** What programs stumble over, whatever the field. */
export const ODD_TEXTS = [
  ...['', ' ', '\0', 'a\0b', 'a\ud800', '\udc00', 'a\nb', 'a\u202eb', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'],
  ...[
    'Z\u0351\u036b\u0343\u036a\u0302a\u0310lgo',
    '\uff11\uff12',
    '\u0130',
    '\ufb03',
    'x'.repeat(5000),
    '\u{1f600}'.repeat(300),
  ],
  ...['__proto__', 'constructor', 'toString', 'null', 'undefined', 'NaN', 'true', '-1', '1e309', '0x10'],
  ...["' OR 1=1 --", '"; DROP TABLE orders; --', '<script>alert(1)</script>', '{{7*7}}', '=cmd()', '../../etc/passwd'],
  ...['%00', '%ff', '%s%n', '$ne', '\r\nSet-Cookie: a=b', '4111 1111 1111 1111', '2026-02-30T25:61:61Z', 'P1Y'],
];

const ODD_NUMBERS = [0, -0, -1, 1, 0.5, 1e21, -1e21, 5e-324, 2 ** 31, 2 ** 53, -(2 ** 53), 1.7976931348623157e308];

const nested = (levels: number): Json =>
  levels === 0 ? 'deep' : levels % 2 ? [nested(levels - 1)] : { a: nested(levels - 1) };
const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, [], {}, [[]], [null], { a: null }, ...ODD_NUMBERS),
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(3, 15, 16, 17, 200).map(nested),
  fc.constantFrom(3, 1001).map((length) => Array.from({ length }, (_, index) => `item ${index}`)),
  fc.constant(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`field${index}`, index]))),
);

/** What a schema may be made of: its references and alternatives are looked up here. */
export class HostileValues {
  readonly #schemas: Json;
  /** Of things that there are: a text that a schema takes, but no random one would be. */
  readonly #known: (name: string) => readonly string[];

  constructor(document: Json, known: (name: string) => readonly string[]) {
    this.#schemas = document.components.schemas;
    this.#known = known;
  }

  /** Mostly a value of the schema, at its bounds or past them; sometimes something else. */
  of(schema: Json, name = '', depth = 0): fc.Arbitrary<Json> {
    const taken = this.#taken(this.#resolved(schema), name, depth);
    return fc.oneof({ weight: 9, arbitrary: taken }, { weight: 1, arbitrary: odd });
  }

  /** A body whose values are right but for a few: one that is wrong everywhere is refused at the door. */
  body(schema: Json, right: Json): fc.Arbitrary<Json> {
    const { properties = {} } = this.#resolved(schema);
    const names = Object.keys(properties);
    if (names.length === 0) return fc.oneof(fc.constant(right), odd);
    const change = fc.constantFrom(...names).chain((name) => this.#changeOf(properties[name], name));
    const extra = fc.tuple(fc.constantFrom('roles', 'extra', 'storeId', 'status', 'toJSON', 'then'), odd);
    return fc.oneof(
      {
        weight: 7,
        arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => changed(right, changes)),
      },
      { weight: 2, arbitrary: this.of(schema) },
      { weight: 1, arbitrary: extra.map((one) => changed(right, [one])) },
    );
  }

  #changeOf(schema: Json, name: string): fc.Arbitrary<readonly [string, Json]> {
    const value = fc.oneof(
      { weight: 5, arbitrary: this.of(schema, name) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    );
    return value.map((one) => [name, one] as const);
  }

  #resolved = (schema: Json): Json => {
    const { allOf = [], ...own } = schema.$ref ? this.#schemas[schema.$ref.split('/').at(-1)] : schema;
    return Object.assign({}, ...allOf.map(this.#resolved), own);
  };

  #taken(schema: Json, name: string, depth: number): fc.Arbitrary<Json> {
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (depth > 8) return odd;
    if (alternatives) return fc.oneof(...alternatives.map((one: Json) => this.of(one, name, depth + 1)));
    if ('const' in schema) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const byType: Readonly<Record<string, () => fc.Arbitrary<Json>>> = {
      string: () => this.#text(schema, name),
      integer: () => numbers(schema, (least, most) => fc.integer({ min: Math.ceil(least), max: Math.floor(most) })),
      number: () => numbers(schema, (min, max) => fc.double({ min, max, noNaN: true })),
      boolean: () => fc.boolean(),
      null: () => fc.constant(null),
      array: () => this.#list(schema, name, depth),
      object: () => this.#object(schema, depth),
    };
    return byType[schema.type]?.() ?? odd;
  }

  #text({ minLength = 0, maxLength = 300, examples = [], example, format }: Json, name: string): fc.Arbitrary<string> {
    const bounds = [minLength - 1, minLength, maxLength, maxLength + 1].filter((length) => length >= 0);
    const right = [...this.#known(name), ...examples, ...(example === undefined ? [] : [example])];
    return fc.oneof(
      ...(right.length ? [{ weight: 4, arbitrary: fc.constantFrom(...right) }] : []),
      { weight: 1, arbitrary: fc.constantFrom(...bounds).map((length) => 'x'.repeat(length)) },
      { weight: 2, arbitrary: fc.constantFrom(...ODD_TEXTS) },
      { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
      { weight: 2, arbitrary: ofFormat(format) },
    );
  }

  #list({ items = {}, minItems = 0, maxItems = 5 }: Json, name: string, depth: number): fc.Arbitrary<Json> {
    const lengths = { minLength: Math.max(0, minItems - 1), maxLength: Math.max(minItems, Math.min(maxItems + 1, 20)) };
    return fc.array(this.of(items, name, depth + 1), { ...lengths, maxLength: Math.min(lengths.maxLength, 12) });
  }

  #object({ properties = {}, required = [], additionalProperties }: Json, depth: number): fc.Arbitrary<Json> {
    const members = Object.entries<Json>(properties).map(([name, schema]) => [name, this.of(schema, name, depth + 1)]);
    const own = fc.record(Object.fromEntries(members), { requiredKeys: required.slice(0, required.length) });
    if (!additionalProperties || additionalProperties === true) return own;
    const more = fc.dictionary(
      fc.constantFrom('a', 'wrong-number', ...ODD_TEXTS),
      this.of(additionalProperties, '', depth + 1),
    );
    return fc.tuple(own, more).map(([one, other]) => ({ ...one, ...other }));
  }
}

function changed(right: Json, changes: readonly (readonly [string, Json])[]): Json {
  const body = { ...right };
  for (const [name, value] of changes) body[name] = value;
  return body;
}

function numbers(
  { minimum = -1e9, maximum = 1e9 }: Json,
  between: (least: number, most: number) => fc.Arbitrary<number>,
): fc.Arbitrary<number> {
  const edges = [minimum, maximum, minimum - 1, maximum + 1, ...ODD_NUMBERS];
  return fc.oneof(between(minimum, maximum), fc.constantFrom(...edges));
}

function ofFormat(format: string | undefined): fc.Arbitrary<string> {
  if (format === 'email') return fc.emailAddress();
  if (format === 'uri') return fc.webUrl({ withQueryParameters: true, withFragments: true });
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  return fc.string({ unit: 'binary', maxLength: 60 });
}
