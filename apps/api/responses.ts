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
import { errorCodes } from '#apps/error-codes';
import { isVisitor } from '#domain/kernel/caller';
import { exampleIds, type IdName } from '#read-models/models/examples';
import type { Receipt } from '#requests/request-tools';
import { etagOf } from './conditional.ts';
import { malformed, Problem, problemOfRefusal } from './problems.ts';
import { documented, named } from './schemas.ts';

/** Decorates a handler that answers exactly this: with a field too many or too few it does not compile. */
type AnswersExactly<Answer> = <Arguments extends unknown[]>(
  controller: object,
  name: string,
  handler: TypedPropertyDescriptor<(...given: Arguments) => Promise<Answer>>,
) => void;

/** A route that answers what the schema says, and what else it is. */
export const answering = <Schema extends z.ZodType>(_: Schema, ...decorators: MethodDecorator[]) =>
  applyDecorators(...decorators) as AnswersExactly<z.output<Schema>>;

export const succeeds = <Schema extends z.ZodType>(
  status: number,
  description: string,
  schema: Schema,
  example: z.input<Schema>,
) => ApiResponse({ status, description, content: { 'application/json': { schema: documented(schema), example } } });

/** What a route answers when it succeeds: its schema, and an example. The compiler checks both. */
export const Responds = <Schema extends z.ZodType>(
  status: number,
  description: string,
  schema: Schema,
  example: z.input<Schema>,
) => answering(schema, succeeds(status, description, schema, example));

const problemDocument = named(
  'Problem',
  z
    .object({
      type: z.string().describe('Always about:blank; `code` says which problem it is.'),
      title: z.string().describe('The name of the status.'),
      status: z.int().describe('The HTTP status.'),
      code: z.string().describe('A stable code for programs. All codes are in `x-error-codes` of this document.'),
      detail: z.string().describe('What is wrong, in a sentence for people.'),
      whatToDo: z.string().optional().describe('Of a refusal: what to do instead.'),
      rule: z.string().optional().describe('The id of the business rule that refused the request.'),
      errors: z
        .array(
          z.object({
            field: z.string().describe('Path of the field in the body, or name of the parameter or header.'),
            message: z.string().describe('What is wrong with it.'),
          }),
        )
        .optional()
        .describe('The fields that are wrong.'),
      details: z.record(z.string(), z.string()).optional().describe('More for programs, e.g. why a coupon is invalid.'),
    })
    .describe('What went wrong (RFC 9457).'),
);

const problems = {
  400: ['The request is malformed; each wrong field is named.', 'invalid-request', 'quantity: must be a whole number'],
  401: ['It is not known who asks.', 'sign-in-needed', 'sign in first, or send the key of a program'],
  403: ['The actor may not do this.', 'support-only', 'only support may do this'],
  404: ['It does not exist.', 'order-unknown', 'there is no such order'],
  409: ['A rule of the store refuses it.', 'order-filled', 'the order is filled: it cannot be paused'],
  412: ['It changed since the revision that If-Match names.', 'revision-mismatch', 'this is at revision 4 by now'],
  413: ['The request is larger than the server accepts.', 'body-too-large', 'the body is too large'],
  415: [
    'The route does not accept this content type.',
    'unsupported-media-type',
    'this route accepts application/json',
  ],
  422: ['The Idempotency-Key was used with another body.', 'key-reused', 'this key came with another body before'],
  423: ['Its stream was cut or deleted in the event store.', 'stream-damaged', 'the stream order-17 is damaged'],
  428: [
    'The request must say what its sender saw, in If-Match.',
    'policy-not-seen',
    'name the versions that you saw: send their ETag in If-Match',
  ],
  429: [
    'Too much was asked: send it again after Retry-After seconds.',
    'too-many-passwords',
    'too many passwords are being checked now',
  ],
  503: ['Not now: send it again after Retry-After seconds.', 'store-unavailable', 'the store cannot be reached'],
  507: ['The disk is full; reading works.', 'store-full', 'the disk is full'],
} as const;

const problemSchema = documented(problemDocument);

