import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { z } from 'zod';
import { isTypable, TYPABLE_CODE } from '#domain/coupons/typable';
import { parseInstant } from '#domain/kernel/instants';
import { isTimeZone } from '#domain/kernel/local-days';
import { isCurrency } from '#domain/kernel/minor-units';
import { ID, isSeen, NOTHING_SEEN, ONE_LINE, wrongInName } from '#domain/kernel/text';
import { normalWebAddress, wrongInStoreAddress, wrongInWebAddress } from '#domain/kernel/web-address';
import { normaliseTelephone } from '#domain/leads/person-form';
import { isPosition, POSITION_PATTERN } from '#event-store/position-text';
import type { FieldError } from './problems.ts';
import { documented } from './schemas.ts';

/**
 * Fields of bodies and queries. Each decorator sets both the check and the documentation. A value of another type is
 * refused, never converted; only query parameters, which are all text, are read as numbers.
 */
interface FieldOptions {
  readonly description: string;
  readonly example?: unknown;
  readonly optional?: boolean;
}

/** The check whose message is field errors as JSON. */
export const CONFORMS = 'conforms';

function field(
  { description, example, optional = false }: FieldOptions,
  shape: object,
  ...checks: PropertyDecorator[]
): PropertyDecorator {
  const documented = { ...shape, description, ...(example !== undefined && { example }), required: !optional };
  // Null is a value, and a wrong one: only an absent field counts as left out.
  const unlessAbsent = optional ? [ValidateIf((_, value) => value !== undefined)] : [];
  return applyDecorators(ApiProperty(documented as ApiPropertyOptions), ...unlessAbsent, ...checks);
}

const check = (name: string, message: string, validate: (value: unknown) => boolean): PropertyDecorator =>
  ValidateBy({ name, validator: { validate, defaultMessage: () => message } });

/** A check that says what is wrong with the value. */
const checkSaying = (name: string, wrongIn: (value: unknown) => string | undefined): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value: unknown) => wrongIn(value) === undefined,
      defaultMessage: (checked?: { value: unknown }) => wrongIn(checked?.value) ?? '',
    },
  });

/** A check of a text that must not be empty: first its form, then what `wrongIn` finds. */
const checkText = (
  name: string,
  form: string,
  fits: (text: string) => boolean,
  wrongIn: (text: string) => string | undefined,
): PropertyDecorator =>
  checkSaying(name, (value) => {
    if (value === undefined || isBlank(value)) return 'must not be empty';
    return typeof value === 'string' && fits(value) ? wrongIn(value) : form;
  });

const isBlank = (value: unknown): boolean => typeof value === 'string' && value.trim() === '';

type LineOptions = FieldOptions & { readonly maxLength?: number };

const lineWithout = (
  wrongIn: (line: string) => string | undefined,
  { maxLength = 200, ...options }: LineOptions,
): PropertyDecorator =>
  field(
    options,
    { type: 'string', minLength: 1, maxLength },
    checkText(
      'line',
      `must be one line of text, at most ${maxLength} characters`,
      (text) => text.length <= maxLength && ONE_LINE.test(text),
      wrongIn,
    ),
  );

/** A name, a subject, or another line that people read. */
export const Line = (options: LineOptions): PropertyDecorator => lineWithout(wrongInName, options);

/** One e-mail address. Its case is kept (ACC-2). */
export const Email = (options: FieldOptions): PropertyDecorator =>
  field(
    { example: 'ada@example.com', ...options },
    { type: 'string', format: 'email', maxLength: 254 },
    check('email', 'must be an e-mail address', (value) => emailAddress.safeParse(value).success),
  );
const emailAddress = z.email().max(254);

type WrongInAddress = (written: string) => string | undefined;

const addressWithout = (wrongIn: WrongInAddress, options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', format: 'uri', maxLength: 500 },
    Transform(({ value }) => (typeof value === 'string' && !wrongIn(value) ? normalWebAddress(value) : value)),
    checkSaying('webAddress', (value) => wrongIn(typeof value === 'string' ? value : '')),
  );

/** Where programs are called. It is kept in its normal form. */
export const WebAddress = (options: FieldOptions): PropertyDecorator => addressWithout(wrongInWebAddress, options);

/** Where customers find a store. It is kept in its normal form. */
export const StoreAddress = (options: FieldOptions): PropertyDecorator => addressWithout(wrongInStoreAddress, options);

