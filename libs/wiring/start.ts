import type { INestApplicationContext } from '@nestjs/common';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { StreamDamaged } from '#event-store/port';
import { prepareNewStore } from '#requests/first-start';
import type { Requests } from '#requests/requests';
import type { Work } from './leadger.module.ts';
import { REQUESTS, WORK } from './tokens.ts';

/**
 * Starts a store: writes what a new one needs, then runs projections and processes, as far as they run in this program.
 * @returns rejects when the log cannot be read any more; resolves when the application is closed
 */
export async function startLeadger(
  application: INestApplicationContext,
  { prepare = true }: { prepare?: boolean } = {},
): Promise<{ running: Promise<void> }> {
  if (prepare) await prepareNewStore(application.get<Requests>(REQUESTS)).catch(unlessDamaged);
  return { running: application.get<Work>(WORK).run() };
}

/** A policy or catalogue that others damaged is told by health, and stops only what needs it. @throws all other errors */
function unlessDamaged(error: unknown): void {
  if (!(error instanceof StreamDamaged || error instanceof UnreadableEvent)) throw error;
  console.warn(`leadger: what a new store needs was not looked for: ${error.message}`);
}
