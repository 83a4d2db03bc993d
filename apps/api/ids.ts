import { type ArgumentMetadata, Injectable, Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { ID } from './fields.ts';
import { Problem } from './problems.ts';

/** What cannot be an id names nothing that there is. */
@Injectable()
class IdPipe implements PipeTransform<string, string> {
  transform(value: string, { data = 'id' }: ArgumentMetadata): string {
    if (ID.test(value)) return value;
    const what = data.replace(/Id$/, '');
    throw new Problem(404, `${what}-unknown`, `there is no such ${what}`);
  }
}

/** An id in the path: `@IdOf('order')` for `:orderId`. */
export const IdOf =
  (what: string): ParameterDecorator =>
  (target, method, index) => {
    const name = `${what}Id`;
    Param(name, IdPipe)(target, method, index);
    const descriptor = Object.getOwnPropertyDescriptor(target, method as string) as PropertyDescriptor;
    ApiParam({ name, schema: { type: 'string' }, example: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10' })(
      target,
      method as string,
      descriptor,
    );
  };

export const notFound = (what: string, id: string): Problem =>
  new Problem(404, `${what}-unknown`, `there is no ${what} ${id}`);
