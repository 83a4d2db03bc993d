import type { Json, Operation } from './api-document.ts';

/** A text in the body of a request that is no choice from a list, no id and no instant. */
export interface TextField {
  readonly operation: Operation;
  readonly path: readonly string[];
}

const resolved = (document: Json, schema: Json): Json =>
  schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema;

/** `[]`: a member of a list; `*`: of a record. */
function pathsIn(document: Json, schema: Json, path: readonly string[] = []): (readonly string[])[] {
  const {
    type,
    properties = {},
    additionalProperties,
    propertyNames,
    items,
    anyOf = [],
    allOf = [],
    enum: list,
    ...more
  } = resolved(document, schema);
  if (type === 'string') return list || 'const' in more || more.pattern || /date/.test(more.format) ? [] : [path];
  const below = (one: Json, name?: string) => pathsIn(document, one, name === undefined ? path : [...path, name]);
  const alternatives = [...anyOf, ...allOf].flatMap((one: Json) => below(one));
  const members = Object.entries<Json>(properties).flatMap(([name, member]) => below(member, name));
  const ofList = items ? below(items, '[]') : [];
  const ofRecord = additionalProperties ? below(additionalProperties, '*') : [];
  const names = propertyNames ? below(propertyNames, '(name)') : [];
  return [...alternatives, ...members, ...ofList, ...ofRecord, ...names];
}

export function textFieldsOf(document: Json, operation: Operation): TextField[] {
  const schema = operation.operation.requestBody?.content?.['application/json']?.schema;
  return schema ? pathsIn(document, schema).map((path) => ({ operation, path })) : [];
}

export const nameOf = ({ operation, path }: TextField): string => `${operation.id} ${path.join('.')}`;

/** A body with a text at a place. */
export function withText(body: Json, [name, ...below]: readonly string[], text: string): Json {
  if (name === undefined) return text;
  if (name === '[]') return [withText(Array.isArray(body) ? body[0] : undefined, below, text)];
  if (name === '*') return { 'wrong-number': text };
  if (name === '(name)') return { [text]: 'A label' };
  return { ...body, [name]: withText(body?.[name], below, text) };
}
