import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Server } from './server.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read the document as any client does
export type Json = any;

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Json;
}

/** The OpenAPI document of a server, without our types. */
export async function readDocument(server: Server) {
  const document: Json = (await server.call('GET', '/api/openapi.json')).body;
  const operations: Operation[] = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => ({
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  return { document, operations, faultsOf: faultsIn(document) };
}

/** @returns a function that validates a value against a JSON Schema of the document and lists the errors */
function faultsIn(document: Json): (schema: Json, value: Json) => string[] {
  const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
  formats.default(ajv);
  ajv.addVocabulary(['components', 'example']);
  ajv.addFormat('password', true);
  const compiled = new Map<Json, ValidateFunction>();
  return (schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile({ ...schema, components: document.components });
    compiled.set(schema, validate);
    validate(value);
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      `${instancePath} ${message} ${JSON.stringify(params)}`.trim(),
    );
  };
}

export const takesIfMatch = ({ operation }: Operation, required = false): boolean =>
  operation.parameters?.some((one: Json) => one.name === 'If-Match' && (one.required || !required)) ?? false;

/** The read of what a command changes: at the same path, or at the nearest path above it. A list has no revision. */
export function ownRead(operations: readonly Operation[], { path }: Operation): Operation | undefined {
  for (let above = path; above; above = above.slice(0, above.lastIndexOf('/'))) {
    // What belongs to an order may have a read of its own.
    const own = `/api/${above.split('/').slice(-2).join('/')}`;
    const found = operations.find(
      ({ id, method, path }) => method === 'GET' && [above, own].includes(path) && !id.startsWith('list'),
    );
    if (found) return found;
  }
  return undefined;
}

/** The headers that an operation cannot do without: the ETag of what it changes, and from which page a form comes. */
export async function neededHeaders(server: Server, operations: readonly Operation[], operation: Operation) {
  const read = takesIfMatch(operation, true) ? ownRead(operations, operation) : undefined;
  const etag = read && (await server.call('GET', read.path)).headers.get('etag');
  const page = operation.operation.parameters?.find((one: Json) => one.name === 'Origin');
  const origin = page?.example ?? page?.schema.example;
  return { ...(etag && { 'if-match': etag }), ...(origin && { origin }) };
}

/** A body made of the examples of its fields. */
export function exampleBody({ document, schema }: { document: Json; schema: Json }): Json {
  const { properties } = document.components.schemas[schema.$ref.split('/').at(-1)];
  return Object.fromEntries(
    Object.entries<Json>(properties)
      .filter(([, field]) => field.examples !== undefined)
      .map(([name, field]) => [name, field.examples[0]]),
  );
}
