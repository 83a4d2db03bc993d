import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Damages } from '#event-store/damage';

/** Parameter of a path → the families of the streams that it names. */
const families: Readonly<Record<string, readonly string[]>> = {
  orderId: ['order', 'programme'],
  leadId: ['lead'],
  customerId: ['customer', 'contacts'],
  replacementId: ['replacement'],
  checkoutId: ['checkout'],
  ticketId: ['ticket'],
  mailId: ['mail'],
  webhookId: ['webhook'],
};

/**
 * Marks the answer to a read of one thing whose stream is damaged: what the read models say of it may be out of date, and can be
 * true no more.
 */
export function markDamaged(
  damages: Damages | undefined,
  { method, params }: FastifyRequest,
  reply: FastifyReply,
): void {
  if (!damages || method !== 'GET') return;
  const streams = Object.entries((params ?? {}) as Record<string, string>).flatMap(([name, id]) =>
    (families[name] ?? []).map((family) => `${family}-${id}`),
  );
  const damaged = streams.filter((stream) => damages.of(stream));
  if (damaged.length > 0) reply.header('leadger-damaged', damaged.map(encodeURIComponent).join(', '));
}
