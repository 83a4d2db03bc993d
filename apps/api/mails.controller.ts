import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import Handlebars from 'handlebars';
import { z } from 'zod';
import { type MailKind, mailKinds } from '#domain/notifications/kinds';
import type { MailGateway } from '#gateways/mail';
import type { MailRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import { MAILS, READ_MODELS } from '#wiring/tokens';
import { Problems } from './answers.ts';
import { FieldNames, Id, OneOf, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

const statuses = ['wished', 'sent', 'refused', 'withheld'] as const;

const mail = z.object({
  mailId: z.string(),
  kind: z.enum(mailKinds),
  customerId: z.string(),
  eventId: z.string().describe('what it tells of'),
  happenedAt: z.string(),
  wishedAt: z.string(),
  status: z.enum(statuses).describe('wished: on its way, or waiting for the mail server'),
  endedAt: z.string().nullable(),
  subject: z.string().nullable(),
  messageId: z.string().nullable(),
  reason: z.string().nullable().describe('why it was refused or withheld'),
}) satisfies z.ZodType<MailRow>;

const mailExample: MailRow = {
  mailId: '1b0e5e0a-4f6d-5a57-8a0b-3a0e4f1c2d77',
  kind: 'chargeback-granted',
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  eventId: '5d1f3a52-8f6a-5f5e-9d0c-0c7a2b1e4f66',
  happenedAt: '2026-03-02T11:00:00.000Z',
  wishedAt: '2026-03-02T11:00:00.020Z',
  status: 'sent',
  endedAt: '2026-03-02T11:00:00.350Z',
  subject: 'Chargeback Granted',
  messageId: '1b0e5e0a-4f6d-5a57-8a0b-3a0e4f1c2d77@west.example',
  reason: null,
};

const MAILS_ON_THE_PAGE = 100;

/** What was written to customers, and what became of it (NTF). */
class MailsQuery extends PageQuery {
  @Id({ description: 'mails to this customer only', optional: true })
  customerId?: string;

  @OneOf(mailKinds, { description: 'mails of this kind only', optional: true })
  kind?: MailKind;

  @OneOf(statuses, { description: 'e.g. those that were refused', optional: true })
  status?: MailRow['status'];

  @Sort('wishedAt', '-wishedAt')
  sort?: string;

  @FieldNames(mail)
  fields?: string;
}

@ApiTags('mails')
@Controller()
export class MailsController {
  readonly #queries: ReadModels['queries'];
  readonly #mails: MailGateway | undefined;

  constructor(@Inject(READ_MODELS) { queries }: ReadModels, @Inject(MAILS) mails: MailGateway | undefined) {
    this.#queries = queries;
    this.#mails = mails;
  }

  @Get('api/mails')
  @ReadRoute({ summary: 'Mails, newest first', answer: listOf('Mail', mail), example: { items: [mailExample] } })
  listMails(@Query() query: MailsQuery) {
    return this.#queries.listMails({ ...query, ...pageRequest(query) });
  }

  @Get('api/mails/:mailId')
  @ReadRoute({ summary: 'A mail and what became of it', answer: named('Mail', mail), example: mailExample })
  async getMail(@IdOf('mail') mailId: string, @Query() _: ReadQuery) {
    return this.#found(mailId);
  }

  @Get('api/mails/:mailId/copy')
  @ApiOperation({ summary: 'The mail as it was sent, where copies are kept: on one machine without a mail server' })
  @ApiResponse({
    status: 200,
    description: 'The mail.',
    content: { 'text/plain': { schema: { type: 'string' }, example: 'Subject: Chargeback Granted' } },
  })
  @Problems(404, 503)
  async getMailCopy(@IdOf('mail') mailId: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { messageId } = await this.#found(mailId);
    const copy = messageId === null ? undefined : await this.#mails?.copyOf?.(messageId);
    if (copy === undefined) throw notFound('mail copy', mailId);
    reply.type('text/plain; charset=utf-8');
    return copy;
  }

  @Get('mails')
  @ApiExcludeEndpoint()
  async page(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { items } = await this.#queries.listMails({ limit: MAILS_ON_THE_PAGE });
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    return page({ mails: items, keepsCopies: this.#mails?.copyOf !== undefined });
  }

  async #found(mailId: string): Promise<MailRow> {
    const found = await this.#queries.findMail(mailId);
    if (!found) throw notFound('mail', mailId);
    return found;
  }
}

const page = Handlebars.compile(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mails – Leadger</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
.sent { color: #176b2c } .refused { color: #a3180e } .withheld, .wished { color: #6b5a00 }
code { font-size: .85em }
</style>
<h1>Mails</h1>
{{#if mails}}
<p>The newest {{mails.length}}. All of them: <code>GET /api/mails</code>.</p>
<table><tr><th>Wished</th><th>Mail</th><th>Customer</th><th>What became of it</th></tr>
{{#each mails}}
<tr><td>{{wishedAt}}</td>
<td>{{#if subject}}{{#if ../keepsCopies}}<a href="/api/mails/{{mailId}}/copy">{{subject}}</a>{{else}}{{subject}}{{/if}}{{else}}{{kind}}{{/if}}</td>
<td><code>{{customerId}}</code></td>
<td><span class="{{status}}">{{status}}</span>{{#if reason}}: {{reason}}{{/if}}</td></tr>
{{/each}}
</table>
{{else}}
<p>Nobody was written to yet. Mails go to customers that have an e-mail address.</p>
{{/if}}
</html>
`);
