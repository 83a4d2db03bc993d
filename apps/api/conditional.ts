import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** An answer with a revision has it as its ETag, so that no route can forget it. */
export async function giveRevision(
  { method }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const { revision } = (payload ?? {}) as { revision?: unknown };
  if (isRead(method) && typeof revision === 'number') reply.header('etag', etagOf(revision));
  return payload;
}

/** HEAD is answered as GET is, without the body. */
const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

export const etagOf = (revision: number): string => `"${revision}"`;

/** The revision in an ETag of this API. -1 (no stream has it once it exists) for an ETag without a revision. */
export const revisionIn = (etag: string): number => Number(/^"(-1|\d{1,15})(-[\w-]{43})?"$/.exec(etag)?.[1] ?? -1);

/** A forecast moves with every second. It is no promise, so who has the row has it, too. In a text of JSON, no quote is without a backslash. */
const FORECASTS = /"expectedFilledAt":(null|"[^"]*")/g;

/**
 * Gives every read an ETag: the revision, where there is one (If-Match compares it), and a digest of the answer without forecasts, because
 * other streams may change a row without its revision. It moves only when something was recorded, or fell due. If-None-Match with this ETag is answered 304 (RFC 9110, 13.1.2).
 */
export async function answerConditionally(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const given = reply.getHeader('etag') as string | undefined;
  const etag = isRead(method) && reply.statusCode === 200 ? etagOfAnswer(payload, given) : undefined;
  if (etag === undefined) return payload;
  reply.header('etag', etag);
  const answer = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const isKnown = isAmong(headers['if-none-match'], etag);
  // Of an answer to HEAD, Fastify itself leaves the body out. Pieces it would read to their end.
  if (answer instanceof Readable && (isKnown || method === 'HEAD')) answer.destroy();
  if (!isKnown) return answer;
  reply.code(304).removeHeader('content-type').removeHeader('content-length');
  return method === 'HEAD' ? answer : null;
}

/** @param given the revision; of what is sent piece by piece the whole ETag, which its route has made */
function etagOfAnswer(payload: unknown, given: string | undefined): string | undefined {
  if (payload instanceof Readable) return given;
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return undefined;
  const digest = hash('sha256', typeof payload === 'string' ? payload.replaceAll(FORECASTS, '') : payload, 'base64url');
  return given === undefined ? `"${digest}"` : `${given.slice(0, -1)}-${digest}"`;
}

/** Of an answer that is too long for memory: it is read once for its ETag, and once more to be sent. */
export async function etagOfPieces(pieces: AsyncIterable<string>): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of pieces) digest.update(piece);
  return `"${digest.digest('base64url')}"`;
}

/** If-None-Match treats weak and strong ETags alike. */
const isAmong = (wanted: string | undefined, etag: string): boolean =>
  wanted?.trim() === '*' || new Set<string>(wanted?.match(/"[^"]*"/g)).has(etag);
