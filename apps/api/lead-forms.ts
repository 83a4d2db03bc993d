import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Identities, LeadForm } from '#requests/identities';
import { malformed, Problem } from './problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** That it is sent to. Undefined for other routes, and where there is no such form, or its key has ended. */
    leadForm?: LeadForm | undefined;
  }
}

export const FORM_PATH = 'api/forms';
export const URL_ENCODED = 'application/x-www-form-urlencoded';

const TO_FORM = new RegExp(`^/${FORM_PATH}/([A-Za-z0-9._~-]{1,100})/leads(?=[?]|$)`);
const MOST_BYTES = 65_536;
const SECONDS_OF_PREFLIGHT = '600';

/** Any page may send one: the form itself says of which pages it takes something. */
export const isLeadForm = ({ url }: FastifyRequest): boolean => TO_FORM.test(url);

/** Browsers ask whether the pages of a form may send it and read the answer. Before all else: nobody says here who asks. */
export function findForms(server: FastifyInstance, identities: Identities): void {
  server.decorateRequest('leadForm', undefined);
  server.addHook('onRequest', async (request, reply) => {
    const formId = TO_FORM.exec(request.url)?.[1];
    if (formId === undefined) return undefined;
    request.leadForm = await identities.ofForm(formId);
    allowPage(request, reply);
    return request.method === 'OPTIONS' ? reply.status(204).send() : undefined;
  });
}

function allowPage(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  reply.header('vary', 'Origin');
  if (origin === undefined || !request.leadForm?.origins.includes(origin)) return;
  reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', 'Retry-After');
  if (request.method !== 'OPTIONS') return;
  reply
    .header('access-control-allow-methods', 'POST')
    .header('access-control-allow-headers', 'content-type')
    .header('access-control-max-age', SECONDS_OF_PREFLIGHT);
}

/** @throws Problem where there is no such form, or the page is none of its own */
export function formOf({ leadForm, headers: { origin } }: FastifyRequest): LeadForm {
  if (!leadForm) throw new Problem('form-unknown', 'there is no such form, or its key has ended');
  if (origin === undefined || !leadForm.origins.includes(origin))
    throw new Problem('origin-refused', 'this form is not taken from pages of this origin');
  return leadForm;
}

export const refusedAsTooLong = (request: FastifyRequest, body: Buffer): Problem | undefined =>
  isLeadForm(request) && body.length > MOST_BYTES
    ? new Problem('body-too-large', `a form has at most ${MOST_BYTES} bytes`)
    : undefined;

/** @throws Problem for a body that is too long, and for a field that is there twice */
export function fieldsIn(request: FastifyRequest, body: Buffer): Record<string, string> {
  const refused = refusedAsTooLong(request, body);
  if (refused) throw refused;
  const fields = [...new URLSearchParams(body.toString())];
  const names = fields.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw malformed([{ field: twice, message: 'is there more than once' }]);
  return Object.fromEntries(fields);
}

const NESTED = /^(consent|extraFields)\.(.+)$/s;

/**
 * What a form calls `consent.text` is the text of the consent. Fields that were left empty are not there, and a box that was not ticked
 * leaves no consent, whatever else the page says of it.
 */
export function nestedFields(fields: unknown): Record<string, unknown> {
  const filled = Object.entries(fields ?? {}).filter(([, value]) => value !== '');
  const plain = filled.filter(([name]) => !NESTED.test(name));
  const isAgreed = filled.some(([name]) => name === 'consent.text');
  const nested = new Map<string, [string, unknown][]>();
  for (const [name, value] of filled) {
    const [, parent, child] = NESTED.exec(name) ?? [];
    if (parent !== undefined && child !== undefined && (parent !== 'consent' || isAgreed))
      nested.set(parent, [...(nested.get(parent) ?? []), [child, value]]);
  }
  return Object.fromEntries([
    ...plain,
    ...[...nested].map(([name, members]) => [name, Object.fromEntries(members)] as const),
  ]);
}
