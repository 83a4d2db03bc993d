import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Activities } from '#domain/kernel/activities';
import { asideReasons } from '#domain/support/ticket';
import { MOST_MAIL_BYTES, NoSupportMail, type SupportMail } from '#gateways/support-mail';
import type { Requests } from '#requests/requests';
import { takeSupportMail } from '#requests/support-mails';
import { ACTIVITIES, REQUESTS, SUPPORT_MAIL } from '#wiring/tokens';
import { Problem } from './problems.ts';

const PATH = '/api/support-mails';

/** Mails come from the machines of a provider. Their secret says who sent them. */
export const isSupportMail = ({ routeOptions }: FastifyRequest): boolean => routeOptions.url === PATH;

/** A mail as it was sent. It is not looked at before its secret is checked. */
export class MailBody {
  readonly #bytes: Buffer;
  readonly #isJson: boolean;

  constructor(bytes: Buffer, isJson: boolean) {
    this.#bytes = bytes;
    this.#isJson = isJson;
  }

  /**
   * As it is, or as a member of the JSON of Postmark (`RawEmail`) or of others (`raw`).
   * @throws Problem
   */
  read(): { raw: Uint8Array; recipients: readonly string[] } {
    if (!this.#isJson) return { raw: this.#bytes, recipients: [] };
    const parsed = jsonMail.safeParse(jsonIn(this.#bytes));
    const raw = parsed.data?.raw ?? parsed.data?.RawEmail;
    if (!raw) throw malformedMail;
    const recipient = parsed.data?.recipient ?? parsed.data?.OriginalRecipient;
    return { raw: Buffer.from(raw), recipients: recipient === undefined ? [] : [recipient] };
  }
}

const malformedMail = new Problem(
  'malformed-request',
  'send the mail as message/rfc822, or as `raw` or `RawEmail` of JSON',
);
const text = z.string().optional();
const jsonMail = z.looseObject({ raw: text, RawEmail: text, recipient: text, OriginalRecipient: text });

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** A mail with its files is larger than any other body. As JSON it grows by a third. */
export function acceptMails(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (route.url === PATH) route.bodyLimit = 1.5 * MOST_MAIL_BYTES;
  });
  server.addContentTypeParser('message/rfc822', { parseAs: 'buffer' }, (request, body, done) => {
    if (isSupportMail(request)) done(null, new MailBody(body as Buffer, false));
    else done(new Problem('unsupported-media-type', 'this route does not take that content type; see /api/docs'));
  });
}

/** What a mail provider brings. It sends a mail again until it is answered with 200. */
@Controller('api')
export class SupportMailsController {
  readonly #requests: Requests;
  readonly #activities: Activities;
  readonly #mail: SupportMail | undefined;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(ACTIVITIES) activities: Activities,
    @Inject(SUPPORT_MAIL) mail: SupportMail | undefined,
  ) {
    this.#requests = requests;
    this.#activities = activities;
    this.#mail = mail;
  }

  @Post('support-mails')
  @HttpCode(200)
  @ApiExcludeEndpoint()
  async takeMail(@Req() request: FastifyRequest): Promise<{ taken: boolean }> {
    if (!this.#mail) throw new NoSupportMail();
    this.#mail.checkSecret(request.headers.authorization ?? '');
    if (!(request.body instanceof MailBody)) throw malformedMail;
    const { raw, recipients } = request.body.read();
    const taking = { requests: this.#requests, activities: this.#activities, mail: this.#mail };
    const { result } = await takeSupportMail(taking, raw, recipients);
    return { taken: !asideReasons.some((reason) => reason === result) };
  }
}
