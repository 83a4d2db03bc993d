import { openBoxes } from '#audit/opened';
import type { RecordedEvent } from '#event-store/port';
import { openForReading, type StoreLocation } from '#wiring/stores';

const decoder = new TextDecoder();

/** The log, one event per line. Personal data is sealed, or opened if asked for. */
export async function* logLines(location: StoreLocation, { opened }: { opened: boolean }): AsyncGenerator<string> {
  const stores = await openForReading(location);
  try {
    for await (const event of stores.events.readAll()) {
      const sealed: unknown = JSON.parse(decoder.decode(event.data));
      yield lineOf(event, opened ? await openBoxes(sealed, stores.vault) : sealed);
    }
  } finally {
    await stores.close();
  }
}

function lineOf(event: RecordedEvent, data: unknown): string {
  const { stream, revision, position, id, type, recordedAt, hash } = event;
  const metadata: unknown = JSON.parse(decoder.decode(event.metadata));
  const hex = hash && { hash: Buffer.from(hash).toString('hex') };
  return `${JSON.stringify({ position, stream, revision, id, type, recordedAt, data, metadata, ...hex })}\n`;
}
