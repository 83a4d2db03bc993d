import { Controller, Get, Inject, Post, Query, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import Handlebars from 'handlebars';
import type { z } from 'zod';
import { type MailKind, mailKinds } from '#domain/notifications/kinds';
import { mailStatuses } from '#domain/notifications/mail';
import { type MailRow, mailExample, mailRow } from '#read-models/models/mails';
import { damaged } from '#read-models/queries/damaged';
import { mailListing } from '#read-models/queries/support';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { FieldNames, Id, OneOf, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { Problem } from './problems.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute, Problems } from './responses.ts';
import { sendPage } from './web-headers.ts';

const MAILS_ON_THE_PAGE = 100;

/** Marked when its streams are damaged. */
const mail = mailRow.extend({ damaged }).meta({ id: 'Mail' });

const markedExample: z.infer<typeof mail> = { ...mailExample, damaged: false };

class MailsQuery extends PageQuery {
  @Id({ description: 'Mails to this customer only.', optional: true })
  customerId?: string;

  @OneOf(mailKinds, { description: 'Mails of this kind only.', optional: true })
  kind?: MailKind;

  @OneOf(mailStatuses, {
    description: 'Mails in this state only, for example those that were refused or given up.',
    optional: true,
  })
  status?: MailRow['status'];

  @Sort(mailListing)
  sort?: string;

  @FieldNames(mail)
  fields?: string;
}

@ApiTags('mails')
@Controller()
export class MailsController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get('api/mails')
  @ReadRoute({ summary: 'Mails, newest first', answer: listOf(mail), example: { items: [markedExample] } })
  listMails(@Query() query: MailsQuery, @Reading() reader: Reader) {
    return this.#queries.mails.list(reader, pageRequest(query));
  }

  @Get('api/mails/:mailId')
  @ReadRoute({ summary: 'A mail, and whether it was sent', answer: mail, example: markedExample })
  async getMail(@IdOf('mail') mailId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.mails.get(reader, { mailId });
    if (!found) throw notFound('mail', mailId);
    return found;
  }

  @Post('api/mails/:mailId/retry')
  @CommandRoute({
    summary:
      'Send a mail again that was refused or given up, with all its attempts (NTF-4): support only, with a Leadger-Reason. If its link has expired, a mail with a new link goes out instead',
    idName: 'mailId',
    records: ['MailRetried'],
    takesNothing: true,
  })
  retryMail(@IdOf('mail') mailId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.mails.retry(mailId, context);
  }

  @Post('api/mails/:mailId/acknowledge')
  @CommandRoute({
    summary:
      'Note that you have dealt with a mail that could not be sent (NTF-4), in another way: support only, with a Leadger-Reason. It is not listed for attention any more, until it is sent again by hand. What is tried by itself is tried on',
    idName: 'mailId',
    records: ['MailFailureAcknowledged'],
    takesNothing: true,
  })
  acknowledgeMailFailure(@IdOf('mail') mailId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.mails.acknowledgeFailure(mailId, context);
  }

  @Get('api/mails/:mailId/copy')
  @ApiOperation({ summary: 'The mail as it was sent. Copies are kept only on one machine without a mail server' })
  @ApiResponse({
    status: 200,
    description: 'The mail.',
    content: { 'text/plain': { schema: { type: 'string' }, example: 'Subject: Chargeback Granted' } },
  })
  @Problems(403, 404, 503)
  async getMailCopy(
    @IdOf('mail') mailId: string,
    @Reading() reader: Reader,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    mustBeTrial(reader);
    const found = await this.#queries.mails.getCopy(reader, { mailId });
    if (!found) throw notFound('mail', mailId);
    if (found.copy === undefined) throw notFound('mail copy', mailId);
    reply.type('text/plain; charset=utf-8');
    return found.copy;
  }

  @Get('mails')
  @ApiExcludeEndpoint()
  async page(@Reading() reader: Reader, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    mustBeTrial(reader);
    const newest = await this.#queries.mails.listNewest(reader, { limit: MAILS_ON_THE_PAGE });
    return sendPage(reply, page(newest));
  }
}

/** Mails hold links that open accounts. @throws Problem */
function mustBeTrial({ caller }: Reader): void {
  if (caller.authenticated === 'trial-header') return;
  throw new Problem('trial-only', 'texts of mails are shown in a trial only: they hold links to accounts');
}

const page = Handlebars.compile(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mails – Leadger</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
.sent { color: #176b2c } .refused, .given-up { color: #a3180e } .withheld, .wished { color: #6b5a00 }
code { font-size: .85em }
</style>
<h1>Mails</h1>
{{#if mails}}
<p>The newest {{mails.length}}. All of them: <code>GET /api/mails</code>.</p>
<table><tr><th>Wished</th><th>Mail</th><th>Customer</th><th>Status</th></tr>
{{#each mails}}
<tr><td>{{wishedAt}}</td>
<td>{{#if subject}}{{#if ../keepsCopies}}<a href="/api/mails/{{mailId}}/copy">{{subject}}</a>{{else}}{{subject}}{{/if}}{{else}}{{kind}}{{/if}}</td>
<td><code>{{customerId}}</code></td>
<td><span class="{{status}}">{{status}}</span>{{#if reason}}: {{reason}}{{/if}}{{#if retryAt}}: {{lastError}}; tried again at {{retryAt}}{{/if}}</td></tr>
{{/each}}
</table>
{{else}}
<p>No mail was written yet. Mails are sent to customers who have an e-mail address.</p>
{{/if}}
</html>
`);