/** The ways in which a route may fail, by status. */
export const Problems = (...statuses: (keyof typeof problems)[]) =>
  applyDecorators(
    ...statuses.map((status) => {
      const [description, code, detail] = problems[status];
      const example = new Problem(code, detail, { status }).document();
      return ApiResponse({
        status,
        description,
        content: { 'application/problem+json': { schema: problemSchema, example } },
      });
    }),
  );

const commandResult = z.object({
  revision: z.int().describe('The revision of its stream after the command; the same as the ETag.'),
  position: z.string().describe('Send it with a read as waitFor: then the read reflects this command.'),
  events: z.array(z.string()).describe('Types of the events that were recorded; empty when nothing had to change.'),
});
type CommandResult = z.infer<typeof commandResult>;
/** Where a command left its stream is not always told. */
type AnsweredPlace = { readonly [Name in keyof CommandResult]?: CommandResult[Name] | undefined };

interface CommandRoute {
  readonly summary: string;
  /** Types of the events of the example. */
  readonly records: readonly string[];
  /** The field with the id of what the command changed or created; absent where there is only one such thing. */
  readonly idName?: IdName;
  /** The path says everything: a body with fields is refused. */
  readonly takesNothing?: boolean;
  /** What an answer may say besides: the `answer` of the receipt. */
  readonly adds?: z.ZodRawShape;
  /** Visitors may ask, or some answers do not say how much was recorded: {@link AnsweredReceipt.hidesPlace}. */
  readonly hidesPlace?: true;
  /** Where to find what the command creates: a path with `:id`. The route answers 201 then. */
  readonly creates?: string;
  /**
   * `needed`: nobody may send it without saying what they saw. Default: taken, unless it creates something, which had no revision
   * before.
   */
  readonly ifMatch?: 'taken' | 'needed' | 'none';
}

/** A route that carries a command. Its handler returns the outcome; this decorator turns it into an HTTP response. */
export function CommandRoute({ summary, records, idName, adds, creates, hidesPlace, ...needs }: CommandRoute) {
  const { takesNothing = false, ifMatch = creates ? 'none' : 'taken' } = needs;
  const status = creates ? 201 : 200;
  const example = {
    ...(idName && { [idName]: exampleIds[idName] }),
    revision: records.length - 1,
    position: '0000000000000042',
    events: [...records],
    ...Object.fromEntries(Object.entries(exampleIds).filter(([name]) => adds && name in adds)),
  };
  return applyDecorators(
    HttpCode(status),
    UseInterceptors(new OutcomeInterceptor({ idName, creates, takesNothing })),
    ApiOperation({ summary }),
    ...ifMatchHeaders[ifMatch],
    ...askingHeaders,
    succeeds(
      status,
      'The command is recorded.',
      hidesPlace ? resultHidingPlace(idName) : resultNaming(idName, adds),
      example,
    ),
    Problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 423, 503, 507),
  );
}

const resultSchemas = new Map<string, { readonly schema: z.ZodType<CommandResult>; readonly added: string }>();

/**
 * The schema of a command's answer, with the id under the name that it has everywhere.
 * @throws Error when two routes would say different things under one name
 */
function resultNaming(idName: IdName | undefined, adds: z.ZodRawShape = {}): z.ZodType<CommandResult> {
  const added = Object.keys(adds).join();
  const noun = idName?.replace(/(Id|Code)$/, '') ?? '';
  const name = `${added && 'Detailed'}${noun.charAt(0).toUpperCase()}${noun.slice(1)}CommandResult`;
  const known = resultSchemas.get(name);
  if (known && known.added !== added) throw new Error(`two answers have the name ${name}`);
  if (known) return known.schema;
  const shape = idName ? { [idName]: z.string().describe('What the command was about, or created.') } : {};
  const schema = named(name, z.object({ ...shape, ...commandResult.shape, ...adds }).describe('What a command did.'));
  resultSchemas.set(name, { schema, added });
  return schema;
}

const resultHidingPlace = (idName: IdName | undefined): z.ZodType<AnsweredPlace> => {
  const result = resultNaming(idName) as z.ZodObject<typeof commandResult.shape>;
  const shown = { revision: result.shape.revision.optional(), position: result.shape.position.optional() };
  return named(`New${result.meta()?.id}`, result.extend(shown).describe('What a command did.'));
};