export const Password = (options: FieldOptions): PropertyDecorator =>
  field(
    { example: 'correct horse battery', ...options },
    { type: 'string', format: 'password', minLength: 8, maxLength: 200 },
    check(
      'password',
      'must have 8 to 200 characters',
      // Unpaired surrogates would all be hashed as the same character (ACC-2).
      (value) => typeof value === 'string' && value.length >= 8 && value.length <= 200 && value.isWellFormed(),
    ),
  );

/** Text that may have several lines. */
const TEXT = /^(?=[\s\S]*\S)(?:[^\p{Cc}\p{Cs}]|[\t\r\n])+$/u;

export const Text = ({ maxLength = 2000, ...options }: LineOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', minLength: 1, maxLength },
    checkText(
      'text',
      `must be a text of at most ${maxLength} characters`,
      (text) => text.length <= maxLength && TEXT.test(text),
      (text) => (isSeen(text) ? undefined : NOTHING_SEEN),
    ),
  );

export const Telephone = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', maxLength: 50 },
    check(
      'telephone',
      'must be a telephone number, with its country unless it is one of the US',
      (value) => typeof value === 'string' && value.length <= 50 && normaliseTelephone(value) !== undefined,
    ),
  );

export const Id = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', pattern: ID.source },
    check(
      'id',
      'must be an id: letters, digits, dots and dashes, at most 100',
      (value) => typeof value === 'string' && ID.test(value),
    ),
  );

/** Several different ids. */
export const Ids = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'array', items: { type: 'string', pattern: ID.source }, minItems: 1, maxItems: 100, uniqueItems: true },
    check(
      'ids',
      'must be a list of 1 to 100 different ids',
      (value) =>
        Array.isArray(value) &&
        value.length >= 1 &&
        value.length <= 100 &&
        new Set(value).size === value.length &&
        value.every((one) => typeof one === 'string' && ID.test(one)),
    ),
  );

/** A coupon's code: any line of text. Spaces at its ends count, too (CPN-1). */
export const Code = (options: FieldOptions): PropertyDecorator =>
  lineWithout(() => undefined, { ...options, maxLength: 100 });

/** The code of a new coupon. Older ones may have a code that nobody can type. */
export const NewCode = (options: FieldOptions): PropertyDecorator =>
  applyDecorators(
    Code(options),
    check(
      'newCode',
      `must be ${TYPABLE_CODE}`,
      (value) => typeof value !== 'string' || !ONE_LINE.test(value) || isTypable(value),
    ),
  );

/** Thirteen to nineteen digits in any grouping. A letter beside them means an id or a token. */
const CARD_NUMBER = /(?<![\w-])\d([ -]?\d){12,18}(?![\w-])/;

/** A token from the payment provider's form. A card number is refused, so that it never reaches the log (CHK-1). */
export const PaymentToken = (options: FieldOptions): PropertyDecorator =>
  applyDecorators(
    Line({ example: 'tok_ok', ...options }),
    check(
      'paymentToken',
      "must be a token of the payment provider's, never a card number",
      (value) => typeof value === 'string' && !CARD_NUMBER.test(value),
    ),
  );

const TOKEN = /^[\w.-]{1,500}$/;

/** An opaque text of an earlier answer, sent back unchanged. */
export const Token = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string' },
    check('token', 'must be the token of an earlier answer', (value) => typeof value === 'string' && TOKEN.test(value)),
  );

/** A position from an earlier answer. */
export const LogPosition = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', pattern: POSITION_PATTERN },
    check('position', 'must be a position from an earlier answer', isPosition),
  );

interface Range {
  readonly minimum?: number;
  readonly maximum?: number;
}

const isWithin = (value: unknown, minimum: number, maximum: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;

/** The dearest order: a million leads at the highest price of one, in minor units. */
export const MOST_CENTS = 1_000_000 * 100_000_000;

/** A whole number, by default from 1 to a million. */
export const Count = ({ minimum = 1, maximum = 1_000_000, ...options }: FieldOptions & Range): PropertyDecorator =>
  field(
    options,
    { type: 'integer', minimum, maximum },
    check('count', `must be a whole number from ${minimum} to ${maximum}`, (value) =>
      isWithin(value, minimum, maximum),
    ),
  );

/** A whole number in a query parameter. */
export const CountInQuery = (options: FieldOptions & Range): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }) => (typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value)),
    Count(options),
  );

