import type { INestApplicationContext } from '@nestjs/common';
import { ProcessEngine } from '#processes/engine/engine';
import type { ReadModels } from '#read-models/read-models';
import { prepareNewStore } from './first-start.ts';
import { Requests } from './requests.ts';
import { READ_MODELS } from './tokens.ts';

/**
 * Begins the work of a store that was put together: what a new one needs is written, projections and processes run
 * from here on.
 * @returns rejects when the log cannot be read any more; resolves when the application is closed
 */
export async function startLeadger(
  application: INestApplicationContext,
  { prepare = true }: { prepare?: boolean } = {},
): Promise<{ running: Promise<void> }> {
  if (prepare) await prepareNewStore(application.get(Requests));
  application.get<ReadModels>(READ_MODELS).start();
  return { running: application.get(ProcessEngine).start() };
}
