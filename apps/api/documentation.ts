import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { commonSchemas } from './answers.ts';

const description = `The order and lead ledger of a lead store.

Instants are ISO 8601 with a zone, and UTC in answers. Money is in cents. Errors are problem documents (RFC 9457) with a
stable \`code\`. Commands answer with a \`position\`: a read with \`?waitFor=POSITION\` reflects them. Send an
\`Idempotency-Key\` to make a repeat safe, and \`If-Match\` to change only what you saw.`;

/** Serves the OpenAPI document at /api/openapi.json and a page that shows it at /api/docs. */
export function serveDocumentation(application: NestFastifyApplication): void {
  let document: OpenAPIObject | undefined;
  const server = application.getHttpAdapter().getInstance();
  server.get('/api/openapi.json', () => {
    document ??= describe(application);
    return document;
  });
  server.get('/api/docs', (_, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', ONLY_FROM_HERE).send(page),
  );
  server.get('/api/docs/start.js', (_, reply) => reply.type('text/javascript').send(START));
  for (const [file, type] of Object.entries(assets))
    server.get(`/api/docs/${file}`, (_, reply) => reply.type(type).send(createReadStream(assetPath(file))));
}

function describe(application: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder().setTitle('Leadger').setDescription(description).setVersion('0.1.0').build();
  const document = SwaggerModule.createDocument(application, config);
  document.components = { schemas: { ...document.components?.schemas, ...commonSchemas() } };
  return document;
}

const assets = { 'swagger-ui-bundle.js': 'text/javascript', 'swagger-ui.css': 'text/css' };

/** The page comes with @nestjs/swagger: nothing is fetched from elsewhere. */
const assetPath = (file: string): string =>
  createRequire(import.meta.resolve('@nestjs/swagger')).resolve(`swagger-ui-dist/${file}`);

const ONLY_FROM_HERE = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

const START = "SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#documentation', deepLinking: true });\n";

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Leadger API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<div id="documentation">See <a href="/api/openapi.json">openapi.json</a>.</div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</html>
`;