export const Percentage = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'number', exclusiveMinimum: 0, maximum: 100 },
    check(
      'percentage',
      'must be a number above 0, at most 100',
      (value) => typeof value === 'number' && value > 0 && value <= 100,
    ),
  );

/** Any instant with a zone. It is converted to the form of the ledger: UTC with milliseconds. */
export const InstantField = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', format: 'date-time' },
    Transform(({ value }) => (typeof value === 'string' ? (parseInstant(value) ?? value) : value)),
    check(
      'instant',
      'must be an instant with a zone, like 2026-03-01T09:30:00Z or 2026-03-01T09:30:00+01:00',
      (value) => typeof value === 'string' && parseInstant(value) === value,
    ),
  );

export const TimeZone = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', example: 'America/New_York' },
    check(
      'timeZone',
      'must be the IANA name of a time zone, like America/New_York',
      (value) => typeof value === 'string' && isTimeZone(value),
    ),
  );

export const OneOf = (values: readonly string[], options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', enum: values },
    check('oneOf', `must be one of: ${values.join(', ')}`, (value) => values.includes(value as string)),
  );

/** The order of a list: its column, or with `-` in front for the greatest first. */
export const Sort = ({ by, newestFirst = false }: { by: string; newestFirst?: boolean }): PropertyDecorator =>
  OneOf([by, `-${by}`], {
    description: `The order of the items; ${newestFirst ? '-' : ''}${by} when absent. A minus sign puts the greatest first.`,
    example: `-${by}`,
    optional: true,
  });

/** Names of the fields that a list answers, with commas between them. */
export function FieldNames({ shape }: z.ZodObject): PropertyDecorator {
  const names = Object.keys(shape);
  const unknownIn = (value: unknown) =>
    typeof value === 'string' ? value.split(',').filter((name) => !names.includes(name)) : [String(value)];
  const description = 'Only these fields of each item, with commas between them; all when absent.';
  const validator = {
    validate: (value: unknown) => unknownIn(value).length === 0,
    defaultMessage: (checked?: { value: unknown }) =>
      `has no field ${unknownIn(checked?.value).join(', ')}: there are ${names.join(', ')}`,
  };
  return applyDecorators(
    field({ description, example: names.slice(0, 2).join(','), optional: true }, { type: 'string' }),
    ValidateBy({ name: 'fieldNames', validator }),
  );
}

export const Currency = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', pattern: '^[A-Z]{3}$' },
    check(
      'currency',
      'must be a currency code of ISO 4217, like USD',
      (value) => typeof value === 'string' && isCurrency(value),
    ),
  );

export const Flag = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'boolean' },
    check('flag', 'must be true or false', (value) => typeof value === 'boolean'),
  );

/**
 * A field for which the domain has a schema: the schema checks and documents it. A check has one message, but a schema
 * may find several errors: the message holds them as JSON (see `validation.ts`).
 */
export function Conforming(schema: z.ZodType, options: FieldOptions): PropertyDecorator {
  const { description, example } = options;
  const document = { ...documented(schema, 'input'), description, example };
  const validate = (value: unknown) => schema.safeParse(value).success;
  const defaultMessage = (checked?: { value: unknown }) => JSON.stringify(issuesOf(schema, checked?.value));
  return applyDecorators(
    field(options, document),
    ValidateBy({ name: CONFORMS, validator: { validate, defaultMessage } }),
    Transform(({ value }) => schema.safeParse(value).data ?? value),
  );
}

/** Errors of the fields inside the field that has the schema. */
const issuesOf = (schema: z.ZodType, value: unknown): FieldError[] =>
  (schema.safeParse(value).error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not a known field' }))
      : [{ field: issue.path.join('.'), message: issue.message }],
  );

/** An object with fields of its own. */
export const Nested = (classOf: () => new () => object, options: FieldOptions): PropertyDecorator =>
  field(
    options,
    // @nestjs/swagger recognises a function that returns a class by its name: it must be `type`.
    { type: () => classOf() },
    ValidateNested({ message: 'must be an object' }),
    // Of a list, the validation would check each member, and of an empty list nothing.
    check('noList', 'must be an object', (value) => !Array.isArray(value)),
    Type(classOf),
  );

/** Exactly one of these members of a nested object must be there. */
export const ExactlyOneOf = (...names: readonly string[]): PropertyDecorator =>
  check(
    'exactlyOneOf',
    `must have exactly one of: ${names.join(', ')}`,
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.filter((name) => (value as Record<string, unknown>)[name] !== undefined).length === 1,
  );
