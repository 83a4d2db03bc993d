import { Readable } from 'node:stream';
import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { NAMES_OF_ALL_OBJECTS } from '#domain/kernel/table';
import { CONFORMS } from './fields.ts';
import { type FieldError, malformed } from './problems.ts';

/** Unknown fields are refused, nothing is converted, and every wrong field is named. */
export class Validation extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      transform: true,
      exceptionFactory: (errors) => malformed(fieldErrors(errors as ValidationError[])),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'query') refuseLost(namesIn(value));
    return withoutUnset(await super.transform(value, metadata));
  }
}

/** The class has a member for every field, even for one that was not sent. Requests distinguish them by `in`. */
function withoutUnset(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Readable) return value;
  if (Array.isArray(value)) return value.map(withoutUnset);
  const set = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(set.map(([name, member]) => [name, withoutUnset(member)]));
}

/** Deeper than any body of the API. Recursion over a hostile body must have an end. */
const MAX_DEPTH = 16;
/** More than any body of the API has. What checks names needs time that grows with the square of their number. */
const MOST_MEMBERS = 2000;
/** Of all lists together. */
const MOST_ITEMS = 10_000;

/** @throws Problem for JSON that is not an object, is nested too deeply, has too many members, or one that would be lost */
export function refuseBadBody(body: unknown): void {
  if (body === undefined || body instanceof Readable) return;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw malformed([{ field: 'body', message: 'must be a JSON object' }]);
  let level: unknown[] = [body];
  let members = 0;
  let items = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw malformed([{ field: 'body', message: `is nested more than ${MAX_DEPTH} levels deep` }]);
    const names = level.flatMap((value) => namesIn(value));
    members += names.length;
    if (members > MOST_MEMBERS) throw malformed([{ field: 'body', message: `has more than ${MOST_MEMBERS} members` }]);
    items += level.reduce<number>((sum, value) => sum + (Array.isArray(value) ? value.length : 0), 0);
    if (items > MOST_ITEMS)
      throw malformed([{ field: 'body', message: `has more than ${MOST_ITEMS} items in its lists` }]);
    refuseLost(names);
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

function refuseLost(names: readonly string[]): void {
  const lost = names.find((name) => NAMES_OF_ALL_OBJECTS.has(name));
  if (lost !== undefined) throw malformed([{ field: lost, message: 'must have another name' }]);
}

const namesIn = (value: unknown): readonly string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

const fieldErrors = (errors: readonly ValidationError[], path = ''): FieldError[] =>
  errors.flatMap((error) => {
    const field = path ? `${path}.${error.property}` : (error.property ?? 'body');
    const own = Object.entries(error.constraints ?? {}).flatMap(([check, message]) =>
      check === CONFORMS ? below(field, JSON.parse(message)) : [{ field, message: messages[check] ?? message }],
    );
    return [...own, ...fieldErrors(error.children ?? [], field)];
  });

const below = (parent: string, errors: readonly FieldError[]): FieldError[] =>
  errors.map(({ field, message }) => ({ field: field ? `${parent}.${field}` : parent, message }));

const messages: Readonly<Record<string, string>> = {
  whitelistValidation: 'is not a known field',
  unknownValue: 'must be an object',
};
