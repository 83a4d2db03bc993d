import { mailDomainOf } from '#domain/kernel/web-address';
import { type Message, mailInMemory } from '#gateways/mail';
import { supportMail } from '#gateways/support-mail';
import { openShop, type Shop } from './shop.ts';

const SECRET = 'a-secret-of-the-provider';
export const authorized = { authorization: `Basic ${Buffer.from(`leadger:${SECRET}`).toString('base64')}` };
export const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'looked the order up' };

export interface Written {
  readonly from: string;
  readonly to?: string;
  readonly subject?: string;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Ticket {
  readonly ticketId: string;
  readonly customerId: string;
  readonly subject: string | null;
  readonly setAside: string | null;
  readonly messages: readonly { readonly text: string | null }[];
}

export type Support = Awaited<ReturnType<typeof openSupport>>;

/** A shop to which mails are written, as a provider brings them. */
export async function openSupport(options: { readonly start: string; readonly directory?: string }) {
  const mails = mailInMemory();
  const shop: Shop = await openShop({ ...options, mails, supportMail: supportMail({ secret: SECRET }) });
  const { items } = await shop.ask('GET', '/api/stores');
  const address = `support@${mailDomainOf(items[0].webAddress)}`;
  let letters = 0;
  const written = ({ from, to = address, subject = 'Late leads', text = 'Nothing came.', headers = {} }: Written) => {
    letters += 1;
    const all = { 'Message-ID': `<letter-${letters}@mail.example>`, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    return [`From: Wombat <${from}>`, `To: ${to}`, `Subject: ${subject}`, ...lines, '', text, ''].join('\r\n');
  };
  const bring = (mail: string, headers: Record<string, string> = authorized) =>
    shop.try('POST', '/api/support-mails', mail, { 'content-type': 'message/rfc822', ...headers });
  const list = async (status: string): Promise<readonly Ticket[]> =>
    (await shop.read(`/api/tickets?limit=200&status=${status}`)).items;
  return {
    ...{ shop, mails, address, written, bring },
    async send(letter: Written): Promise<boolean> {
      const { status, body } = await bring(written(letter));
      expect(status).toBe(200);
      return body.taken;
    },
    queue: () => list('open'),
    aside: () => list('set-aside'),
    async answer(ticketId: string): Promise<Message> {
      await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'They come today.' }, 200, staff);
      return mails.sent.at(-1) as Message;
    },
    async closeAll(): Promise<void> {
      for (const { ticketId } of [...(await list('open')), ...(await list('set-aside'))])
        await shop.ask('POST', `/api/tickets/${ticketId}/close`, undefined, 200, staff);
    },
  };
}
