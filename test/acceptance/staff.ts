import { addSeconds } from '#domain/kernel/instants';
import type { MailGateway, Message } from '#gateways/mail';
import { totpCode } from '#requests/totp';
import type { Reply, Server } from '#test/e2e/server';

export const PASSWORD = 'correct horse battery';

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A mail server that keeps what it got. */
export function keptMails() {
  const sent: Message[] = [];
  const gateway: MailGateway = {
    async send(message) {
      sent.push(message);
      return { accepted: true };
    },
    close() {},
  };
  const newestTo = (address: string): string => sent.findLast(({ to }) => to === address)?.text ?? '';
  /** The token in the newest mail to an address that has one. */
  const tokenTo = (address: string): string =>
    sent
      .filter(({ to }) => to === address)
      .flatMap(({ text }) => /\?token=([\w.-]+)/.exec(text)?.slice(1) ?? [])
      .at(-1) as string;
  return { gateway, sent, newestTo, tokenTo };
}

/** A customer who has proved the address, and may sign in. */
export async function addCustomer(
  server: Server,
  { tokenTo }: Pick<ReturnType<typeof keptMails>, 'tokenTo'>,
  email: string,
): Promise<{ customerId: string }> {
  const registration = { storeId: 'main', businessAssociation: email, timeZone: 'UTC', password: PASSWORD, email };
  const { customerId } = (await server.call('POST', '/api/customers', registration)).body;
  await server.settle();
  const confirmation = { token: tokenTo(email) };
  const confirmed = await server.call('POST', `/api/customers/${customerId}/email/confirm`, confirmation);
  if (confirmed.status !== 200) throw new Error(`${email} could not be proved: ${confirmed.text}`);
  return { customerId };
}

const STEP_SECONDS = 30;

/** The authenticator app of somebody, and their recovery codes. Of the clock of a test, which stands still, each code counts once. */
export class Authenticator {
  readonly #server: Server;
  #secret = '';
  #lastStep = 0;
  recoveryCodes: string[] = [];

  constructor(server: Server) {
    this.#server = server;
  }

  learn(secret: string): void {
    this.#secret = secret;
    this.#lastStep = 0;
  }

  /** The next code that was not used: of a moment before, of now, of a moment later, else a recovery code. */
  code(): string {
    const now = this.#server.clock.now();
    const step = Math.floor(Date.parse(now) / 1000 / STEP_SECONDS);
    const next = Math.max(step - 1, this.#lastStep + 1);
    if (next > step + 1) return this.recoveryCodes.pop() as string;
    this.#lastStep = next;
    return totpCode(this.#secret, addSeconds(now, (next - step) * STEP_SECONDS));
  }
}

const authenticators = new WeakMap<Server, Map<string, Authenticator>>();

export function authenticatorOf(server: Server, email: string): Authenticator {
  const known = authenticators.get(server) ?? new Map<string, Authenticator>();
  authenticators.set(server, known);
  const app = known.get(email) ?? new Authenticator(server);
  known.set(email, app);
  return app;
}

/** @returns the token with which the session goes on */
export async function addFactor(
  server: Server,
  email: string,
  token: string,
  currentPassword = PASSWORD,
): Promise<string> {
  const app = authenticatorOf(server, email);
  const offered = await server.call('POST', '/api/factors/totp', undefined, bearer(token));
  if (offered.status !== 201) throw new Error(`${email} was offered no factor: ${offered.text}`);
  app.learn(offered.body.secret);
  const confirm = `/api/factors/totp/${offered.body.factorId}/confirm`;
  const { status, body, text } = await server.call(
    'POST',
    confirm,
    { code: app.code(), currentPassword },
    bearer(token),
  );
  if (status !== 200) throw new Error(`${email} could not add a factor: ${text}`);
  app.recoveryCodes = body.recoveryCodes ?? app.recoveryCodes;
  return body.token;
}

/** With a second factor, where there is one; staff who have none add one first. @returns the token of a session */
export async function signInto(server: Server, email: string, password = PASSWORD): Promise<string> {
  const ask = (more: object) => server.call('POST', '/api/sign-ins', { email, password, token: true, ...more });
  const first = await ask({});
  const { status, body, text } =
    first.body.code === 'factor-needed' ? await ask({ code: authenticatorOf(server, email).code() }) : first;
  if (status !== 200) throw new Error(`${email} could not sign in: ${text}`);
  return body.factorRequired ? addFactor(server, email, body.token, password) : body.token;
}

/** Proves a factor again, after some time. */
export async function prove(server: Server, email: string, headers: Record<string, string>) {
  const code = authenticatorOf(server, email).code();
  const { status, body, text } = await server.call('POST', '/api/sessions/current/prove', { code }, headers);
  if (status !== 200) throw new Error(`${email} could not prove a factor: ${text}`);
  return bearer(body.token);
}

/** The first administrator, signed in: from then on it is no trial. */
export async function endTrial(server: Server, email = 'ada@example.com') {
  const first = await server.call('POST', '/api/staff-members/first', { email, password: PASSWORD });
  if (first.status !== 201) throw new Error(`no first administrator: ${first.text}`);
  return { memberId: first.body.memberId as string, headers: bearer(await signInto(server, email)) };
}

/** A member of staff who has accepted the invitation, and is signed in. */
export async function addMember(
  server: Server,
  administrator: Record<string, string>,
  { tokenTo }: Pick<ReturnType<typeof keptMails>, 'tokenTo'>,
  { email, roles, stores = 'all' }: { email: string; roles: string[]; stores?: 'all' | string[] },
) {
  const added = await server.call('POST', '/api/staff-members', { email, roles, stores }, administrator);
  if (added.status !== 201) throw new Error(`${email} was not added: ${added.text}`);
  await server.settle();
  const accepted: Reply = await server.call('POST', '/api/staff-invitations/accept', {
    token: tokenTo(email),
    password: PASSWORD,
  });
  if (accepted.status !== 200) throw new Error(`${email} could not accept the invitation: ${accepted.text}`);
  return { memberId: added.body.memberId as string, headers: bearer(await signInto(server, email)) };
}
