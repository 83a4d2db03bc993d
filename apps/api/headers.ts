import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { ACTOR } from '#domain/kernel/caller';
import { isReason, normalText, REASON_FORM } from '#domain/kernel/text';
import { malformed } from './problems.ts';

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

/** Header → its form. Each header is optional. The ETag of a read has a digest after the revision, if it has one. */
const headers = {
  'leadger-actor': [
    matches(ACTOR),
    'customer:ID, staff:ID or system:ID; an id has at most 64 letters, digits, dots, hyphens and underscores, and is no e-mail address',
  ],
  'leadger-reason': [isReason, REASON_FORM],
  'idempotency-key': [matches(/^[\x21-\x7e]{1,200}$/), '1 to 200 visible ASCII characters'],
  'if-match': [
    matches(/^(\*|"(-1|\d{1,15})(-[\w-]{43})?"|"[\w-]{43}")$/),
    'one ETag of an earlier answer, like "3", or *',
  ],
} as const;

/** A header that says who asks, or why, or under which condition. @throws Problem */
export function headerOf(request: FastifyRequest, name: keyof typeof headers): string | undefined {
  const value = request.headers[name];
  if (value === undefined) return undefined;
  const [isRight, description] = headers[name];
  const text = normalText(textOf(String(value)));
  if (isRight(text)) return text;
  throw malformed([{ field: name, message: `must be ${description}` }]);
}

/** Node reads each byte of a header as one character. That is right for Latin-1, but most programs send UTF-8. */
function textOf(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}
