import { escapedJson } from '#apps/terminal-text';
import { openBoxes } from '#audit/opened';
import type { RecordedEvent } from '#event-store/port';
import { forReaders } from '#vault/vault';
import { openForReading, type StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';

const decoder = new TextDecoder();

/** The log, one event per line. Personal data is sealed, or opened if asked for. @throws CommandFailed, CannotOpenStore */
export async function* logLines(location: StoreLocation, { opened }: { opened: boolean }): AsyncGenerator<string> {
  const stores = await openForReading(location);
  try {
    for await (const event of stores.events.readAll()) {
      const sealed = contentsOf(event);
      yield lineOf(event, opened ? await openBoxes(sealed, forReaders(stores.vault)) : sealed);
    }
  } finally {
    await stores.close();
  }
}

/** @throws CommandFailed that names the event */
function contentsOf(event: RecordedEvent): { data: unknown; metadata: unknown } {
  try {
    return { data: parsed(event.data), metadata: parsed(event.metadata) };
  } catch (error) {
    const { stream, revision, type } = event;
    throw new CommandFailed(`${stream}@${revision} (${type}) cannot be read: ${(error as Error).message}`);
  }
}

const parsed = (bytes: Uint8Array): unknown => JSON.parse(decoder.decode(bytes));

function lineOf({ hash, ...event }: RecordedEvent, contents: unknown): string {
  const { stream, revision, position, id, type, recordedAt } = event;
  const hex = hash && { hash: Buffer.from(hash).toString('hex') };
  const line = { position, stream, revision, id, type, recordedAt, ...(contents as object), ...hex };
  return `${escapedJson(JSON.stringify(line))}\n`;
}
