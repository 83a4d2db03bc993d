import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Gives every read an ETag: the revision, where there is one (If-Match compares it), and a digest of the answer, because
 * a forecast in it may change without the revision. If-None-Match with this ETag is answered 304 (RFC 9110, 13.1.2).
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

/** If-None-Match treats weak and strong ETags alike. */
const isAmong = (wanted: string | undefined, etag: string): boolean =>
  wanted?.trim() === '*' || new Set<string>(wanted?.match(/"[^"]*"/g)).has(etag);
