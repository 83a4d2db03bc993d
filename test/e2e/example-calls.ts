import { exampleBody, type Json, neededHeaders, type Operation, type readDocument } from './api-document.ts';
import type { Reply, Server } from './server.ts';

/** Calls operations of the API with the examples of the document, and learns the ids that the server gives. */
export class ExampleCalls {
  readonly #server: Server;
  readonly #api: Awaited<ReturnType<typeof readDocument>>;
  /** An id of the examples → the one that the server gave. */
  readonly #actual = new Map<string, string>();

  constructor(server: Server, api: Awaited<ReturnType<typeof readDocument>>) {
    this.#server = server;
    this.#api = api;
  }

  operation(id: string): Operation {
    return this.#api.operations.find((operation) => operation.id === id) as Operation;
  }

  /** The body of a request, with the ids that the server gave. */
  bodyOf({ operation }: Operation): Json {
    const schema = operation.requestBody?.content?.['application/json']?.schema;
    if (!schema) return undefined;
    return JSON.parse(this.#given(JSON.stringify(exampleBody({ document: this.#api.document, schema }))));
  }

  addressOf({ path, operation }: Operation): string {
    const inPath = (operation.parameters ?? []).filter((one: Json) => one.in === 'path');
    return this.#given(
      inPath.reduce((filled: string, { name, schema }: Json) => filled.replace(`{${name}}`, schema.example), path),
    );
  }

  async send(operation: Operation, body: Json): Promise<Reply> {
    const needed = await neededHeaders(this.#server, this.#api.operations, operation);
    const headers = { 'leadger-reason': 'asked by telephone', ...needed };
    return this.#server.call(operation.method, this.addressOf(operation), body, headers);
  }

  /** Calls an operation, which must succeed. From then on, its ids replace those of the examples. */
  async call(id: string, changes: Json = {}): Promise<Json> {
    const operation = this.operation(id);
    const body = this.bodyOf(operation);
    const reply = await this.send(operation, body && { ...body, ...changes });
    if (reply.status >= 300) throw new Error(`${id} was answered ${reply.status}: ${reply.text}`);
    const { example } = operation.operation.responses[reply.status].content['application/json'];
    for (const [name, value] of Object.entries<Json>(example ?? {}))
      if (/Id$/.test(name) && typeof value === 'string' && value.length === 36)
        this.#actual.set(value, reply.body[name]);
    await this.#server.settle();
    return reply.body;
  }

  #given(text: string): string {
    return [...this.#actual].reduce((replaced, [example, real]) => replaced.replaceAll(example, real), text);
  }
}
