import type { FastifyReply, FastifyRequest } from 'fastify';

/** `__Host-`: a browser takes it over an encrypted connection or from localhost only, and sends it to no other host or path. */
const NAME = '__Host-leadger-session';
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Lax';

export const sessionTokenIn = ({ headers: { cookie = '' } }: FastifyRequest): string | undefined =>
  cookie
    .split(';')
    .map((one) => one.trim())
    .find((one) => one.startsWith(`${NAME}=`))
    ?.slice(NAME.length + 1);

export const setSessionCookie = (reply: FastifyReply, token: string, endsAt: string): void =>
  setCookie(reply, `${NAME}=${token}; ${ATTRIBUTES}; Expires=${new Date(endsAt).toUTCString()}`);

export const removeSessionCookie = (reply: FastifyReply): void =>
  setCookie(reply, `${NAME}=; ${ATTRIBUTES}; Max-Age=0`);

const setCookie = (reply: FastifyReply, cookie: string): void => void reply.header('set-cookie', cookie);
