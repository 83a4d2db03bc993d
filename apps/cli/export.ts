import { openBoxes } from '#audit/opened';
import { openForReading, type StoreLocation } from '#wiring/stores';

const decoder = new TextDecoder();

/** The log, one event a line; personal data sealed, or opened where that is asked for. */
export async function* logLines(place: StoreLocation, { opened }: { opened: boolean }): AsyncGenerator<string> {
  const stores = await openForReading(place);
  try {
    for await (const event of stores.events.readAll()) {
      const { stream, revision, position, id, type, recordedAt, hash } = event;
      const sealed = JSON.parse(decoder.decode(event.data));
      const line = {
        position,
        stream,
        revision,
        id,
        type,
        recordedAt,
        data: opened ? await openBoxes(sealed, stores.vault) : sealed,
        metadata: JSON.parse(decoder.decode(event.metadata)),
        ...(hash && { hash: Buffer.from(hash).toString('hex') }),
      };
      yield `${JSON.stringify(line)}\n`;
    }
  } finally {
    await stores.close();
  }
}
