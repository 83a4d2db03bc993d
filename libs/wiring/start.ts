import type { INestApplicationContext } from '@nestjs/common';
import type { Activities } from '#domain/kernel/activities';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { StreamDamaged } from '#event-store/damage';
import type { Mailbox } from '#gateways/mailbox';
import type { ProviderLimits } from '#gateways/payments';
import type { SupportMail } from '#gateways/support-mail';
import { warnIfDescriptorIsCut } from '#requests/descriptor-at-start';
import { prepareNewStore } from '#requests/first-start';
import type { Requests } from '#requests/requests';
import { StreamCache } from '#requests/stream-cache';
import { lookTeller, takeSupportMail } from '#requests/support-mails';
import type { Work } from './leadger.module.ts';
import { ACTIVITIES, MAILBOX, PROVIDER_LIMITS, REQUESTS, SUPPORT_MAIL, WORK } from './tokens.ts';

/**
 * Starts a store: writes what a new one needs, then runs projections and processes, as far as they run in this program.
 * @returns rejects when the log cannot be read any more; resolves when the application is closed
 */
export async function startLeadger(
  application: INestApplicationContext,
  { prepare = true }: { prepare?: boolean } = {},
): Promise<{ running: Promise<void> }> {
  if (prepare) {
    await prepareNewStore(application.get<Requests>(REQUESTS)).catch(unlessDamaged);
    const limits = application.get<ProviderLimits | undefined>(PROVIDER_LIMITS, { strict: false });
    await warnIfDescriptorIsCut(application.get(StreamCache), limits, warn).catch(unlessDamaged);
  }
  const tellLook = lookTeller(application.get<Activities>(ACTIVITIES));
  void application.get<Mailbox | undefined>(MAILBOX)?.run((raw) => takeMail(application, raw), tellLook);
  return { running: application.get<Work>(WORK).run() };
}

/** @throws when it cannot be recorded now */
async function takeMail(application: INestApplicationContext, raw: Uint8Array): Promise<void> {
  const [requests, activities] = [application.get<Requests>(REQUESTS), application.get<Activities>(ACTIVITIES)];
  await takeSupportMail({ requests, activities, mail: application.get<SupportMail>(SUPPORT_MAIL) }, raw);
}

/** A policy or catalogue that others damaged is told by health, and stops only what needs it. @throws all other errors */
function unlessDamaged(error: unknown): void {
  if (!(error instanceof StreamDamaged || error instanceof UnreadableEvent)) throw error;
  warn(`what a new store needs was not looked for: ${error.message}`);
}

const warn = (line: string): void => console.warn(`leadger: ${line}`);
