import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Every read has an ETag: of what is sent, so that it changes with a forecast, too; behind the revision, where there is
 * one, for that is what If-Match is about. Whoever has the answer already is told so without it (RFC 9110, 13.1.2).
 */
export async function answerConditionally(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string') return payload;
  const revision = reply.getHeader('etag');
  const bytes = Buffer.from(payload);
  const digest = hash('sha256', bytes, 'base64url');
  const etag = typeof revision === 'string' ? `${revision.slice(0, -1)}-${digest}"` : `"${digest}"`;
  reply.header('etag', etag);
  if (!isAmong(headers['if-none-match'], etag)) return bytes;
  reply.code(304).removeHeader('content-type').removeHeader('content-length');
  return null;
}

/** Weak or strong makes no difference to If-None-Match. */
const isAmong = (wanted: string | undefined, etag: string): boolean =>
  wanted?.trim() === '*' || new Set<string>(wanted?.match(/"[^"]*"/g)).has(etag);
