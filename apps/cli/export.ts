import { openBoxes } from '#audit/opened';
import { openForReading, type Place } from '#wiring/stores';

const decoder = new TextDecoder();

/** The log, one event per line. Personal data is sealed, or opened if asked for. */
export async function* logLines(place: Place, { opened }: { opened: boolean }): AsyncGenerator<string> {
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
