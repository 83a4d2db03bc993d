import type { Position } from '#event-store/port';
import { type Analysis, openForAnalysis, type StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { progressUpTo } from './rebuild.ts';

/** Embedded read models to ask, current up to the end of the log. @throws CannotOpenStore, CommandFailed */
export async function openAtHead({
  directory,
  eventStoreDb,
}: StoreLocation): Promise<Analysis & { position: Position }> {
  if (directory === undefined)
    throw new CommandFailed('read models for analysts need a directory: name it with --data');
  const analysis = await openForAnalysis({ directory, eventStoreDb }, (why) => console.error(`${why}: waiting for it`));
  try {
    const position = await analysis.events.head();
    const progress = progressUpTo(position);
    await analysis.readModels.catchUp({ onProgress: progress.at });
    progress.end();
    return { ...analysis, position };
  } catch (error) {
    await analysis.close();
    throw error;
  }
}
