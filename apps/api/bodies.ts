import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fileTypes } from './lead-batch.ts';
import { refusedAsTooLong } from './lead-forms.ts';
import { isPaymentNotice, SignedBody } from './payment-notices.controller.ts';
import { Problem } from './problems.ts';
import { acceptMails, isSupportMail, MailBody } from './support-mails.controller.ts';

const routesOfFiles: readonly string[] = ['/api/leads/batches', '/api/suppressions/batches'];
export const takesFiles = ({ routeOptions }: FastifyRequest): boolean => routesOfFiles.includes(routeOptions.url ?? '');

/**
 * How bodies are read. JSON is UTF-8 (RFC 8259, 8.1), and nothing else is taken for it: bytes that are not would become
 * characters that nobody sent. Few routes take files, which are streamed, and say in which encoding they read them. No body at all is no body, whatever its type.
 */
export function acceptBodies(server: FastifyInstance): void {
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('text/plain');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    const refused = wrongEncoding(request, bytes) ?? refusedAsTooLong(request, bytes);
    if (refused) done(refused);
    else if (bytes.length === 0) done(null, undefined);
    else if (isPaymentNotice(request)) done(null, new SignedBody(bytes.toString()));
    else if (isSupportMail(request)) done(null, new MailBody(bytes, true));
    else parseJson(request, bytes.toString(), done);
  });
  server.addContentTypeParser(fileTypes, async (request: FastifyRequest, file: Readable) => {
    if (!takesFiles(request)) return nothingIn(file);
    return file;
  });
  acceptMails(server);
  server.addContentTypeParser('*', async (_: FastifyRequest, body: Readable) => nothingIn(body));
  server.addHook('onRequest', async (request) => forgetTypeOfNothing(request));
}

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;
const UTF_8 = /^utf-?8$/i;

const unsupported = (detail: string) => new Problem('unsupported-media-type', detail);

function wrongEncoding({ headers }: FastifyRequest, bytes: Buffer): Problem | undefined {
  const named = CHARSET.exec(headers['content-type'] ?? '')?.[1];
  if (named !== undefined && !UTF_8.test(named))
    return unsupported(`the charset ${named.slice(0, 40)} is not read: JSON is UTF-8`);
  return isUtf8(bytes) ? undefined : new Problem('malformed-request', 'the body is not UTF-8');
}

/** @throws Problem when there is something in a body of a type that its route does not take */
async function nothingIn(body: Readable): Promise<undefined> {
  for await (const _ of body) throw unsupported('this route does not take that content type; see /api/docs');
}

/** Many programs send a type with every request. An empty file is a file all the same, which has no header. */
function forgetTypeOfNothing(request: FastifyRequest): void {
  const { headers } = request.raw;
  const isEmpty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  if (isEmpty && !takesFiles(request)) delete headers['content-type'];
}
