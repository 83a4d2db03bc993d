import type { MailGateway, Message } from '#gateways/mail';
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
  /** The token in the newest mail to an address. */
  const tokenTo = (address: string): string => {
    const text = sent.findLast(({ to }) => to === address)?.text ?? '';
    return /\?token=([\w.-]+)/.exec(text)?.[1] as string;
  };
  return { gateway, sent, tokenTo };
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

/** @returns the token of a session */
export async function signInto({ call }: Server, email: string, password = PASSWORD): Promise<string> {
  const { status, body, text } = await call('POST', '/api/sign-ins', { email, password, token: true });
  if (status !== 200) throw new Error(`${email} could not sign in: ${text}`);
  return body.token;
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
