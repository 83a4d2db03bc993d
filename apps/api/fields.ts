import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import { ValidateBy, ValidateNested } from 'class-validator';
import { z } from 'zod';
import { canBePassword, LEAST_CHARACTERS, wrongInNewPassword } from '#domain/accounts/password';
import { isTypable, TYPABLE_CODE } from '#domain/coupons/typable';
import { parseInstant } from '#domain/kernel/instants';
import { isTimeZone } from '#domain/kernel/local-days';
import { isCurrency } from '#domain/kernel/minor-units';
import { ID, normalText, normalTexts, type TextForm, wrongInText, wrongTexts } from '#domain/kernel/text';
import {
  normalStoreAddress,
  normalWebAddress,
  wrongInStoreAddress,
  wrongInWebhookAddress,
} from '#domain/kernel/web-address';
import { normaliseTelephone } from '#domain/leads/person-form';
import { isPosition, POSITION_PATTERN } from '#event-store/position-text';
import { check, checkSaying, type FieldOptions, field } from './field.ts';
import type { FieldError } from './problems.ts';
import { documented } from './schemas.ts';

/** The check whose message is field errors as JSON. */
export const CONFORMS = 'conforms';

const isLine = (value: unknown, most: number): value is string =>
  typeof value === 'string' &&
  wrongInText(value, { lines: 'one', most, exact: true, digits: 'anywhere' }) === undefined;

/** A text of the one schema of texts. It is brought in its normal form before it is checked. */
const textField = (options: FieldOptions, form: TextForm): PropertyDecorator =>
  applyDecorators(exactText(options, form), Normalised());

const Normalised = (): PropertyDecorator =>
  Transform(({ value }) => (typeof value === 'string' ? normalText(value) : value));

const exactText = (options: FieldOptions, form: TextForm): PropertyDecorator =>
  field(
    options,
    { type: 'string', minLength: 1, maxLength: form.most },
    checkSaying(form.lines === 'one' ? 'line' : 'text', (value) => wrongInText(textIn(value), form)),
  );

/** What is no text at all is told how a text looks. */
const textIn = (value: unknown = ''): string => (typeof value === 'string' ? value : '\0');

interface TextOptions extends FieldOptions {
  readonly maxLength?: number;
}

export const Line = ({ maxLength = 200, ...options }: TextOptions): PropertyDecorator =>
  textField(options, { lines: 'one', most: maxLength });

/** One e-mail address. Its case is kept (ACC-2). */
export const Email = (options: FieldOptions): PropertyDecorator =>
  field(
    { example: 'ada@example.com', ...options },
    { type: 'string', format: 'email', maxLength: 254 },
    check('email', 'must be an e-mail address', (value) => emailAddress.safeParse(value).success),
  );
const emailAddress = z.email().max(254);

interface AddressForm {
  readonly wrongIn: (written: string) => string | undefined;
  readonly normal: (written: string) => string;
}

const addressOf = ({ wrongIn, normal }: AddressForm, options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', format: 'uri', maxLength: 500 },
    Transform(({ value }) => (typeof value === 'string' && !wrongIn(value) ? normal(value) : value)),
    checkSaying('webAddress', (value) => wrongIn(typeof value === 'string' ? value : '')),
  );

/** Where programs are called. It is kept in its normal form. */
export const WebAddress = (options: FieldOptions): PropertyDecorator =>
  addressOf({ wrongIn: wrongInWebhookAddress, normal: normalWebAddress }, options);

/** Where customers find a store. It is kept in its normal form. */
export const StoreAddress = (options: FieldOptions): PropertyDecorator =>
  addressOf({ wrongIn: wrongInStoreAddress, normal: normalStoreAddress }, options);

/** A password that is chosen. It stays as it was typed: what hashes it brings it in its form. */
export const NewPassword = (options: FieldOptions): PropertyDecorator =>
  field(
    { example: 'correct horse battery', ...options },
    { type: 'string', format: 'password', minLength: LEAST_CHARACTERS, maxLength: 200 },
    checkSaying('newPassword', (value) => wrongInNewPassword(textIn(value))),
  );

