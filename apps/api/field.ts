import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { ValidateBy, ValidateIf } from 'class-validator';

/**
 * Fields of bodies and queries. Each decorator sets both the check and the documentation. A value of another type is
 * refused, never converted; only query parameters, which are all text, are read as numbers.
 */
export interface FieldOptions {
  readonly description: string;
  readonly example?: unknown;
  readonly optional?: boolean;
  /** The field that may stand in its place. */
  readonly unless?: string;
}

export function field(
  { description, example, optional = false, unless }: FieldOptions,
  shape: object,
  ...checks: PropertyDecorator[]
): PropertyDecorator {
  const documented = {
    ...shape,
    description,
    ...(example !== undefined && { example }),
    required: !optional && unless === undefined,
  };
  // Null is a value, and a wrong one: only an absent field counts as left out.
  const isChecked = (object: Record<string, unknown>, value: unknown) =>
    value !== undefined || (!optional && (unless === undefined || object[unless] === undefined));
  return applyDecorators(ApiProperty(documented as ApiPropertyOptions), ValidateIf(isChecked), ...checks);
}

export const check = (name: string, message: string, validate: (value: unknown) => boolean): PropertyDecorator =>
  ValidateBy({ name, validator: { validate, defaultMessage: () => message } });

/** A check that says what is wrong with the value. */
export const checkSaying = (name: string, wrongIn: (value: unknown) => string | undefined): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value: unknown) => wrongIn(value) === undefined,
      defaultMessage: (checked?: { value: unknown }) => wrongIn(checked?.value) ?? '',
    },
  });
