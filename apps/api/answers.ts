import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  HttpCode,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map } from 'rxjs';
import { z } from 'zod';
import type { Refusal } from '#domain/kernel/decider';
import type { Answer } from '#requests/request-tools';
import { malformed, Problem } from './problems.ts';

const components: Record<string, object> = {};

/** A schema of an answer, as the documentation shows it. A schema with a name (`.meta({ id })`) becomes a component. */
function documented(schema: z.ZodType): object {
  const written = JSON.stringify(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'output' }));
  const { definitions, ...own } = JSON.parse(written.replaceAll('#/definitions/', '#/components/schemas/'));
  Object.assign(components, definitions);
  return own;
}

/** Schemas that routes refer to by name. */
export const commonSchemas = () => ({
  ...components,
  Problem: documented(problemDocument),
  CommandAnswer: documented(commandAnswer),
});

/** What a route answers when all is well: its schema, and an example that the compiler holds against it. */
export const Answers = <Schema extends z.ZodType>(
  status: number,
  description: string,
  schema: Schema,
  example: z.input<Schema>,
) => ApiResponse({ status, description, content: { 'application/json': { schema: documented(schema), example } } });

const problemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  rule: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  details: z.record(z.string(), z.string()).optional().describe('more for programs, e.g. why a coupon is invalid'),
});

const problems = {
  400: ['what was sent is malformed: each wrong field is named', 'invalid-request', 'quantity: must be a whole number'],
  401: ['not with this address and password', 'sign-in-failed', 'no account has this address and this password'],
  403: ['not for this actor', 'support-only', 'only support may do this'],
  404: ['there is no such thing', 'order-unknown', 'there is no such order'],
  409: ['a rule of the store says no', 'order-filled', 'the order is filled: it cannot be paused'],
  412: ['it changed since the revision named in If-Match', 'revision-mismatch', 'this is at revision 4, not 3'],
  413: ['more than a request may carry', 'body-too-large', 'the body is too large'],
  415: ['not a content type of this route', 'unsupported-media-type', 'this route does not take that content type'],
  422: ['the Idempotency-Key was used with another body', 'key-reused', 'this key came with another body before'],
  503: ['not now: ask again after Retry-After seconds', 'store-unavailable', 'the store cannot be reached'],
  507: ['the disk is full; reading goes on', 'store-full', 'the disk is full'],
} as const;

export const Problems = (...statuses: (keyof typeof problems)[]) =>
  applyDecorators(
    ...statuses.map((status) => {
      const [description, code, detail] = problems[status];
      const example = new Problem(status, code, detail).document();
      const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example } };
      return ApiResponse({ status, description, content });
    }),
  );

const commandAnswer = z.object({
  id: z.string().describe('what the command was about, or created'),
  revision: z.int().describe('of its stream after the command; the same as the ETag'),
  position: z.string().describe('give it to a read as waitFor, and the read reflects this command'),
  events: z.array(z.string()).describe('types of the events that were recorded; empty when all was so already'),
});

interface CommandRoute {
  readonly summary: string;
  /** Types of the events of the example. */
  readonly records: readonly string[];
  /** There is nothing to say but the path: a body with fields is refused. */
  readonly takesNothing?: boolean;
  /** Where to find what the command creates: a path with `:id`. It answers 201 then. */
  readonly creates?: string;
}

/** A route that carries a command. Its handler returns what `Requests` answered; this turns that into HTTP. */
export function CommandRoute({ summary, records, creates, takesNothing = false }: CommandRoute) {
  const status = creates ? 201 : 200;
  const example: z.infer<typeof commandAnswer> = {
    id: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
    revision: records.length - 1,
    position: '0000000000000042',
    events: [...records],
  };
  return applyDecorators(
    HttpCode(status),
    UseInterceptors(new OutcomeInterceptor({ creates, takesNothing })),
    ApiOperation({ summary }),
    ...(creates ? [] : [ifMatch]),
    ...askingHeaders,
    ApiResponse({
      status,
      description: 'it is recorded',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/CommandAnswer' }, example } },
    }),
    Problems(400, 403, 404, 409, 412, 413, 415, 422, 503, 507),
  );
}

const header = (name: string, description: string, example: string) =>
  ApiHeader({ name, description, required: false, schema: { type: 'string' }, example });

const ifMatch = header('If-Match', 'only if it is still at this revision, the ETag of an earlier answer', '"3"');
const whoAndWhy = [
  header('Leadger-Actor', 'who asks: customer:ID or staff:NAME', 'staff:ada'),
  header('Leadger-Reason', 'why, for the history', 'asked by telephone'),
];
const askingHeaders = [
  header('Idempotency-Key', 'a repeat with the same key gets the first answer and does nothing', 'checkout-5512'),
  ...whoAndWhy,
];

