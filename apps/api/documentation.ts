import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { errorCodes } from '#apps/error-codes';
import { Problem } from './problems.ts';
import { namedSchemas } from './schemas.ts';
import { DOCUMENTATION_POLICY } from './web-headers.ts';

const description = `The order and lead ledger of a lead store.

Instants are ISO 8601 with a zone, and UTC in answers. Money is in minor units of its currency (ISO 4217). Errors are problem documents (RFC 9457) with a
stable \`code\`; \`x-error-codes\` lists all codes, what they mean and what to do. When a code is about an id in the path,
the status is 404 instead of 409. Commands answer with a \`position\`: a read with \`?waitFor=POSITION\` reflects them. Send an \`Idempotency-Key\` to make a repeat safe, and \`If-Match\` to
change only what you saw. Lists answer \`items\`, and a \`nextCursor\` except on the last page.

Who asks is known by a session (\`POST /api/sign-ins\`: a cookie for browsers, a token for programs that ask for it) or by an API key
(\`Authorization: Bearer\`). As long as nobody is staff, it is a trial: whoever is at the machine may do everything, and \`Leadger-Actor\` says as whom.`;

/** Subjects of the API, in the order in which a new store needs them. */
const tags = {
  catalogue: 'Stores, lead types and prices.',
  policy: "The numbers and lists of the store's rules, in versions.",
  customers: 'Accounts of customers: who they are, and how they get leads and mails.',
  'sign-in': 'Sign in and out, list sessions, and recover a lost password.',
  staff: 'Who works for the store, and what they may do.',
  'api-keys': 'Keys with which programs ask.',
  'business-merges': 'Businesses with different names that are one (DLV-3).',
  coupons: 'Discounts by code.',
  checkout: 'Before the order: what it would cost, with or without a coupon.',
  orders: 'Orders and their progress.',
  refunds: 'Money that is given back, and payments that are disputed.',
  receipts: 'Receipts of charges and refunds, and the taxes in them.',
  programmes: 'Loyalty Rewards: orders that are renewed automatically, with bonus leads.',
  leads: 'Leads that the store receives, and what is in stock.',
  'delivered leads': 'The leads that were delivered to a customer.',
  replacements: 'Bad leads that customers return, and the leads that replace them.',
  support: 'Tickets, and all that happened to one customer.',
  persons: 'What is held about one person, and the end of it.',
  suppressions: 'Persons who are not sold any more: opt-outs and do-not-call lists (DLV-12).',
  mails: 'Mails to customers, and whether they were sent.',
  webhooks: "Leads on their way to customers' own programs.",
  attention: 'Orders that need attention.',
  feed: 'Changes as they happen.',
  operations: 'Health, metrics, parked items and read models.',
} as const;

/** Serves the OpenAPI document at /api/openapi.json and a page that shows it at /api/docs. */
export function serveDocumentation(application: NestFastifyApplication): void {
  let document: object | undefined;
  const server = application.getHttpAdapter().getInstance();
  server.get('/api/openapi.json', () => {
    document ??= describe(application);
    return document;
  });
  server.get('/api/docs', (_, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', DOCUMENTATION_POLICY).send(page),
  );
  server.get('/api/docs/start.js', (_, reply) => reply.type('text/javascript; charset=utf-8').send(START));
  for (const [file, type] of Object.entries(assets))
    server.get(`/api/docs/${file}`, async (_, reply) => reply.type(type).send(await readFile(assetPath(file))));
}

/** Any route may answer this, before its own code runs. */
const notFromHere = {
  status: 403,
  description: errorCodes['not-from-here'].meaning,
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      example: new Problem('not-from-here', 'requests from there are not accepted').document(),
    },
  },
} as const;

function describe(application: NestFastifyApplication): object {
  const {
    info: { contact: _, ...info },
    components,
    ...document
  } = SwaggerModule.createDocument(application, header(), {
    // Clients call the operations by the names of the controllers' methods (ADR 16).
    operationIdFactory: (_, method) => method,
  });
  return {
    ...document,
    info: { ...info, license: { name: 'MIT', identifier: 'MIT' } },
    // Some routes need none of them: the catalogue, a registration.
    security: [{}, { session: [] }, { bearer: [] }],
    components: { securitySchemes, schemas: { ...bodySchemas(components?.schemas), ...namedSchemas() } },
    'x-error-codes': errorCodes,
  };
}

const securitySchemes = {
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-leadger-session',
    description:
      'The session of a browser. Requests that change something need a same-origin Sec-Fetch-Site or Origin.',
  },
  bearer: { type: 'http', scheme: 'bearer', description: 'The token of a session, or the key of a program.' },
} as const;

function header() {
  const header = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Leadger')
    .setDescription(description)
    .setVersion('0.1.0')
    .addServer('/', 'The server that this document comes from.')
    .addGlobalResponse(notFromHere);
  for (const [tag, meaning] of Object.entries(tags)) header.addTag(tag, meaning);
  return header.build();
}

/** The schemas of bodies, as OpenAPI 3.1 has them: examples in a list, and no other fields (the validation refuses them). */
const bodySchemas = (schemas: object = {}): Record<string, object> =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, { ...withExamples(schema), additionalProperties: false }]),
  );

function withExamples<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withExamples) as Value;
  const entries = Object.entries(value).map(([keyword, member]) =>
    keyword === 'example' ? ['examples', [member]] : [keyword, withExamples(member)],
  );
  return Object.fromEntries(entries) as Value;
}

const assets = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
};

/** The page comes with @nestjs/swagger: nothing is fetched from elsewhere. */
const assetPath = (file: string): string =>
  createRequire(import.meta.resolve('@nestjs/swagger')).resolve(`swagger-ui-dist/${file}`);

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
