import type { FastifyReply, FastifyRequest } from 'fastify';
import { DAYS_OF_A_SIGN_IN } from '#requests/sessions';

/** `__Host-`: a browser takes it over an encrypted connection or from localhost only, and sends it to no other host or path. */
const NAME = '__Host-leadger-session';
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Lax';

/** By it, a browser is known again. It is no secret of an account, and gives no right. */
const NAME_OF_BROWSER = '__Host-leadger-browser';
const SECONDS_A_DAY = 86_400;
const BROWSER = /^[\w-]{22,64}$/;

const cookieIn = ({ headers: { cookie = '' } }: FastifyRequest, name: string): string | undefined =>
  cookie
    .split(';')
    .map((one) => one.trim())
    .find((one) => one.startsWith(`${name}=`))
    ?.slice(name.length + 1);

export const sessionTokenIn = (request: FastifyRequest): string | undefined => cookieIn(request, NAME);

/** @returns undefined for a browser that never signed in here, or has forgotten it */
export function browserIn(request: FastifyRequest): string | undefined {
  const browser = cookieIn(request, NAME_OF_BROWSER) ?? '';
  return BROWSER.test(browser) ? browser : undefined;
}

export const setBrowserCookie = (reply: FastifyReply, browser: string): void =>
  setCookie(reply, `${NAME_OF_BROWSER}=${browser}; ${ATTRIBUTES}; Max-Age=${DAYS_OF_A_SIGN_IN * SECONDS_A_DAY}`);

export const setSessionCookie = (reply: FastifyReply, token: string, endsAt: string): void =>
  setCookie(reply, `${NAME}=${token}; ${ATTRIBUTES}; Expires=${new Date(endsAt).toUTCString()}`);

export const removeSessionCookie = (reply: FastifyReply): void =>
  setCookie(reply, `${NAME}=; ${ATTRIBUTES}; Max-Age=0`);

const setCookie = (reply: FastifyReply, cookie: string): void => void reply.header('set-cookie', cookie);
