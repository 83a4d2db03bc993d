import { Controller, HttpCode, Inject, Param, Post, UnsupportedMediaTypeException } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { fieldsIn, isLeadForm, URL_ENCODED } from './lead-forms.ts';
import { Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';

const ROUTE = '/api/mail-links/:token/unsubscribe';
/** As mail programs send `List-Unsubscribe=One-Click` (RFC 8058). */
const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** The token says everything: what a mail program sends with it is not read. Forms of websites are. */
export function acceptOneClicks(server: FastifyInstance): void {
  server.addContentTypeParser(FORMS, { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    if (isLeadForm(request) && request.headers['content-type']?.startsWith(URL_ENCODED)) return fieldsIn(request, body);
    if (request.routeOptions.url !== ROUTE && body.length > 0) throw new UnsupportedMediaTypeException();
    return undefined;
  });
}

const unsubscribed = named(
  'Unsubscribed',
  z.object({ unsubscribed: z.literal(true).describe('The same for every token.') }),
);

/** One click in a mail program switches a kind of mails off (NTF-6). */
@ApiTags('mails')
@Controller('api/mail-links')
export class UnsubscriptionsController {
  readonly #requests: Requests;

  constructor(@Inject(REQUESTS) requests: Requests) {
    this.#requests = requests;
  }

  @Post(':token/unsubscribe')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Send no more mails of the kind of one mail (RFC 8058): its List-Unsubscribe has the token. No sign-in',
  })
  @ApiParam({ name: 'token', description: 'The token in the link of the mail.', example: 'token-of-the-link' })
  @ApiConsumes(...FORMS)
  @Responds(200, 'The same answer, whether the token is good or not.', unsubscribed, { unsubscribed: true })
  @Problems(503, 507)
  async unsubscribe(@Param('token') token: string, @Asking() context: RequestContext) {
    await this.#requests.mails.unsubscribe(token, context);
    return { unsubscribed: true } as const;
  }
}