/** A password that is compared with the one of an account. */
export const GivenPassword = (options: FieldOptions): PropertyDecorator =>
  field(
    { example: 'correct horse battery', ...options },
    { type: 'string', format: 'password', minLength: 1, maxLength: 200 },
    check(
      'password',
      'must be a password: at most 200 characters, none of them halves',
      (value) => typeof value === 'string' && canBePassword(value),
    ),
  );

/** Text that may have several lines. */
export const Text = ({ maxLength = 2000, ...options }: TextOptions): PropertyDecorator =>
  textField(options, { lines: 'several', most: maxLength });

export const Telephone = (options: FieldOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', maxLength: 50 },
    check(
      'telephone',
      'must be a telephone number, with its country unless it is one of the US',
      (value) => isLine(value, 50) && normaliseTelephone(value) !== undefined,
    ),
    Normalised(),
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

/** A coupon's code: any line of text, as it was sent. Spaces at its ends count, too, and forms of letters (CPN-1). */
export const Code = (options: FieldOptions): PropertyDecorator =>
  exactText(options, { lines: 'one', most: 100, exact: true });

/** The code of a new coupon. Older ones may have a code that nobody can type. */
export const NewCode = (options: FieldOptions): PropertyDecorator =>
  applyDecorators(
    Code(options),
    check('newCode', `must be ${TYPABLE_CODE}`, (value) => !isLine(value, 100) || isTypable(value)),
  );

/** Thirteen to nineteen digits in any grouping. A letter beside them means an id or a token. */
const CARD_NUMBER = /(?<![\w-])\d([ -]?\d){12,18}(?![\w-])/;

/** A token from the payment provider's form. A card number is refused, so that it never reaches the log (CHK-1). */
export const PaymentToken = (options: FieldOptions): PropertyDecorator =>
  applyDecorators(
    exactText({ example: 'tok_ok', ...options }, { lines: 'one', most: 200, exact: true, digits: 'anywhere' }),
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
    checkSaying('instant', (value) => {
      if (typeof value === 'string' && parseInstant(value) === value) return undefined;
      const form = 'an instant with a zone, like 2026-03-01T09:30:00Z or 2026-03-01T09:30:00+01:00';
      return value === undefined ? `is missing: it is ${form}` : `must be ${form}`;
    }),
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
 * A field for which the domain has a schema: the schema checks and documents it. Its texts are checked like all others, also
 * where the schema is that of an event, which takes what older versions stored. A check has one message, but a schema may find
 * several errors: the message holds them as JSON (see `validation.ts`).
 */
export function Conforming(
  schema: z.ZodType,
  { lines = 'several', ...options }: FieldOptions & Partial<Pick<TextForm, 'lines'>>,
): PropertyDecorator {
  const { description, example } = options;
  const document = { ...documented(schema, 'input'), description, example };
  const errorsIn = (value: unknown) => errorsOf(schema, lines, value);
  const validate = (value: unknown) => errorsIn(value).length === 0;
  const defaultMessage = (checked?: { value: unknown }) => JSON.stringify(errorsIn(checked?.value));
  return applyDecorators(
    field(options, document),
    ValidateBy({ name: CONFORMS, validator: { validate, defaultMessage } }),
    // As it was sent: `value` has lost members that are named like one of every object, such as `constructor`.
    Transform(({ obj, key }) => schema.safeParse(normalTexts(obj[key])).data ?? obj[key]),
  );
}

/** Errors of the fields inside the field that has the schema. */
export function errorsOf(schema: z.ZodType, lines: TextForm['lines'], value: unknown): FieldError[] {
  const wrong = wrongTexts(value, lines).map(({ path, message }) => ({ field: path.join('.'), message }));
  if (wrong.length > 0) return wrong;
  return (schema.safeParse(value).error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not a known field' }))
      : [{ field: issue.path.join('.'), message: issue.message }],
  );
}

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