const header = (name: string, description: string, example: string, required = false) =>
  ApiHeader({ name, description, required, schema: { type: 'string' }, example });

const ifMatchTaken = header('If-Match', 'Only if it is still at this revision: the ETag of an earlier answer.', '"3"');
const ifMatchNeeded = header(
  'If-Match',
  'Which revision its sender saw: the ETag of an earlier answer. Not *, which names none.',
  '"3"',
  true,
);
const ifMatchHeaders = { taken: [ifMatchTaken], needed: [ifMatchNeeded, Problems(428)], none: [] } as const;
const whoAndWhy = [
  header(
    'Leadger-Actor',
    'In a trial, who asks: customer:ID, staff:ID or system:ID. It is stored in plain for ever: an id, no name and no e-mail address.',
    'staff:7',
  ),
  header('Leadger-Reason', 'Why, for the history. It is stored sealed.', 'asked by telephone'),
];
const askingHeaders = [
  header(
    'Idempotency-Key',
    'A repeat with the same key gets the first answer and changes nothing. A refusal, and an answer with `events: []`, recorded nothing and are not remembered: then the repeat is decided anew.',
    'checkout-5512',
  ),
  ...whoAndWhy,
];

/** A read that is recorded: who asked, and why (SUP-2). */
export const RecordedRead = () => applyDecorators(...whoAndWhy, Problems(403, 507));

/** A receipt, and what its answer says besides or otherwise. */
export interface AnsweredReceipt extends Receipt {
  readonly answer?: Readonly<Record<string, unknown>>;
  /** The answer does not say how much was recorded, because it would tell what the store knows. */
  readonly hidesPlace?: boolean;
}

type RouteOptions = { readonly [Name in 'idName' | 'creates' | 'takesNothing']: CommandRoute[Name] | undefined };

class OutcomeInterceptor implements NestInterceptor<AnsweredReceipt, Partial<CommandResult>> {
  readonly #route: RouteOptions;

  constructor(route: RouteOptions) {
    this.#route = route;
  }

  intercept(context: ExecutionContext, next: CallHandler<AnsweredReceipt>) {
    const { idName, creates, takesNothing } = this.#route;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    if (takesNothing) refuseFields(request.body);
    return next.handle().pipe(
      map((receipt) => {
        const { events, ...place } = mustBeAccepted(receipt, request.params as Record<string, string>);
        // Whoever asks as nobody could compare positions, and so learn what the store recorded in between.
        const isHidden = receipt.hidesPlace === true || isVisitor(request.identity.caller);
        if (!isHidden) reply.header('etag', etagOf(place.revision)).header('leadger-position', place.position);
        if (creates) reply.header('location', creates.replace(':id', encodeURIComponent(receipt.id)));
        return {
          ...(idName && { [idName]: receipt.id }),
          ...(!isHidden && place),
          ...{ events, ...receipt.answer },
        };
      }),
    );
  }
}

function refuseFields(body: unknown): void {
  const fields = Object.keys((body as object | undefined) ?? {});
  if (fields.length > 0) throw malformed(fields.map((field) => ({ field, message: 'is not a known field' })));
}

/** @throws Problem when the ledger did not accept the command */
function mustBeAccepted({ id, outcome }: Receipt, params: Readonly<Record<string, string>>): CommandResult {
  switch (outcome.kind) {
    case 'accepted': {
      const { revision, position, events } = outcome;
      return { revision, position, events: events.map(({ type }) => type) };
    }
    case 'refused':
      throw problemOfRefusal(outcome.refusal, params);
    case 'key-reused':
      throw aboutField('key-reused', 'this Idempotency-Key came with another body before');
    case 'revision-mismatch':
      throw outcome.actual === 'no-stream'
        ? new Problem('not-found', `there is nothing with the id ${id}`)
        : aboutField('revision-mismatch', `this is at revision ${outcome.actual} by now`);
  }
}

const aboutField = (code: 'key-reused' | 'revision-mismatch', message: string): Problem =>
  new Problem(code, message, { errors: [{ field: errorCodes[code]?.field as string, message }] });
