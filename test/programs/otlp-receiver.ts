import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
  readonly program: string;
}

interface Resource {
  readonly resource: { readonly attributes: readonly Attribute[] };
}

/** A collector of OpenTelemetry on loopback: OTLP over HTTP, as JSON. */
export async function receiveTelemetry() {
  // biome-ignore lint/suspicious/noExplicitAny: what is received is read as any collector reads it
  const bodies: { readonly path: string; readonly body: any }[] = [];
  const server = createServer(async (request, response) => {
    bodies.push({ path: request.url ?? '', body: await json(request) });
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const of = (path: string) => bodies.filter((one) => one.path === path).map(({ body }) => body);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: (): Span[] =>
      of('/v1/traces').flatMap(({ resourceSpans }) =>
        // biome-ignore lint/suspicious/noExplicitAny: as above
        resourceSpans.flatMap(({ resource, scopeSpans }: Resource & { scopeSpans: any[] }) => {
          const program = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
          return scopeSpans.flatMap(({ spans }) => spans.map((span: Span) => ({ ...span, program })));
        }),
      ),
    metricNames: (): string[] => [
      ...new Set(
        of('/v1/metrics').flatMap(({ resourceMetrics }) =>
          // biome-ignore lint/suspicious/noExplicitAny: as above
          resourceMetrics.flatMap(({ scopeMetrics }: { scopeMetrics: any[] }) =>
            scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }: { name: string }) => name)),
          ),
        ),
      ),
    ],
    text: () => JSON.stringify(bodies),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
