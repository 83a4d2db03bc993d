import { setTimeout as wait } from 'node:timers/promises';
import { Controller, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Activities, activityTime } from '#domain/kernel/activities';
import { normalTexts } from '#domain/kernel/text';
import { consent } from '#domain/leads/consent';
import { contact } from '#domain/leads/contact';
import { exampleIds } from '#read-models/models/examples';
import { Identities, type LeadForm } from '#requests/identities';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { ACTIVITIES, REQUESTS } from '#wiring/tokens';
import { ALIKE_MILLISECONDS } from './alike.ts';
import { Asking } from './caller.ts';
import { errorsOf } from './fields.ts';
import { FormThrottle } from './form-throttle.ts';
import { FORM_PATH, formOf, nestedFields, URL_ENCODED } from './lead-forms.ts';
import { Network } from './network.ts';
import { malformed, Problem, problemOfRefusal } from './problems.ts';
import { Problems, Responds } from './responses.ts';
import { documented, named } from './schemas.ts';
import { refuseBadBody } from './validation.ts';

/** Of a field that people do not see. Programs fill in every field. */
const TRAP = 'website';

const leadForm = named(
  'SendLeadFormBody',
  contact
    .safeExtend({
      firstName: contact.shape.firstName.meta({ examples: ['Ada'] }),
      telephone: contact.shape.telephone.meta({ examples: ['+1 212 555 0142'] }),
      email: contact.shape.email.meta({ examples: ['ada@example.com'] }),
      consent: consent
        .extend({ at: consent.shape.at.optional().describe('When the person agreed: now, when absent.') })
        .optional()
        .describe('Evidence that the person agreed to be contacted (DLV-12). In fields of a form: `consent.text`.'),
      [TRAP]: z
        .string()
        .optional()
        .describe('A trap: hide this field from people. What fills it in is answered like any other, and dropped.'),
    })
    .describe('The contact of a lead, as it is received, and the evidence of its consent. Empty fields do not count.'),
);

const received = named(
  'LeadFormReceived',
  z.object({ received: z.literal(true).describe('The same for every form that is filled in rightly.') }),
);
const RECEIVED = { received: true } as const;

/** Forms of websites, which anybody may fill in. Nothing tells what the store knows of a person. */
@ApiTags('leads')
@Controller(FORM_PATH)
export class LeadFormsController {
  readonly #requests: Requests;
  readonly #identities: Identities;
  readonly #activities: Activities;
  readonly #throttle: FormThrottle;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(Identities) identities: Identities,
    @Inject(ACTIVITIES) activities: Activities,
    @Inject(FormThrottle) throttle: FormThrottle,
  ) {
    this.#requests = requests;
    this.#identities = identities;
    this.#activities = activities;
    this.#throttle = throttle;
  }

  @Post(':apiKeyId/leads')
  @HttpCode(202)
  @ApiOperation({
    summary:
      'Receive what somebody filled in on a web page: no sign-in, only from the origins of the key of the form. Nested fields of a form have a dot: `consent.text`, `extraFields.campaign`',
  })
  @ApiParam({ name: 'apiKeyId', description: 'The id of the key of the form.', example: exampleIds.apiKeyId })
  @ApiHeader({ name: 'Origin', description: 'Browsers send it.', required: true, example: 'https://west.example' })
  @ApiConsumes('application/json', URL_ENCODED)
  @ApiBody({ schema: documented(leadForm, 'input') })
  @Responds(202, 'The same answer, whether the store has the person or not.', received, RECEIVED)
  @ApiResponse({
    status: 303,
    description: 'To a browser that sends the form without a script: to the page of thanks.',
  })
  @Problems(400, 403, 404, 409, 413, 415, 429, 503, 507)
  async sendLeadForm(
    @Param('apiKeyId') formId: string,
    @Req() request: FastifyRequest,
    @Asking() asked: RequestContext,
    @Network() network: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof received>> {
    const form = formOf(request);
    const fields = nestedFields(request.body);
    await this.#counted(asked, async () => {
      const isReceived = await this.#throttle.take(network, formId, async () => {
        const isTrapped = fields[TRAP] !== undefined;
        // The time tells nothing, either.
        await Promise.all([isTrapped || this.#receive(form, fields, asked), wait(ALIKE_MILLISECONDS)]);
        return !isTrapped;
      });
      await this.#identities.noteKeyUse(formId);
      return isReceived ? 'received' : 'trap';
    });
    if (form.thanksPage !== undefined && request.headers['sec-fetch-mode'] === 'navigate')
      reply.status(303).header('location', form.thanksPage);
    return RECEIVED;
  }

  async #receive({ caller, leadTypeId, source }: LeadForm, fields: object, asked: RequestContext): Promise<void> {
    const { [TRAP]: _, consent, ...contact } = readForm(fields);
    const { commandId, parent, until } = asked;
    const context = { caller, commandId, ...(parent && { parent }), ...(until !== undefined && { until }) };
    const refusal = await this.#requests.leads.receiveForm({ leadTypeId, source, contact, consent }, context);
    if (refusal) throw problemOfRefusal(refusal, {});
  }

  /** Metrics count what became of forms. */
  async #counted({ commandId: id, parent }: RequestContext, take: () => Promise<'received' | 'trap'>): Promise<void> {
    const startedAt = activityTime();
    const tell = (name: string, outcome: 'done' | 'refused' | 'failed') =>
      this.#activities.tell({
        ...{ kind: 'lead-form', name, outcome, id, correlationId: id, parent },
        ...{ startedAt, endedAt: activityTime() },
      });
    try {
      tell(await take(), 'done');
    } catch (error) {
      const status = error instanceof Problem ? error.status : 500;
      tell(status === 429 ? 'throttled' : status < 500 ? 'refused' : 'failed', status < 500 ? 'refused' : 'failed');
      throw error;
    }
  }
}

/** @throws Problem with the fields that are wrong */
function readForm(fields: object): z.infer<typeof leadForm> {
  refuseBadBody(fields);
  const errors = errorsOf(leadForm, 'several', fields);
  if (errors.length > 0) throw malformed(errors);
  return leadForm.parse(normalTexts(fields));
}
