import type { Position } from '#event-store/port';
import { type Analysis, openForAnalysis, type Place } from '#wiring/stores';
import { progressUpTo } from './rebuild.ts';

/** Read models to ask, brought up to where the log ends now. @throws CannotOpenStore, Paused */
export async function openAtHead(place: Place): Promise<Analysis & { position: Position }> {
  const analysis = await openForAnalysis(place);
  try {
    if (analysis.apart)
      console.error('The store is running: its log is read beside it, into read models for analysts.');
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
