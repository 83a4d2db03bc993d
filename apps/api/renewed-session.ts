import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { NewSession } from '#requests/identities';
import { sessionTokenIn, setSessionCookie } from './session-cookie.ts';

export const renewedToken = {
  token: z
    .string()
    .optional()
    .describe('Of the session from now on, where its token was sent, and not its cookie. It is shown once.'),
};

/** A session that goes on with another token: in its cookie, or in the answer for a program. */
export function passOn(session: NewSession | undefined, request: FastifyRequest, reply: FastifyReply) {
  if (!session) return {};
  const { token, endsAt } = session;
  if (request.headers.authorization !== undefined || sessionTokenIn(request) === undefined) return { token };
  setSessionCookie(reply, token, endsAt);
  return {};
}
