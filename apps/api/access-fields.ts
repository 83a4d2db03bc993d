import { z } from 'zod';
import { ID } from '#domain/kernel/text';
import { Conforming } from './fields.ts';

type Options = Parameters<typeof Conforming>[1];

const MOST_STORES = 1000;
const MOST_ORIGINS = 20;

const areDifferent = (texts: readonly string[]): boolean => new Set(texts).size === texts.length;

/** One or more of these, each once. */
export const SomeOf = (values: readonly [string, ...string[]], options: Options): PropertyDecorator =>
  Conforming(
    z.array(z.enum(values)).min(1).refine(areDifferent, { error: 'must be different' }).meta({ uniqueItems: true }),
    options,
  );

/** All stores, or some. */
export const Stores = (options: Options): PropertyDecorator =>
  Conforming(z.union([z.literal('all'), z.array(z.string().regex(ID)).min(1).max(MOST_STORES)]), {
    example: 'all',
    ...options,
  });

const origin = z
  .string()
  .max(200)
  .refine((text) => URL.parse(text)?.origin === text, { error: 'must be an origin, like https://west.example' });

export const Origins = (options: Options): PropertyDecorator =>
  Conforming(z.array(origin).min(1).max(MOST_ORIGINS), options);