/** A read that records who asked for it, and why (SUP-2). */
export const RecordedRead = () => applyDecorators(...whoAndWhy, Problems(403, 507));

class OutcomeInterceptor implements NestInterceptor<Answer, z.infer<typeof commandAnswer>> {
  readonly #route: { creates: string | undefined; takesNothing: boolean };

  constructor(route: { creates: string | undefined; takesNothing: boolean }) {
    this.#route = route;
  }

  intercept(context: ExecutionContext, next: CallHandler<Answer>) {
    const { creates, takesNothing } = this.#route;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    if (takesNothing) refuseFields(request.body);
    return next.handle().pipe(
      map((answer) => {
        const told = mustBeAccepted(answer, request.params as Record<string, string>);
        reply.header('etag', etagOf(told.revision)).header('leadger-position', told.position);
        if (creates) reply.header('location', creates.replace(':id', encodeURIComponent(told.id)));
        return told;
      }),
    );
  }
}

function refuseFields(body: unknown): void {
  const fields = Object.keys((body as object | undefined) ?? {});
  if (fields.length > 0) throw malformed(fields.map((field) => ({ field, message: 'is not a known field' })));
}

export const etagOf = (revision: number): string => `"${revision}"`;

/** @throws Problem when the ledger did not accept the command */
export function mustBeAccepted(
  { id, outcome }: Answer,
  params: Readonly<Record<string, string>>,
): z.infer<typeof commandAnswer> {
  switch (outcome.kind) {
    case 'accepted': {
      const { revision, position, events } = outcome;
      return { id, revision, position, events: events.map(({ type }) => type) };
    }
    case 'refused':
      throw problemOfRefusal(outcome.refusal, params);
    case 'key-reused':
      throw aboutHeader(422, 'key-reused', 'idempotency-key', 'this Idempotency-Key came with another body before');
    case 'revision-mismatch':
      throw outcome.actual === 'no-stream'
        ? new Problem(404, 'not-found', `there is no ${id}`)
        : aboutHeader(412, 'revision-mismatch', 'if-match', `this is at revision ${outcome.actual} by now`);
  }
}

const aboutHeader = (status: number, code: string, field: string, message: string): Problem =>
  new Problem(status, code, message, { errors: [{ field, message }] });

/** Which field of the request a refusal is about. Where the path names it, there is no such resource. */
const fieldOfRefusal: Readonly<Record<string, string>> = {
  'address-missing': 'email',
  'address-taken': 'email',
  'checkout-unknown': 'checkoutId',
  'coupon-exists': 'code',
  'coupon-never-valid': 'validUntil',
  'invalid-coupon': 'code',
  'business-association-empty': 'businessAssociation',
  'contact-unknown': 'leadId',
  'coupon-not-used': 'insteadOf',
  'customer-unknown': 'customerId',
  'daily-maximum-missing': 'dailyMaximum',
  'daily-maximum-on-batch-type': 'dailyMaximum',
  'lead-not-delivered': 'leadId',
  'link-dead': 'token',
  'mail-always-sent': 'off',
  'password-wrong': 'currentPassword',
  'lead-type-exists': 'leadTypeId',
  'lead-unknown': 'leadId',
  'not-sold': 'leadTypeId',
  'order-limits-crossed': 'smallestOrder',
  'order-unknown': 'orderId',
  'not-in-loyalty-rewards': 'loyalty',
  'policy-in-the-past': 'effectiveFrom',
  'price-in-the-past': 'effectiveFrom',
  'ages-into-stranger': 'agesInto',
  'programme-unknown': 'orderId',
  'quantity-outside-limits': 'quantity',
  'reason-missing': 'leadger-reason',
  'replacement-unknown': 'replacementId',
  'return-reason-unknown': 'reason',
  'store-exists': 'storeId',
  'ticket-unknown': 'ticketId',
  'webhook-unknown': 'webhookId',
  'unknown-cadence': 'loyalty.cadence',
  'unknown-lead-type': 'leadTypeId',
  'unknown-store': 'storeId',
};

/** Refusals that are about the request and not about what it asks for. */
const statusOfRefusal: Readonly<Record<string, number>> = {
  'not-yours': 403,
  'process-only': 403,
  'reason-missing': 400,
  'staff-only': 403,
  'support-only': 403,
};

export function problemOfRefusal(
  { code, message, rule, details, field = fieldOfRefusal[code] }: Refusal,
  params: Readonly<Record<string, string>>,
): Problem {
  if (field !== undefined && field in params) return new Problem(404, code, message);
  const errors = field === undefined ? undefined : [{ field, message }];
  return new Problem(statusOfRefusal[code] ?? 409, code, message, { rule, errors, details });
}
