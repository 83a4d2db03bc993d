import { type ArgumentMetadata, Injectable, Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { ID } from '#domain/kernel/text';
import { exampleIds, type IdName } from '#read-models/models/examples';
import { Problem } from './problems.ts';

/** A text that cannot be an id is answered like an unknown id. */
@Injectable()
class IdPipe implements PipeTransform<string, string> {
  transform(value: string, { data = 'id' }: ArgumentMetadata): string {
    if (ID.test(value)) return value;
    const what = inWords(data.replace(/Id$/, ''));
    throw new Problem(codeOfUnknown(what), `there is no such ${what}`, { status: 404 });
  }
}

/** What the catalogue has is refused elsewhere, too, where it is not known. */
const refused: Readonly<Record<string, string>> = { store: 'unknown-store', 'lead type': 'unknown-lead-type' };

const codeOfUnknown = (what: string): string => refused[what] ?? `${what.replaceAll(' ', '-')}-unknown`;

/** `leadType` → `lead type`. */
const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

type Thing = { [Name in IdName]: Name extends `${infer What}Id` ? What : never }[IdName];

/** An id in the path: `@IdOf('order')` for `:orderId`. */
export const IdOf =
  (what: Thing): ParameterDecorator =>
  (target, method, index) => {
    const name = `${what}Id`;
    Param(name, IdPipe)(target, method, index);
    const descriptor = Object.getOwnPropertyDescriptor(target, method as string) as PropertyDescriptor;
    const example = exampleIds[name as IdName];
    ApiParam({ name, description: `The id of the ${what}.`, schema: { type: 'string', example } })(
      target,
      method as string,
      descriptor,
    );
  };

export const notFound = (what: string, id: string): Problem =>
  new Problem(codeOfUnknown(what), `there is no ${what} ${id}`, { status: 404 });
